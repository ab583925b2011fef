"""A clock that is set is noticed, by how much and which way; what time services do all day is not."""

from dataclasses import dataclass

import pytest

from clocks.jumps import Watch

DAY = 86_400.0


@dataclass
class Clocks:
    wall: float = 1_800_000_000.0
    steady: float = 1_000.0

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def watch(self) -> Watch:
        return Watch(wall=lambda: self.wall, steady=lambda: self.steady)


@pytest.mark.parametrize("seconds", [61.0, -61.0, 400 * DAY, -400 * DAY])
def test_a_jump_is_noticed_once(seconds: float) -> None:
    clocks = Clocks()
    watch = clocks.watch()
    clocks.pass_by(3600)
    assert watch.look() is None
    clocks.wall += seconds

    jump = watch.look()

    assert jump is not None
    assert jump.seconds == seconds
    assert jump.at.timestamp() == clocks.wall
    assert watch.look() is None
    clocks.pass_by(90)
    assert (watch.jump, watch.age) == (jump, 90)


def test_what_a_time_service_corrects_is_no_jump() -> None:
    clocks = Clocks()
    watch = clocks.watch()
    for seconds in (5, -30, 59):
        clocks.wall += seconds
        assert watch.look() is None
    assert watch.jump is None


def test_a_jump_says_which_way_and_how_far() -> None:
    clocks = Clocks()
    watch = clocks.watch()
    clocks.wall += 400 * DAY
    forward = str(watch.look())
    clocks.wall -= 400 * DAY

    assert forward == "the clock was set forward by 400 days, 0:00:00, to 2028-02-19 08:00:00 UTC"
    assert str(watch.look()) == "the clock was set back by 400 days, 0:00:00, to 2027-01-15 08:00:00 UTC"


def test_the_machine_has_a_clock_that_nobody_sets() -> None:
    watch = Watch()
    assert watch.look() is None
