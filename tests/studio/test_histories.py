"""Private resources: each user's history is dense, its owner's alone, and reached from any version."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.history import ITEM
from studio.models import Item
from syncing import capture, epochs, log, partitions, registry, retention
from syncing.models import Change, SyncedResource
from tests.studio.replica import Replica

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS, TRANSACTIONS = 8, 15


def manager(name: str = "manager") -> User:
    return get_user_model().objects.create(username=f"{name} {uuid4().hex[:8]}", is_staff=True)


def item(owner: User, **fields: object) -> Item:
    return Item(owner=owner, kind="drawn", provider="label", **fields)


def changes(owner_id: int) -> list[tuple[str, UUID]]:
    """Action and id of each change of this history; asserts that it is dense up to its counter."""
    name = f"history:{owner_id}"
    rows = list(Change.objects.filter(resource=name).order_by("version"))
    counter = SyncedResource.objects.filter(name=name).first()
    version, horizon = (counter.version, counter.horizon) if counter else (0, 0)
    assert [row.version for row in rows] == list(range(horizon + 1, version + 1))
    return [(row.action, row.object_id) for row in rows]


def test_the_first_change_makes_the_counter_and_each_write_path_counts() -> None:
    ann, bob = manager(), manager()
    assert not SyncedResource.objects.filter(name__contains=":").exists()
    one = item(ann)
    one.save()
    two, three = Item.objects.bulk_create([item(ann), item(bob)])
    Item.objects.filter(pk=one.pk).update(prompt="soup")
    Item.objects.filter(pk=one.pk).update(prompt="soup")
    Item.objects.filter(pk=two.pk).delete()
    assert changes(bob.pk) == [("created", three.pk)]
    found = changes(ann.pk)
    assert sorted(found[:2]) == sorted([("created", one.pk), ("created", two.pk)])
    assert found[2:] == [("updated", one.pk), ("deleted", two.pk)]


def test_an_item_that_moves_is_deleted_here_and_created_there() -> None:
    ann, bob = manager(), manager()
    one = Item.objects.create(owner=ann, kind="drawn", provider="label")
    Item.objects.filter(pk=one.pk).update(owner=bob)
    assert changes(ann.pk) == [("created", one.pk), ("deleted", one.pk)]
    assert changes(bob.pk) == [("created", one.pk)]


def test_deleting_the_user_deletes_the_items_and_keeps_the_counter() -> None:
    ann = manager()
    pk, one = ann.pk, Item.objects.create(owner=ann, kind="drawn", provider="label")
    ann.delete()
    assert changes(pk) == [("created", one.pk), ("deleted", one.pk)]


def test_a_write_that_is_rolled_back_leaves_neither_change_nor_counter() -> None:
    ann = manager()
    with transaction.atomic():
        item(ann).save()
        transaction.set_rollback(True)
    assert changes(ann.pk) == []
    assert not SyncedResource.objects.filter(name=f"history:{ann.pk}").exists()


def test_truncate_is_a_deletion_in_every_history() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    ann, bob = manager(), manager()
    for owner in (ann, bob):
        item(owner).save()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE studio_item CASCADE")
    assert [action for owner in (ann, bob) for action, _ in changes(owner.pk)] == ["created", "deleted"] * 2


def test_terminals_and_their_addresses_know_no_history(client: Client) -> None:
    ann = manager()
    ann.is_superuser = True
    ann.save()
    item(ann).save()
    client.force_login(ann)
    assert "history" not in registry.names()
    assert set(log.heads().versions) == set(registry.names())
    assert set(client.get("/api/sync/status").json()["versions"]) == set(registry.names())
    for name in ("history", f"history:{ann.pk}"):
        for address in (f"/api/sync/{name}", f"/api/sync/{name}/changes?since=0&epoch={log.heads().epoch}"):
            answer = client.get(address)
            assert answer.status_code == 404
            if name == "history":
                assert answer.json()["code"] == "unknown_resource"
    assert b'resource="history' not in client.get("/metrics").content


def test_pruning_moves_the_horizon_of_each_history() -> None:
    ann = manager()
    Item.objects.bulk_create([item(ann) for _ in range(9)])
    retention.prune(older_than=retention.age(1000), more_than=2, now=timezone.now(), share=1.0)
    counter = SyncedResource.objects.get(name=f"history:{ann.pk}")
    assert (counter.version, counter.horizon) == (9, 7)
    assert len(changes(ann.pk)) == 2


def plan_of(sql: str, parameters: list[Any]) -> str:
    """How the database runs ``sql``, when it has just looked at what is there; what it learned is forgotten again."""
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute(f"{explain} {sql}", parameters)
        plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
        transaction.set_rollback(True)
    return plan


def test_what_terminals_ask_for_reads_no_counter_of_a_history_however_many_there_are() -> None:
    SyncedResource.objects.bulk_create([SyncedResource(name=f"history:{number}") for number in range(5000)])
    plan = plan_of(log.heads_of_all(), [])
    assert "syncing_resource" in plan
    assert not re.search(r"(?i)^\W*(Seq )?Scan (on )?syncing_resource\b", plan, re.MULTILINE), plan


def test_a_change_is_read_by_its_id_though_the_database_takes_histories_for_small() -> None:
    owners = get_user_model().objects.bulk_create([User(username=f"manager {number}") for number in range(1000)])
    Item.objects.bulk_create([item(owner) for owner in owners])
    ann = owners[0].pk
    name = f"history:{ann}"
    plan = plan_of(partitions.statements(ITEM, connection.vendor).changes, [name, ann, name, 0, 10])
    assert "studio_item" in plan
    assert "item_by_owner_newest_first" not in plan, plan


@pytest.mark.parametrize("damage", ["below", "without"])
def test_a_counter_below_or_without_its_log_is_named_and_put_right(damage: str) -> None:
    ann = manager()
    Item.objects.bulk_create([item(ann) for _ in range(3)])
    broken = SyncedResource.objects.filter(name=f"history:{ann.pk}")
    if damage == "below":
        broken.update(version=1)
    else:
        broken.delete()
    assert any(f"history:{ann.pk}" in line for line in capture.verify())
    capture.install()
    assert capture.verify() == []
    item(ann).save()
    counter = broken.get()
    assert (counter.version, counter.horizon) == (4, 3)


def test_eight_writers_leave_every_history_dense() -> None:
    owners = [manager().pk for _ in range(3)]

    def write(seed: int) -> None:
        random = Random(seed)  # noqa: S311 - a replayable mixture
        try:
            for _ in range(TRANSACTIONS):
                with transaction.atomic():
                    for owner in random.sample(owners, random.randint(1, 3)):
                        Item.objects.create(owner_id=owner, kind="drawn", provider="label")
                    transaction.set_rollback(random.random() < 0.2)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    assert sum(len(changes(owner)) for owner in owners) == Item.objects.count() > 0


Edit = tuple[int, int, int]  # what is done, whose history it is about, which of the items


def add(owners: list[User], whose: int, which: int) -> None:
    item(owners[whose]).save()


def add_many(owners: list[User], whose: int, which: int) -> None:
    Item.objects.bulk_create([item(owner) for owner in owners])


def favour(owners: list[User], whose: int, which: int) -> None:
    for one in some(owners[whose], which):
        Item.objects.filter(pk=one.pk).update(is_favorite=not one.is_favorite)


def plain_sql(owners: list[User], whose: int, which: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE studio_item SET prompt = prompt || 'x' WHERE owner_id = %s", [owners[whose].pk])


def give(owners: list[User], whose: int, which: int) -> None:
    for one in some(owners[whose], which):
        Item.objects.filter(pk=one.pk).update(owner=owners[(whose + 1) % len(owners)])


def remove(owners: list[User], whose: int, which: int) -> None:
    for one in some(owners[whose], which):
        one.delete()


def roll_back(owners: list[User], whose: int, which: int) -> None:
    with transaction.atomic():
        add_many(owners, whose, which)
        transaction.set_rollback(True)


def some(owner: User, which: int) -> list[Item]:
    found = list(Item.objects.filter(owner=owner).order_by("pk"))
    return [found[which % len(found)]] if found else []


EDITS: list[Callable[[list[User], int, int], None]] = [add, add_many, favour, plain_sql, give, remove, roll_back]
EDIT = st.tuples(st.integers(0, len(EDITS) - 1), st.integers(0, 2), st.integers(0, 9))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.lists(EDIT, max_size=4), st.integers(1, 4)), min_size=1, max_size=6))
def test_sync_from_any_version_in_pages_of_any_size_equals_the_list(
    transactional_db: None, steps: list[tuple[list[Edit], int]]
) -> None:
    owners = [manager(name) for name in "abc"]
    replicas = [[Replica(owner)] for owner in owners]
    for edits, limit in steps:
        for what, whose, which in edits:
            EDITS[what](owners, whose, which)
        for copies in replicas:
            copies.append(copies[-1].copy())  # the one before stays where it is: any version that there was
            copies[-1].sync(limit=limit)
    for owner, copies in zip(owners, replicas, strict=True):
        changes(owner.pk)
        wanted = copies[-1].listed()
        assert {UUID(key) for key in wanted} == set(Item.objects.filter(owner=owner).values_list("pk", flat=True))
        for one in copies:
            one.sync(limit=2)
            assert one.items == wanted
            # Who never owned an item hears nothing of it; who gave it away hears only that it is gone.
            assert one.heard <= {str(key) for _, key in changes(owner.pk)}


@pytest.mark.parametrize("event", ["prune", "restore", "new_epoch"])
def test_what_breaks_the_log_ends_in_410_and_a_full_list(event: str) -> None:
    ann = manager()
    Item.objects.bulk_create([item(ann) for _ in range(3)])
    replica = Replica(ann)
    replica.sync(limit=10)
    Item.objects.bulk_create([item(ann) for _ in range(12)])
    match event:
        case "prune":
            retention.prune(older_than=retention.age(1000), more_than=2, now=timezone.now(), share=1.0)
        case "restore":  # an older state of the database, without new_epoch
            Item.objects.filter(owner=ann).delete()
            Change.objects.filter(resource=f"history:{ann.pk}", version__gt=1).delete()
            SyncedResource.objects.filter(name=f"history:{ann.pk}").update(version=1)
        case "new_epoch":
            call_command("new_epoch")
    answer = replica.ask()
    assert (answer.status_code, answer.json()["code"]) == (410, "resync_required")
    replica.sync(limit=3)
    assert replica.resyncs == 1
    assert replica.items == replica.listed()
    assert epochs.exists()
