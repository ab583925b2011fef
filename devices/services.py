"""Enrolling, rotating and revoking: the verbs behind the API, the admin and the command line."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from refusals import Refusal

from . import throttle, trail
from .events import Event
from .identity import TokenInvalid
from .models import (
    CODE_LIFETIME,
    Device,
    DeviceQuerySet,
    EnrolmentCode,
    code_digest,
    new_code,
    new_token,
    token_digest,
)

if TYPE_CHECKING:
    from .certificates import Issued  # 16 MB of cryptography, which only the command line needs


WRONG_CODES = throttle.Limit(wrong=5, seconds=15 * 60)  # from one address


class CodeInvalid(Refusal):
    status, code = 400, "invalid_code"
    detail = _("This code is wrong, was used or has expired.")


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A new device and its token, which can't be read again."""

    device: Device
    token: str
    code: int | None = None  # the id of the enrolment code, if it came by one


def enroll(
    *,
    name: str,
    may_upload: bool = False,
    may_manage: bool = False,
    history_of: AbstractBaseUser | None = None,
    certificate: "Issued | None" = None,
) -> Enrolled:
    """A new device without a code, for the operator of the server. ``certificate`` lets it in as well as the token.

    It reads the history of ``history_of``, when given.
    """
    token = new_token()
    device = Device.objects.create(
        name=name,
        token_hash=token_digest(token),
        may_upload=may_upload,
        may_manage=may_manage,
        history_of=history_of,  # type: ignore[misc]  # whatever the user model is
        certificate_fingerprint=certificate.fingerprint if certificate else None,
        certificate_expires_at=certificate.expires_at if certificate else None,
    )
    return Enrolled(device, token)


def redeem(*, code: str, name: str, address: str) -> Enrolled:
    """A new device named ``name`` for ``code``, with the scopes of the code, asked for from the client's ``address``.

    Raises CodeInvalid, and Throttled when too many codes from there were wrong.
    """
    try:
        enrolled = throttle.attempt(
            partial(_redeem, code, name), key=f"enroll:{throttle.network(address)}", limit=WRONG_CODES
        )
    except throttle.Throttled:
        trail.tell(Event.CODE_THROTTLED)
        raise
    if enrolled is None:
        trail.tell(Event.CODE_FAILED)
        raise CodeInvalid
    tell_of(Event.ENROLLED, enrolled.device, who=f"code {enrolled.code}")
    return enrolled


def _redeem(code: str, name: str) -> Enrolled | None:
    """In the transaction of the attempt. None for a wrong code."""
    now, digest = timezone.now(), code_digest(code)
    gone = Q(created_by__is_active=False) | Q(created_by__is_staff=False)  # a code is worth what its maker is
    if EnrolmentCode.objects.filter(gone, code_hash=digest).exists():
        return None
    # One conditional statement: of two terminals with one code one gets in, whatever processes they ask.
    if not EnrolmentCode.objects.redeemable(now=now).filter(code_hash=digest).update(used_at=now):
        return None
    row = EnrolmentCode.objects.get(code_hash=digest)
    enrolled = enroll(
        name=name,
        may_upload=row.may_upload,
        may_manage=row.may_manage,
        history_of=row.created_by if row.may_read_history else None,
    )
    row.device = enrolled.device
    row.save(update_fields=["device"])
    return replace(enrolled, code=row.pk)


def make_code(*, row: EnrolmentCode, by: AbstractBaseUser | None = None, now: datetime | None = None) -> str:
    """Save ``row``, which has the scopes and isn't saved yet, with a new code. Returns the code, this once."""
    code = new_code()
    row.code_hash = code_digest(code)
    row.expires_at = (now or timezone.now()) + CODE_LIFETIME
    row.created_by = by  # type: ignore[assignment]  # whatever the user model is
    row.save(force_insert=True)
    who = f"staff {by.get_username()}" if by else None
    trail.tell(Event.CODE_MADE, who=who, code=row.pk, scopes=row.scopes)
    return code


def rotate(*, token_hash: str) -> str:
    """A new token for the active device whose token has this digest. The old token stops at once.

    Raises TokenInvalid when another call was faster.
    """
    token = new_token()
    if not Device.objects.with_digest(token_hash).update(token_hash=token_digest(token)):
        raise TokenInvalid
    trail.tell(Event.ROTATED)
    return token


def revoke(*, devices: DeviceQuerySet, now: datetime | None = None) -> int:
    """End the access of ``devices`` at once and for good. Returns how many had access until now."""
    leaving = list(devices.active().order_by())
    count = devices.active().order_by().update(revoked_at=now or timezone.now())
    for device in leaving:
        tell_of(Event.REVOKED, device)
    return count


def tell_of(event: Event, device: Device, **more: Any) -> None:
    trail.tell(event, device=device.pk, name=device.name, scopes=device.scopes, **more)
