"""When each device was last heard of."""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Case, F, Q, Value, When

from clocks.rows import SKEW

from .models import Device
from .writebehind import WriteBehind

EVERY_SECONDS = 30.0
# A stream's device is noted every ten seconds and written within thirty of that: later than this, it isn't there.
CONNECTED_SECONDS = 75.0
AT_ONCE = 200  # devices in one statement: its work grows with the square


def note(device_id: UUID) -> None:
    """``device_id`` was heard of now."""
    last_contacts.note(device_id, datetime.now(UTC))


def is_connected(device: Device, *, now: datetime) -> bool:
    """Whether ``device`` was heard of just now, as one with a live stream always is."""
    return device.last_seen is not None and abs((now - device.last_seen).total_seconds()) < CONNECTED_SECONDS


def _write(contacts: Mapping[UUID, datetime]) -> None:
    rows = sorted(contacts.items())
    for start in range(0, len(rows), AT_ONCE):
        some = rows[start : start + AT_ONCE]
        # Another process may have heard of a device later: a contact never moves back, but from the future.
        later = [
            When(
                Q(pk=device_id) & (Q(last_seen=None) | Q(last_seen__lt=at) | Q(last_seen__gt=at + SKEW)), then=Value(at)
            )
            for device_id, at in some
        ]
        Device.objects.filter(pk__in=[device_id for device_id, _at in some]).update(
            last_seen=Case(*later, default=F("last_seen"))
        )


last_contacts: WriteBehind[UUID, datetime] = WriteBehind("last contacts", _write, seconds=EVERY_SECONDS)
