"""The lag of each device: how many changes it is behind, by the versions that it was delivered."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet, TextField, Value

from devices.models import Device

from . import log
from .cursors import Cursor, UnreadableCursor


def heads() -> Cursor:
    """The cursor of a device that has everything."""
    now = log.heads()
    return Cursor(now.epoch, now.versions)


def changes_behind(cursor: str, heads: Cursor) -> int | None:
    """How many changes ``cursor`` is behind in the resources that it names; None when it belongs to another history."""
    try:
        here = Cursor.parse(cursor)
    except UnreadableCursor:
        return None
    missing = [heads.versions[name] - version for name, version in here.versions.items() if name in heads.versions]
    return sum(missing) if here.epoch == heads.epoch and min(missing, default=0) >= 0 else None


def lags() -> Iterator[tuple[Device, int | None]]:
    """Each active device that has ever followed the stream, and how many changes it is behind; two queries."""
    now = heads()
    for device in Device.objects.active().filter(delivered__isnull=False).select_related("delivered"):
        yield device, changes_behind(device.delivered.cursor, now)


def with_heads(devices: QuerySet[Device]) -> QuerySet[Any]:
    """``devices``, each with what it was delivered and, as text in ``heads``, the cursor that it is compared with."""
    return devices.select_related("delivered").annotate(heads=Value(str(heads()), output_field=TextField()))
