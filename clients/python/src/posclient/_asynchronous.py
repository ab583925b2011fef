"""The same terminal for asyncio: every call runs in one of a few threads, so the loop never waits for a disk."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

from ._images import CacheUsage, CleanupResult, PrefetchResult, Progress
from ._outbox import UploadsResult, Waiting
from ._replica import State, Update
from ._terminal import Terminal, Uploaded

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 8


class AsyncTerminal:
    """``async with AsyncTerminal(Terminal(…)) as till: await till.images.get_image_path(hash)``.

    A call that is cancelled goes on in its thread, and what it downloads is kept. Progress callbacks are called in
    the event loop.
    """

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="posclient")
        self.images = AsyncImages(self)
        self.replica = AsyncReplica(self)
        self.outbox = AsyncOutbox(self)

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of ``function``, which runs in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(function, *args, **kwargs))

    def in_loop(self, progress: Progress | None) -> Progress | None:
        if progress is None:
            return None
        loop = asyncio.get_running_loop()

        def tell(done: int, of: int) -> None:
            loop.call_soon_threadsafe(progress, done, of)

        return tell

    async def upload_image(self, path: Path | str | bytes) -> Uploaded:
        return await self.call(self.terminal.upload_image, path)

    async def is_network_available(self) -> bool:
        return await self.call(self.terminal.bridge.is_network_available)

    async def close(self) -> None:
        await self.call(self.terminal.close)
        self._threads.shutdown(wait=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()


class AsyncImages:
    """``ImageCache``, awaited."""

    def __init__(self, terminal: AsyncTerminal) -> None:
        self._terminal, self._images = terminal, terminal.terminal.images

    async def get_image_path(self, hash: str) -> Path:
        return await self._terminal.call(self._images.get_image_path, hash)

    async def read_image(self, hash: str) -> bytes:
        return await self._terminal.call(self._images.read_image, hash)

    async def prefetch_images(self, hashes: Iterable[str], progress: Progress | None = None) -> PrefetchResult:
        return await self._terminal.call(self._images.prefetch_images, hashes, self._terminal.in_loop(progress))

    async def cleanup_image_cache(self, active_hashes: Iterable[str]) -> CleanupResult:
        return await self._terminal.call(self._images.cleanup_image_cache, active_hashes)

    async def cleanup_old_cache(self, max_age_days: float = 30) -> CleanupResult:
        return await self._terminal.call(self._images.cleanup_old_cache, max_age_days)

    async def usage(self) -> CacheUsage:
        return await self._terminal.call(self._images.usage)


class AsyncReplica:
    """``Replica``, awaited; ``updates`` takes the place of callbacks."""

    def __init__(self, terminal: AsyncTerminal) -> None:
        self._terminal, self._replica = terminal, terminal.terminal.replica

    @property
    def state(self) -> State:
        return self._replica.state

    async def start(self) -> None:
        self._replica.start()

    async def catch_up(self) -> None:
        await self._terminal.call(self._replica.catch_up)

    async def wait_until_live(self, seconds: float = 30.0) -> bool:
        return await self._terminal.call(self._replica.wait_until_live, seconds)

    async def get(self, resource: str, id: str) -> dict[str, Any] | None:
        return await self._terminal.call(self._replica.get, resource, id)

    async def all(self, resource: str) -> list[dict[str, Any]]:
        return await self._terminal.call(self._replica.all, resource)

    async def updates(self, resource: str | None = None) -> AsyncIterator[list[Update]]:
        """What each step changed, from the first ``anext`` on, without end."""
        loop = asyncio.get_running_loop()
        told: asyncio.Queue[list[Update]] = asyncio.Queue()

        def tell(updates: list[Update]) -> None:
            loop.call_soon_threadsafe(told.put_nowait, updates)

        unsubscribe = self._replica.subscribe(tell, resource)
        try:
            while True:
                yield await told.get()
        finally:
            unsubscribe()


class AsyncOutbox:
    """``Outbox``, awaited."""

    def __init__(self, terminal: AsyncTerminal) -> None:
        self._terminal, self._outbox = terminal, terminal.terminal.outbox

    async def add_image(self, path: Path | str | bytes, product: str | None = None, *, filename: str = "") -> str:
        return await self._terminal.call(self._outbox.add_image, path, product, filename=filename)

    async def waiting(self) -> list[Waiting]:
        return await self._terminal.call(self._outbox.waiting)

    async def sync_image_uploads(
        self, progress: Progress | None = None, *, wait_seconds: float = 60.0
    ) -> UploadsResult:
        return await self._terminal.call(
            self._outbox.sync_image_uploads, self._terminal.in_loop(progress), wait_seconds=wait_seconds
        )
