"""Requests that may hold a thread for long wait for their turn before they take one; nobody else waits with them."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from refusals import DatabaseUnavailable, Refusal
from serving import turns
from serving.bodies import NoRoom
from tests.parts import run_to_end

LOGIN = {"method": "POST", "path": "/admin/login/"}
WRITE = {"method": "PATCH", "path": "/api/tags/1"}
PICTURE = {"method": "POST", "path": "/api/images"}
STUDIO = {"method": "POST", "path": "/api/image/generate"}
READINESS = {"method": "GET", "path": "/readyz"}  # it may wait for each part of the server
FREE = (
    {"method": "GET", "path": "/api/products"},
    {"method": "GET", "path": "/admin/login/"},
    {"method": "GET", "path": "/livez"},
)


@pytest.fixture(autouse=True)
def lines_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A semaphore belongs to the event loop that waits for it."""
    lines = [(pattern, asyncio.Semaphore(2)) for pattern, _ in turns.LINES]
    writers = asyncio.Semaphore(2)
    hashers = next(line for pattern, line in lines if pattern.fullmatch(LOGIN["path"]))
    probers = asyncio.Semaphore(2)
    monkeypatch.setattr(turns, "LINES", lines)
    monkeypatch.setattr(turns, "writers", writers)
    monkeypatch.setattr(turns, "probers", probers)
    monkeypatch.setattr(turns, "TOO_LATE", {writers: DatabaseUnavailable, hashers: NoRoom, probers: NoRoom})
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.05)


async def third_of(scope: dict[str, str]) -> None:
    """Comes while two hold the line; whoever is in no line, and in another one, has a turn meanwhile."""
    async with AsyncExitStack() as two:
        for _ in range(2):
            await two.enter_async_context(turns.turn_of(scope))
        for other in (*FREE, *(one for one in (LOGIN, WRITE, PICTURE, STUDIO, READINESS) if one is not scope)):
            async with asyncio.timeout(1), turns.turn_of(other):
                pass
        async with turns.turn_of(scope):
            pass


@pytest.mark.parametrize(
    ("scope", "refusal"),
    [(LOGIN, NoRoom), (WRITE, DatabaseUnavailable), (READINESS, NoRoom)],
    ids=["hash", "write", "readiness"],
)
def test_a_third_one_is_told_to_come_again_and_nobody_else_waits(scope: dict[str, str], refusal: type[Refusal]) -> None:
    with pytest.raises(refusal) as raised:
        run_to_end(third_of(scope))
    assert raised.value.status == 503
    assert raised.value.retry_after


def test_sheets_are_unpacked_in_the_line_of_pictures() -> None:
    lines = {turns.line_of("POST", path) for path in ("/admin/catalog/product/import/", "/api/images")}
    assert len(lines) == 1
    assert turns.line_of("GET", "/admin/catalog/product/import/") is None


def test_a_third_picture_waits_until_one_is_done() -> None:
    async def three() -> list[str]:
        seen = []

        async def decoded(name: str) -> None:
            async with turns.turn_of(PICTURE):
                seen.append(f"{name} began")
                await asyncio.sleep(0)
                seen.append(f"{name} ended")

        await asyncio.gather(*(decoded(name) for name in "abc"))
        return seen

    seen = run_to_end(three())
    assert seen.index("c began") > min(seen.index("a ended"), seen.index("b ended"))
