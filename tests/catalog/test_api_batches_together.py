"""What the writes of one batch mean for each other, and what is done before any of them locks a row."""

from functools import partial
from uuid import uuid4

import pytest
from django.db import connection

from catalog import models
from catalog.serializers import fields

from .conftest import send, statements_of, statuses


@pytest.mark.django_db(transaction=True)
def test_what_a_deletion_took_away_is_seen_by_the_other_writes(api):
    """A parent or a fallback that goes is taken out of what referred to it: nothing else of the batch puts it back."""
    for address, name in (("/api/categories", "parent"), ("/api/print-destinations", "fallback")):
        gone, other = (api.post(address, {"name": text}).json()["id"] for text in ("gone", "other"))
        below, beside, again = (api.post(address, {"name": text, name: gone}).json()["id"] for text in "abc")
        answer = send(
            api,
            address,
            {"op": "delete", "id": gone},
            {"op": "update", "id": below, "data": {"name": "changed"}},
            {"op": "update", "id": beside, "data": {name: other if name == "fallback" else None}},
            {"op": "update", "id": again, "data": {name: gone}},
            mode="each",
        )
        assert statuses(answer) == [204, 200, 200, 400], answer.content
        results = answer.json()["results"]
        assert (results[1]["object"]["name"], results[1]["object"][name]) == ("changed", None)
        assert [error["field"] for error in results[3]["problem"]["errors"]] == [name]


@pytest.mark.django_db(transaction=True)
def test_what_refers_to_a_new_object_that_is_refused_is_refused_as_well(api):
    for address, name in (("/api/categories", "parent"), ("/api/print-destinations", "fallback")):
        old = api.post(address, {"name": "taken"}).json()["id"]
        new = str(uuid4())
        answer = send(
            api,
            address,
            {"op": "create", "data": {"id": new, "name": "TAKEN"}},
            {"op": "create", "data": {"name": "below", name: new}},
            {"op": "update", "id": old, "data": {name: new}},
            {"op": "create", "data": {"name": "by itself"}},
            mode="each",
        )
        assert (answer.status_code, statuses(answer)) == (200, [400, 400, 400, 201]), answer.content
        fields = [[e["field"] for e in one["problem"]["errors"]] for one in answer.json()["results"][:3]]
        assert fields == [["name"], [name], [name]]


def test_categories_deep_below_others_are_changed_together(api):
    above = None
    for depth in range(5):
        above = models.Category.objects.create(name=f"level {depth}", parent=above)
    found = []
    for many in (2, 20):
        ids = [str(models.Category.objects.create(name=f"{many} {n}", parent=above).pk) for n in range(many)]
        asked = [{"op": "update", "id": id, "data": {"color": "#112233"}} for id in ids]
        found.append(statements_of(partial(send, api, "/api/categories", *asked)))
    assert found[0] == found[1] <= 16


def test_categories_are_moved_by_as_many_statements_however_deep_they_are(api):
    parents = [models.Category.objects.create(name="top")]
    for depth in range(1, 8):
        parents.append(models.Category.objects.create(name=f"level {depth}", parent=parents[-1]))
    moved = models.Category.objects.create(name="moved")
    found = [
        statements_of(partial(api.patch, f"/api/categories/{moved.pk}", {"parent": str(parent.pk)}))
        for parent in (parents[0], parents[-1])
    ]
    assert found[0] == found[1] <= 8


def test_a_parent_that_goes_while_its_new_child_is_checked_is_looked_for_once_more(api, monkeypatch):
    gone, moved = (models.Category.objects.create(name=name) for name in ("gone", "moved"))
    lock, seen = models.Category.lock_before_clean, []

    def meanwhile(self, before):
        seen.append(self.parent_id)
        if len(seen) == 1:  # what is deleted here is there again after the rollback
            models.Category.objects.filter(pk=gone.pk).delete()
        lock(self, before)

    monkeypatch.setattr(models.Category, "lock_before_clean", meanwhile)
    answer = api.patch(f"/api/categories/{moved.pk}", {"parent": str(gone.pk)})
    assert (answer.status_code, seen) == (200, [gone.pk] * 2)


def test_whoever_sends_a_menu_twice_is_told_by_few_questions(api, minimal):
    """One for each that is taken, however many conditions its table has."""
    asked = [{"op": "create", "data": minimal("product") | {"sku": str(n)}} for n in range(20)]
    assert statuses(send(api, "/api/products", *asked)) == [201] * 20
    found = statements_of(partial(send, api, "/api/products", *asked, mode="each"))
    assert found <= 20 + 3 * len(asked)  # Django puts a savepoint around a question


def test_pins_are_hashed_while_nothing_is_locked(api, minimal, monkeypatch):
    locked = []

    def noted(pin):
        locked.append(len(connection.savepoint_ids) + connection.in_atomic_block - in_the_test)
        return f"hash of {pin}"

    in_the_test = len(connection.savepoint_ids) + connection.in_atomic_block
    monkeypatch.setattr(fields, "make_password", noted)
    employee = minimal("employee")
    api.post("/api/employees", employee | {"pin": "1111"})
    answer = send(api, "/api/employees", {"op": "create", "data": employee | {"code": "b", "pin": "2222"}})
    assert statuses(answer) == [201]
    assert locked == [0, 0]
    assert {one.pin_hash for one in models.Employee.objects.all()} == {"hash of 1111", "hash of 2222"}


def test_a_batch_has_at_most_fifty_pins(api, minimal, monkeypatch):
    monkeypatch.setattr(fields, "make_password", str)
    employee = minimal("employee")
    many = [{"op": "create", "data": employee | {"code": str(n), "pin": "1234"}} for n in range(51)]
    answer = send(api, "/api/employees", *many, mode="each")
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, ["operations"])
    assert not models.Employee.objects.exists()
    assert statuses(send(api, "/api/employees", *many[:50])) == [201] * 50


def test_a_deletion_has_no_data(api):
    tag = str(models.Tag.objects.create(name="hot").pk)
    answer = send(api, "/api/tags", {"op": "delete", "id": tag, "data": {"name": "mild"}}, mode="each")
    assert statuses(answer) == [400]
    assert [error["field"] for error in answer.json()["results"][0]["problem"]["errors"]] == ["data"]
