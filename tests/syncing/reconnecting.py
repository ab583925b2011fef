"""A terminal that always comes back: whatever ends its stream, it opens the next from its cursor. It keeps a record."""

import threading
from collections.abc import Mapping
from typing import Self

from tests.parts import wait_until
from tests.syncing.histories import Recorded
from tests.syncing.terminal import Terminal

PAUSE_SECONDS = 0.1


class ReconnectingTerminal:
    """``with ReconnectingTerminal(address, token, resources) as till:``; ``address`` may change while it is away."""

    def __init__(self, address: str, token: str, resources: tuple[str, ...]) -> None:
        self.address, self.token, self.resources = address, token, resources
        self.streams: list[Terminal] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._reconnect, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(20)

    def _reconnect(self) -> None:
        cursor = None
        while not self._over.is_set():
            names = ",".join(self.resources)
            with Terminal(self.address, self.token, last_event_id=cursor, resources=names) as stream:
                self.streams.append(stream)
                while not stream.ended.wait(0.05) and not self._over.is_set():
                    pass
            if stream.frames:
                cursor = stream.frames[-1].id
            self._over.wait(PAUSE_SECONDS)

    @property
    def recorded(self) -> list[Recorded]:
        """What each stream carried that carried anything."""
        return [Recorded(list(one.frames), one.last_event_id) for one in list(self.streams) if one.frames]

    def until_connected(self, *, streams: int = 1) -> None:
        """Waits until so many streams have said hello."""
        wait_until(lambda: len(self.recorded) >= streams, seconds=60, what=f"stream number {streams}")

    def until_it_has(self, versions: Mapping[str, int]) -> None:
        """Waits until the newest stream has come to ``versions``, by whatever frames."""
        wait_until(lambda: all(self._at()[name] >= versions[name] for name in versions), seconds=60, what=f"{versions}")

    def _at(self) -> dict[str, int]:
        at = dict.fromkeys(self.resources, -1)
        for stream in self.recorded[-1:]:
            for frame in stream.frames:
                data = frame.data
                at |= {data["resource"]: data["version"]} if frame.event == "sync" else data["versions"]
        return at
