"""The doorbell rings by the clock while it can't listen, and listens again as soon as it can."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
import pytest
from django.db import connection

from catalog.models import Tag
from syncing import doorbell
from tests.parts import run_to_end

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no connection to lose"),
]

SECONDS = 20


@asynccontextmanager
async def listening() -> AsyncIterator[list[float]]:
    """When it rang, while the block runs."""
    rung: list[float] = []
    bell = asyncio.create_task(doorbell.listen(lambda: rung.append(asyncio.get_running_loop().time())))
    try:
        yield rung
    finally:
        bell.cancel()
        with suppress(asyncio.CancelledError):
            await bell


async def until(true: Any) -> None:
    async with asyncio.timeout(SECONDS):
        while not true():
            await asyncio.sleep(0.005)


def write(name: str = "hot") -> None:
    try:
        Tag.objects.create(name=name)
    finally:
        connection.close()


def test_it_rings_for_a_commit(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "SAFETY_SECONDS", 3600)

    async def one_commit() -> None:
        async with listening() as rung:
            await until(lambda: rung)  # it listens: what was committed before counts as a ring
            before = len(rung)
            await asyncio.sleep(0.2)
            assert len(rung) == before, "it rings for nothing"
            await asyncio.to_thread(write)
            await until(lambda: len(rung) > before)

    run_to_end(one_commit())


def test_while_it_cannot_listen_it_rings_by_the_clock_and_then_listens_by_itself(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, refused = psycopg.AsyncConnection.connect, []

    async def refuse(**_: Any) -> Any:
        refused.append(1)
        raise psycopg.OperationalError("too many connections")

    monkeypatch.setattr(doorbell, "SAFETY_SECONDS", 0.05)
    monkeypatch.setattr(doorbell, "LONGEST_BACKOFF_SECONDS", 0.05)
    monkeypatch.setattr(psycopg.AsyncConnection, "connect", refuse)

    async def an_outage() -> None:
        async with listening() as rung:
            await until(lambda: len(rung) >= 5 and len(refused) >= 2)
            monkeypatch.setattr(doorbell, "SAFETY_SECONDS", 3600)  # the clock is silent from its next stroke on
            monkeypatch.setattr(psycopg.AsyncConnection, "connect", connect)
            await asyncio.sleep(0.2)  # its last stroke by the old clock
            for name in ("hot", "cold"):  # the first ring may be for listening again, the second is for a commit
                before = len(rung)
                await asyncio.to_thread(write, name)
                await until(lambda: len(rung) > before)  # noqa: B023 - called at once

    run_to_end(an_outage())
