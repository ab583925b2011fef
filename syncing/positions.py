"""How far each device is: the cursor that its stream has reached, and by how many changes that is behind.

A stream says where it stands by having been sent something; nobody writes for an event. Every few seconds what moved is
written in bulk, beside the readers. A crash loses that much, and the device's next cursor tells it again.
"""

import asyncio
import datetime as dt
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django import db
from django.db import Error as DatabaseError
from django.db.models import QuerySet, TextField, Value
from django.utils import timezone

from devices.models import Device

from . import log
from .cursors import Cursor, UnreadableCursor
from .models import Position

logger = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
AT_ONCE = 500  # rows in one statement


@dataclass(frozen=True)
class Reached:
    """``cursor`` was handed over by ``at``."""

    cursor: str
    at: dt.datetime


class Stream(Protocol):
    @property
    def confirmed(self) -> Cursor | None:
        """What its client was sent; None before the first frame."""


@dataclass
class Followed:
    """A device by its stream, and the cursor that was noted of it last."""

    device_id: UUID
    noted: Cursor | None = None


class Positions:
    """Where the devices of this process' streams are. All but the writing happens in one event loop."""

    def __init__(self) -> None:
        self.followed: dict[Stream, Followed] = {}
        self.moved: dict[UUID, Reached] = {}

    def follow(self, stream: Stream, device_id: UUID) -> None:
        self.followed[stream] = Followed(device_id)

    def leave(self, stream: Stream) -> None:
        self._note(stream, timezone.now())
        self.followed.pop(stream, None)

    async def keep(self) -> None:
        """Note and write every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            now = timezone.now()
            for stream in self.followed:
                self._note(stream, now)
            await self.write()

    def _note(self, stream: Stream, now: dt.datetime) -> None:
        device, at = self.followed.get(stream), stream.confirmed
        if device is not None and at is not None and at != device.noted:
            device.noted = at
            self.moved[device.device_id] = Reached(str(at), now)

    async def write(self) -> None:
        """Write what moved; on an error, which is logged, it waits for the next time."""
        moved, self.moved = self.moved, {}
        if not moved:
            return
        try:
            await asyncio.to_thread(write, moved)
        except DatabaseError as error:
            logger.warning("Positions could not be written; they wait for the next time: %s", error)
            self.moved = moved | self.moved


def write(reached: Mapping[UUID, Reached]) -> None:
    """Keep where these devices are. In a thread of its own: it may wait for SQLite's writer, as no reader does."""
    try:
        known = set(Device.objects.filter(pk__in=reached).values_list("pk", flat=True))
        at = dict(Position.objects.filter(pk__in=reached).values_list("pk", "reached_at"))
        rows = [
            Position(device_id=device_id, cursor=now.cursor, reached_at=now.at)
            for device_id, now in sorted(reached.items())
            if device_id in known and at.get(device_id, now.at) <= now.at  # another process may have heard of it later
        ]
        Position.objects.bulk_create(
            rows,
            batch_size=AT_ONCE,
            update_conflicts=True,
            unique_fields=["device"],
            update_fields=["cursor", "reached_at"],
        )
    finally:
        db.connections.close_all()


def heads() -> Cursor:
    """Where a device stands that has everything."""
    now = log.heads()
    return Cursor(now.epoch, now.versions)


def behind(cursor: str, heads: Cursor) -> int | None:
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
    for device in Device.objects.active().filter(position__isnull=False).select_related("position"):
        yield device, behind(device.position.cursor, now)  # Position names it so


def with_heads(devices: QuerySet[Device]) -> QuerySet[Any]:
    """``devices`` with their position and, the same on each, ``heads`` as text: what it is compared with."""
    return devices.select_related("position").annotate(heads=Value(str(heads()), output_field=TextField()))
