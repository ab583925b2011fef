"""Whoever deletes an item cancels it: what its provider refuses then costs nothing, and nobody waits in a circle."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from studio import allowance, pipeline, reconciliation, services
from studio.models import Allowance, Call, Item, lease_lasts
from studio.providers.base import Refused
from tests.parts import wait_until

from .conftest import Ask
from .provider import Running

pytestmark = pytest.mark.django_db(transaction=True)


def claimed(item: Item) -> Item:
    found = pipeline.claim(item.pk, now=timezone.now())
    assert found is not None
    return found


def used() -> dict[int, int]:
    return dict(Allowance.objects.values_list("owner_id", "used"))


@pytest.mark.parametrize(
    ("words", "call", "counted"),
    [
        ("[401]", "refused", 0),
        ("[429]", "refused", 0),
        ("[moderation_blocked]", "refused", 0),
        ("[cut]", "unanswered", 1),
    ],
)
def test_what_is_refused_after_its_item_was_deleted_costs_nothing(
    paid: Running, manager: User, ask: Ask, words: str, call: str, counted: int
) -> None:
    item = claimed(ask(words))
    services.forget(owner_id=manager.pk, item_id=item.pk)
    assert not pipeline.ask(item, clock=timezone.now)
    reconciliation.scan(now=timezone.now() + lease_lasts())
    assert ([found.status for found in Call.objects.all()], paid.count()) == ([call], 1)
    assert used() == {manager.pk: counted, allowance.ALL: counted}


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_a_worker_whose_item_is_being_deleted_doesnt_hold_its_call(paid: Running, manager: User, ask: Ask) -> None:
    """Whoever deletes has the item first and takes it from its calls then."""
    item = claimed(ask())

    def refused() -> None:
        try:
            pipeline.not_answered(item, Refused("No."), now=timezone.now())
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            held = services.locked(manager.pk, item.pk)
            working = pool.submit(refused)
            waiting = (
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            with connection.cursor() as cursor:
                wait_until(lambda: cursor.execute(waiting).fetchone() == (1,), what="a worker that waits")
            assert Call.objects.select_for_update(nowait=True).get().status == Call.Status.OPEN
            held.delete()
        working.result(30)

    assert Call.objects.get().status == Call.Status.REFUSED
    assert used() == {manager.pk: 0, allowance.ALL: 0}
