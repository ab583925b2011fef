"""A client's copy of one history, kept as docs/api.md tells clients to keep it."""

from typing import Any

from django.contrib.auth.models import User
from django.test import Client


class Replica:
    """``items`` by id, at ``version``; ``heard`` are all ids that any answer ever named."""

    def __init__(self, owner: User) -> None:
        self.client = Client()
        self.client.force_login(owner)
        self.version, self.epoch = 0, ""
        self.items: dict[str, dict[str, Any]] = {}
        self.heard: set[str] = set()
        self.resyncs = 0

    def copy(self) -> "Replica":
        """Another client of the same owner that is as far."""
        other = object.__new__(Replica)
        vars(other).update(vars(self), items=dict(self.items), heard=set(self.heard))
        return other

    def ask(self, *, limit: int = 1000) -> Any:
        query = {"since": self.version, "limit": limit} | ({"epoch": self.epoch} if self.epoch else {})
        return self.client.get("/api/history/sync", query)

    def sync(self, *, limit: int) -> None:
        """Ask until nothing is left to ask for."""
        while True:
            answer = self.ask(limit=limit)
            if answer.status_code == 410:
                self.version, self.epoch = 0, ""
                self.resyncs += 1
                continue
            assert answer.status_code == 200, answer.content
            part: dict[str, Any] = answer.json()
            if self.version == 0:
                self.items = {}
                assert part["version"] == part["head"]
            assert part["version"] >= self.version
            self.items |= {item["id"]: item for item in part["items"]}
            for key in part["deleted"]:
                self.items.pop(key, None)
            self.heard |= {item["id"] for item in part["items"]} | set(part["deleted"])
            self.version, self.epoch = part["version"], part["epoch"]
            if self.version == part["head"]:
                return

    def listed(self) -> dict[str, dict[str, Any]]:
        """What the list says, by id."""
        results = self.client.get("/api/history", {"limit": 500}).json()["results"]
        return {item["id"]: item for item in results}
