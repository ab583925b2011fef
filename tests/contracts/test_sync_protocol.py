"""The conformance suite is itself held to account: the reference terminal passes it, and no broken one does."""

from itertools import count
from typing import Any

import pytest

from tests.contracts.networked_terminal import NetworkedTerminal
from tests.contracts.reference_terminal import Disk, Frame, InThisProcess, ReferenceTerminal
from tests.contracts.scripted_server import OverHttp
from tests.contracts.sync_protocol import Scenario, play, scenarios


@pytest.mark.parametrize("scenario", scenarios(), ids=str)
def test_the_reference_terminal_keeps_the_rules(scenario: Scenario) -> None:
    play(scenario, InThisProcess())


@pytest.mark.parametrize("scenario", scenarios(), ids=str)
def test_it_keeps_them_over_http(scenario: Scenario) -> None:
    with OverHttp(NetworkedTerminal()) as terminal:
        play(scenario, terminal)


def test_what_falls_due_while_the_terminal_looks_is_done_all_the_same() -> None:
    terminal = ReferenceTerminal(Disk(), ["tag"], now=map(float, count()).__next__)  # each look is a second later
    terminal.refused(503, retry_after=1.5)
    for _ in range(3):
        terminal.tick()
    assert terminal.asked, "it is to come back"


# --- Terminals that each lack one rule ------------------------------------------------------------------------------
class ForgetsTheVersionOfASnapshot(ReferenceTerminal):
    """The mistake of the original design: it refetches for ever."""

    def _snapshot(self, name: str, body: dict[str, Any]) -> None:
        super()._snapshot(name, body)
        del self.disk.versions[name]


class MergesASnapshot(ReferenceTerminal):
    def _snapshot(self, name: str, body: dict[str, Any]) -> None:
        kept = self.disk.objects.get(name, {})
        super()._snapshot(name, body)
        self.disk.objects[name] = {**kept, **self.disk.objects[name]}


class AppliesWhatItHas(ReferenceTerminal):
    def _apply(self, batch: list[Frame]) -> None:
        for change in batch:
            with self._transaction() as disk:
                self._put(disk, change.data["resource"], change.data)
        super()._apply(batch)


class SeesNoGap(ReferenceTerminal):
    def _apply(self, batch: list[Frame]) -> None:
        for change in batch:
            self.disk.versions[change.data["resource"]] = change.data["version"] - 1
        super()._apply(batch)


class AppliesBetweenCuts(ReferenceTerminal):
    def _take(self, frame: Frame) -> None:
        if frame.event == "sync":
            frame = Frame(frame.id, frame.event, {**frame.data, "cut": True})
        super()._take(frame)


class KeepsTheCursorBetweenCuts(ReferenceTerminal):
    def _take(self, frame: Frame) -> None:
        super()._take(frame)
        self.disk.cursor = frame.id or self.disk.cursor


class TakesNullForADeletion(ReferenceTerminal):
    @staticmethod
    def _put(disk: Disk, name: str, change: dict[str, Any]) -> None:
        ReferenceTerminal._put(disk, name, change if change["data"] else {**change, "action": "deleted"})


class UpdatesOnlyWhatItKnows(ReferenceTerminal):
    @staticmethod
    def _put(disk: Disk, name: str, change: dict[str, Any]) -> None:
        if change["action"] != "updated" or change["id"] in disk.objects[name]:
            ReferenceTerminal._put(disk, name, change)


class TakesTheVersionFromTheLastChange(ReferenceTerminal):
    def _delta(self, name: str, body: dict[str, Any]) -> None:
        super()._delta(name, {**body, "to": body["changes"][-1]["version"]})


class ReadsOnePageOfADelta(ReferenceTerminal):
    def _delta(self, name: str, body: dict[str, Any]) -> None:
        super()._delta(name, {**body, "head": body["to"]})


class KeepsItsVersionsInANewEpoch(ReferenceTerminal):
    def _enter(self, epoch: str) -> None:
        self.disk.epoch = epoch


class NoticesAnEpochInNothingButResync(ReferenceTerminal):
    def _snapshot(self, name: str, body: dict[str, Any]) -> None:
        super()._snapshot(name, {**body, "epoch": self.disk.epoch})


class RefetchesEverythingAtEveryResync(ReferenceTerminal):
    def _refetch(self, epoch: str, names: Any) -> None:
        super()._refetch(epoch, self.names)


class IgnoresResync(ReferenceTerminal):
    def _refetch(self, epoch: str, names: Any) -> None:
        self._enter(epoch)


class DoesNotResume(ReferenceTerminal):
    def _connect(self) -> None:
        self.disk.cursor = None
        super()._connect()


class BelievesNoBookmark(ReferenceTerminal):
    def _take(self, frame: Frame) -> None:
        if frame.event != "bookmark":
            super()._take(frame)


class ComesBackAtOnce(ReferenceTerminal):
    def _later(self, seconds: float, act: Any) -> None:
        super()._later(0, act)


class NeverTakesNoForAnAnswer(ReferenceTerminal):
    def refused(self, status: int, *, retry_after: float | None = None) -> None:
        super().refused(500, retry_after=retry_after)


class WaitsForEver(ReferenceTerminal):
    is_silent = False


class GivesUp(ReferenceTerminal):
    def answered(self, target: str, status: int, body: Any) -> None:
        if status in (200, 410):
            super().answered(target, status, body)


class TrustsAFailedStatus(ReferenceTerminal):
    def _status(self, status: int, body: Any) -> None:
        if status == 200:
            super()._status(status, body)
        else:
            self._later(0, self.start)


class BelievesNoOlderStatus(ReferenceTerminal):
    def _status(self, status: int, body: Any) -> None:
        if status == 200:
            body = {**body, "versions": {n: max(v, self.disk.versions.get(n, 0)) for n, v in body["versions"].items()}}
        super()._status(status, body)


class FetchesWithoutListening(ReferenceTerminal):
    def start(self) -> None:
        self.heard = True
        self._go_on()
        super().start()


@pytest.mark.parametrize("kind", ReferenceTerminal.__subclasses__(), ids=lambda kind: kind.__name__)
def test_a_terminal_that_lacks_one_rule_is_found_out(kind: type[ReferenceTerminal]) -> None:
    def fails(scenario: Scenario) -> bool:
        try:
            play(scenario, InThisProcess(kind))
        except Exception:  # noqa: BLE001 - a terminal that falls over fails, too
            return True
        return False

    assert any(map(fails, scenarios()))
