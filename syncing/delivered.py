"""The versions that each device was delivered: noted from its stream, and written behind.

A stream's cursor says what its client was sent; nothing is noted for a single event. Every second the recorder looks at
all streams of the process, and what moved is written in bulk every few seconds. When a crash loses that, the next
cursor of the device tells it again.
"""

import asyncio
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from django.utils import timezone

from clocks.rows import SKEW
from devices.models import Device
from devices.writebehind import WriteBehind

from .cursors import Cursor
from .models import DeliveredVersions

LOOK_SECONDS = 1.0
WRITE_SECONDS = 5.0
AT_ONCE = 500  # rows in one statement


@dataclass(frozen=True)
class Delivered:
    """Everything up to ``cursor``, by the time ``at``."""

    cursor: str
    at: dt.datetime


class Stream(Protocol):
    @property
    def confirmed(self) -> Cursor | None:
        """What its client was sent; None before the first frame."""


class Recorder:
    """Looks at the streams of this process, in their event loop."""

    def __init__(self) -> None:
        self._devices: dict[Stream, UUID] = {}
        self._seen: dict[Stream, Cursor] = {}

    def follow(self, stream: Stream, device_id: UUID) -> None:
        self._devices[stream] = device_id

    def leave(self, stream: Stream) -> None:
        """Look at ``stream`` for the last time."""
        if stream in self._devices:
            self._look(stream)
            self._devices.pop(stream)
            self._seen.pop(stream, None)

    async def keep(self) -> None:
        """Look every second, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for stream in self._devices:
                self._look(stream)

    def _look(self, stream: Stream) -> None:
        cursor = stream.confirmed
        if cursor is not None and cursor != self._seen.get(stream):
            self._seen[stream] = cursor
            delivered.note(self._devices[stream], Delivered(str(cursor), timezone.now()))


def _write(reached: Mapping[UUID, Delivered]) -> None:
    known = set(Device.objects.filter(pk__in=reached).values_list("pk", flat=True))
    written = dict(DeliveredVersions.objects.filter(pk__in=reached).values_list("pk", "reached_at"))
    rows = [
        DeliveredVersions(device_id=device_id, cursor=now.cursor, reached_at=now.at)
        for device_id, now in sorted(reached.items())
        # Another process may have heard of a device later, but not in the future.
        if device_id in known and not now.at < written.get(device_id, now.at) <= now.at + SKEW
    ]
    DeliveredVersions.objects.bulk_create(
        rows,
        batch_size=AT_ONCE,
        update_conflicts=True,
        unique_fields=["device"],
        update_fields=["cursor", "reached_at"],
    )


delivered: WriteBehind[UUID, Delivered] = WriteBehind("delivered versions", _write, seconds=WRITE_SECONDS)
