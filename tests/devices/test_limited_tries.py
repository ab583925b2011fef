from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.db.models import F

from devices import throttle
from devices.models import FailedTry
from devices.throttle import Limit, Throttled

LIMIT = Limit(wrong=3, seconds=60)


def wrong() -> None:
    return None


def right() -> bool:
    return True


def try_it(look: Callable[[], bool | None] = wrong, *, key: str = "a", limit: Limit = LIMIT) -> str | int:
    """What a try hears: "right", "wrong", or how many seconds to wait."""
    try:
        return "right" if throttle.attempt(look, key=key, limit=limit) else "wrong"
    except Throttled as refusal:
        return int(refusal.headers["Retry-After"])


def at_once(*looks: Callable[[], bool | None]) -> list[str | int]:
    together = Barrier(len(looks))

    def one(look: Callable[[], bool | None]) -> str | int:
        together.wait(10)
        try:
            return try_it(look)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(looks)) as threads:
        return list(threads.map(one, looks))


@pytest.mark.django_db
def test_tries_are_counted_for_each_key() -> None:
    assert [try_it() for _try in range(4)] == ["wrong", "wrong", "wrong", 60]
    assert try_it(limit=Limit(4, 60)) == "wrong"
    assert try_it(key="b") == "wrong"


@pytest.mark.django_db
def test_the_wait_ends_when_the_decisive_try_leaves_the_window() -> None:
    try_it()
    FailedTry.objects.update(at=F("at") - timedelta(seconds=40))
    try_it()

    assert try_it(limit=Limit(2, 60)) in (20, 19)


@pytest.mark.django_db
def test_a_right_try_is_not_counted_and_forgives_nothing_by_itself() -> None:
    assert [try_it(look) for look in (wrong, wrong, right, right, wrong, right)] == [
        *("wrong", "wrong", "right", "right", "wrong"),
        60,
    ]


@pytest.mark.django_db
def test_who_has_to_wait_is_not_looked_at_and_does_not_wait_longer_for_trying() -> None:
    looked = [try_it() for _try in range(3)]

    assert looked == ["wrong"] * 3
    assert [try_it(lambda: pytest.fail("looked")) for _try in range(3)] == [60, 60, 60]
    with pytest.raises(Throttled):
        throttle.check(key="a", limit=LIMIT)
    assert FailedTry.objects.count() == 3


@pytest.mark.django_db
def test_forgiving_forgets_one_key() -> None:
    try_it(key="a")
    try_it(key="b")

    throttle.forgive(key="a")

    assert [row.key for row in FailedTry.objects.all()] == ["b"]


@pytest.mark.django_db
def test_tries_of_yesterday_are_removed() -> None:
    try_it(key="a")
    FailedTry.objects.update(at=F("at") - timedelta(days=1, seconds=1))

    try_it(key="b")

    assert [row.key for row in FailedTry.objects.all()] == ["b"]


@pytest.mark.django_db(transaction=True)
def test_of_wrong_tries_at_the_same_moment_as_many_as_the_limit_are_told_so() -> None:
    said = at_once(*[wrong] * 8)

    assert sorted(map(str, said)) == ["60"] * 5 + ["wrong"] * 3
    assert FailedTry.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_right_tries_at_the_same_moment_lock_nobody_out() -> None:
    assert at_once(*[right] * 8) == ["right"] * 8
    assert not FailedTry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_right_try_after_too_many_wrong_ones_of_the_same_moment_is_not_told_so() -> None:
    """Its secret was looked at before they were counted, as a slow look at a PIN is."""
    throttle.check(key="a", limit=LIMIT)
    seen = right()

    assert at_once(*[wrong] * 3) == ["wrong"] * 3
    assert try_it(lambda: seen) == 60


@pytest.mark.django_db(transaction=True)
def test_a_look_that_fails_counts_nothing() -> None:
    def fail() -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        try_it(fail)

    assert not FailedTry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_try_refuses_to_run_inside_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        try_it()


@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.168.1.9", "192.168.1.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("", ""),
        ("nonsense" * 50, ("nonsense" * 50)[:100]),
    ],
)
def test_an_address_of_ipv6_counts_by_its_network(address: str, counted_as: str) -> None:
    assert throttle.network(address) == counted_as
