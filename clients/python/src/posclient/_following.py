"""What another process of this terminal wrote."""

from collections.abc import Iterator

from ._store import Row, Store


class Follower:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.seen = store.data_version()
        self.number = store.last_notice()

    def news(self) -> Iterator[list[Row]]:
        """What each step since the last call changed."""
        now = self.store.data_version()
        if now == self.seen:
            return
        began_anew, self.seen = now[0] != self.seen[0], now
        if began_anew:
            self.number = 0
        self.number, steps = self.store.notices_since(self.number)
        yield from steps
