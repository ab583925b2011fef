"""How much one device may have waiting: originals of photos that didn't become pictures yet, or never will."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from images.space import MB
from refusals import Refusal

from .models import Photo, Status


class QuotaFull(Refusal):
    """Its code is that of a full disk: what a client can do is the same."""

    status, code, retry_after = 507, "storage_full", 60
    detail = _("This device has too much waiting to be processed; go on when some of it is ready or deleted.")


def need_quota(*, device_id: UUID | None, size: int, now: datetime) -> None:
    """Raises QuotaFull when ``size`` more bytes of a device would be too many. None: a login, or a command."""
    if device_id is not None and waiting_bytes(device_id, now=now) + size > settings.DEVICE_QUOTA_MB * MB:
        raise QuotaFull


def waiting_bytes(device_id: UUID, *, now: datetime) -> int:
    """What it declared of photos that aren't ready, except where the original of a failed one is gone."""
    gone = now - timedelta(days=settings.FAILED_ORIGINAL_DAYS + 1)  # a day later upkeep has been there
    waiting = Photo.objects.filter(device=device_id).exclude(status=Status.READY)
    found = waiting.exclude(status=Status.FAILED, failed_at__lte=gone).aggregate(bytes=Sum("size"))
    return int(found["bytes"] or 0)
