"""The clock of periodic tasks goes on, whatever its file, the broker and the machine's clock do."""

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from clocks.jumps import Watch
from config.beat import Schedule
from config.celery import app
from serving import heartbeats

pytestmark = pytest.mark.any_database

AHEAD = timedelta(days=400)
BEGAN = datetime(2027, 3, 1, 12, tzinfo=UTC)
SCAN, PRUNE = "scan pending photos", "prune changes"
OFTEN = {SCAN, "scan the studio's items"}


class Machine:
    """A machine whose clock can be set, and the tasks that its beat sends."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now, self.steady, self.sent = folder, BEGAN, 0.0, list[str]()
        self.start()

    def start(self) -> None:
        self.beat = Schedule(app, schedule_filename=str(self.folder / "beat-schedule"))
        self.beat.watch = Watch(wall=lambda: self.now.timestamp(), steady=lambda: self.steady)

    def restart(self) -> None:
        self.beat.close()
        self.start()

    def run(self, **span: float) -> list[str]:
        """What is sent in this time."""
        self.sent.clear()
        end = self.steady + timedelta(**span).total_seconds()
        while self.steady < end:
            while not self.beat.tick():
                pass
            self.now += timedelta(seconds=5)
            self.steady += 5
        return list(self.sent)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(Schedule, "producer", None)
    monkeypatch.setattr(heartbeats, "beat_lives", lambda watch: None)
    machine: Any = None  # the functions below see what it becomes
    monkeypatch.setattr("config.beat.timezone.now", lambda: machine.now if machine else BEGAN)
    monkeypatch.setattr(app, "now", lambda: machine.now if machine else BEGAN)
    monkeypatch.setattr(Schedule, "apply_entry", lambda self, entry, producer=None: machine.sent.append(entry.name))
    machine = Machine(tmp_path)
    return machine


def test_tasks_are_sent_in_their_periods(machine: Machine) -> None:
    sent = machine.run(hours=1, minutes=1)

    assert sent.count(PRUNE) == 1
    assert 118 <= sent.count(SCAN) <= 122


def test_after_the_clock_was_ahead_for_a_minute_all_tasks_are_sent_as_before(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.run(minutes=1)
    machine.now += AHEAD
    with caplog.at_level(logging.WARNING):
        meanwhile = machine.run(minutes=1)
        machine.now -= AHEAD
        afterwards = machine.run(hours=1, minutes=2)

    assert set(meanwhile) == OFTEN, "what comes round seldom doesn't believe a clock that was just set"
    assert afterwards.count(PRUNE) == 1
    assert 118 <= afterwards.count(SCAN) <= 126
    said = [message for message in caplog.messages if message.startswith("Noticed: ")]
    assert [" forward by 400 days" in said[0], " back by 400 days" in said[1], len(said)] == [True, True, 2]


def test_a_time_of_tomorrow_in_its_file_counts_as_now(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    machine.now += AHEAD
    machine.run(minutes=1)
    machine.now -= AHEAD
    with caplog.at_level(logging.WARNING):
        machine.restart()

    assert all(entry.last_run_at <= machine.now for entry in machine.beat.schedule.values())
    assert any("Noticed at the start: the clock was set back by" in message for message in caplog.messages)
    assert machine.run(hours=1, minutes=1).count(PRUNE) == 1


def test_a_restart_goes_on_where_the_last_run_was(machine: Machine) -> None:
    machine.run(minutes=40)
    machine.restart()

    assert machine.run(minutes=21).count(PRUNE) == 1


@pytest.mark.parametrize(
    "content", [b"", b"\xff\x00", b"[]", b"1", b'{"prune changes": 3}', b'{"prune changes": "soon"}', b"{" * 5000]
)
def test_a_damaged_file_is_as_good_as_none(machine: Machine, content: bytes) -> None:
    machine.beat.path.write_bytes(content)
    machine.start()

    assert PRUNE in machine.run(hours=1, minutes=1)
    machine.beat.close()
    assert PRUNE in json.loads(machine.beat.path.read_text()), "and it is written anew"


def test_a_full_disk_is_said_once_and_stops_nothing(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    full = machine.beat.path.with_suffix(".draft")
    full.symlink_to("/dev/full")
    with caplog.at_level(logging.WARNING):
        sent = machine.run(hours=1, minutes=1)
        machine.beat.close()

    assert sent.count(PRUNE) == 1
    assert [message for message in caplog.messages if "No space left on device" in message] == [
        "The times of periodic tasks can't be kept; they are still sent: [Errno 28] No space left on device"
    ]


def test_a_folder_in_the_place_of_its_file_stops_nothing(machine: Machine) -> None:
    machine.beat.path.unlink(missing_ok=True)
    machine.beat.path.mkdir()
    machine.start()

    assert PRUNE in machine.run(hours=1, minutes=1)
    machine.beat.close()


def test_beat_uses_this_schedule() -> None:
    assert app.conf.beat_scheduler == "config.beat:Schedule"
