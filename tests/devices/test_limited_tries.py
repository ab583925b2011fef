from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.db.models import F

from devices import throttle
from devices.models import FailedTry


@pytest.mark.django_db
def test_tries_are_counted_for_each_key() -> None:
    for _try in range(3):
        throttle.record(key="a")

    assert throttle.too_many(key="a", limit=3, window_s=60) == 60
    assert throttle.too_many(key="a", limit=4, window_s=60) == 0
    assert throttle.too_many(key="b", limit=3, window_s=60) == 0


@pytest.mark.django_db
def test_the_wait_ends_when_the_decisive_try_leaves_the_window() -> None:
    throttle.record(key="a")
    FailedTry.objects.update(at=F("at") - timedelta(seconds=40))
    throttle.record(key="a")

    assert throttle.too_many(key="a", limit=2, window_s=60) in (20, 19)


@pytest.mark.django_db
def test_clearing_forgets_one_key() -> None:
    throttle.record(key="a")
    throttle.record(key="b")

    throttle.clear(key="a")

    assert [row.key for row in FailedTry.objects.all()] == ["b"]


@pytest.mark.django_db
def test_tries_of_yesterday_are_removed() -> None:
    throttle.record(key="a")
    FailedTry.objects.update(at=F("at") - timedelta(days=1, seconds=1))

    throttle.record(key="b")

    assert [row.key for row in FailedTry.objects.all()] == ["b"]


@pytest.mark.django_db
def test_a_try_that_has_to_wait_does_not_make_the_wait_longer() -> None:
    answers = [throttle.admit(key="a", limit=2, window_s=60) for _try in range(5)]

    assert answers == [0, 0, 60, 60, 60]
    assert FailedTry.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_tries_at_the_same_moment_do_not_pass_the_limit_together() -> None:
    together = Barrier(8)

    def try_it(_number: int) -> bool:
        together.wait(10)
        try:
            return throttle.admit(key="a", limit=3, window_s=60) == 0
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        admitted = sum(threads.map(try_it, range(8)))

    assert admitted <= 3


@pytest.mark.django_db(transaction=True)
def test_admitting_refuses_to_run_inside_a_transaction() -> None:
    from django.db import transaction

    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        throttle.admit(key="a", limit=3, window_s=60)
