"""What is noted in memory is written in bulk by a thread, and nothing of it is lost but by a crash."""

import threading
from collections.abc import Callable

import pytest
from django.db import DatabaseError

from devices import writebehind
from devices.writebehind import WriteBehind
from tests.parts import wait_until

Written = list[dict[str, int]]


@pytest.fixture
def written() -> Written:
    return []


@pytest.fixture
def buffer(written: Written) -> WriteBehind[str, int]:
    """One that writes late: after the test, but for what the test does."""
    return WriteBehind("numbers", written.append, seconds=3600)


def refuse(_due: object) -> None:
    raise DatabaseError("the disk is full")


def test_the_newest_value_of_each_key_is_written_once(buffer: WriteBehind[str, int], written: Written) -> None:
    for value in (1, 2):
        buffer.note("a", value)
        buffer.note("b", value)

    assert buffer.get("a") == 2
    assert [buffer.flush(), buffer.flush()] == [2, 0]
    assert written == [{"a": 2, "b": 2}]
    assert buffer.get("a") is None


def test_what_could_not_be_written_waits_and_gives_way_to_what_is_newer(written: Written) -> None:
    numbers: WriteBehind[str, int]

    def refuse_and_hear_more(_due: object) -> None:
        numbers.note("b", 3)
        raise DatabaseError("the disk is full")

    writes: list[Callable[[dict[str, int]], None]] = [written.append, refuse_and_hear_more]
    numbers = WriteBehind("numbers", lambda due: writes.pop()(due), seconds=3600)
    numbers.note("a", 1)
    numbers.note("b", 1)

    with pytest.raises(DatabaseError):
        numbers.flush()

    assert numbers.flush() == 2
    assert written == [{"a": 1, "b": 3}]


def test_a_thread_writes_by_itself_and_ends(buffer: WriteBehind[str, int], written: Written) -> None:
    buffer.seconds = 0.05

    before = set(threading.enumerate())  # those of other tests

    def writes() -> bool:
        return any(one.name == "write-behind of numbers" for one in set(threading.enumerate()) - before)

    for value in range(3):
        buffer.note("a", value)

    wait_until(lambda: written == [{"a": 2}], what="the write")
    wait_until(lambda: not writes(), what="the end of the thread")
    buffer.note("a", 3)
    wait_until(lambda: written == [{"a": 2}, {"a": 3}], what="the next write")


def test_a_failure_is_logged_and_left_for_the_next_time(caplog: pytest.LogCaptureFixture) -> None:
    buffer: WriteBehind[str, int] = WriteBehind("numbers", refuse, seconds=3600)
    buffer.note("a", 1)

    buffer.write_out()

    assert "The numbers could not be written" in caplog.text
    assert buffer.get("a") == 1


def test_the_end_of_the_process_writes_what_is_left_in_every_buffer(
    buffer: WriteBehind[str, int], written: Written
) -> None:
    others: Written = []
    other: WriteBehind[str, int] = WriteBehind("others", others.append, seconds=3600)
    buffer.note("a", 1)
    other.note("b", 2)

    writebehind.write_what_is_left()

    assert (written, others) == ([{"a": 1}], [{"b": 2}])


def test_forgetting_drops_what_was_noted_and_the_thread(buffer: WriteBehind[str, int], written: Written) -> None:
    buffer.seconds = 0.05
    buffer.note("a", 1)

    buffer.forget()

    assert buffer.flush() == 0
    assert written == []
