"""Many writes of one transaction are one version for each object, on both databases."""

import pytest
from django.db import transaction

from catalog.models import Tag, Zone
from syncing.merging import one_version_each
from syncing.models import Change, SyncedResource

pytestmark = pytest.mark.django_db(transaction=True)


def versions() -> dict[str, int]:
    return dict(SyncedResource.objects.values_list("name", "version"))


def test_each_object_has_one_version_and_none_is_missing() -> None:
    old, gone = Tag.objects.create(name="Old"), Tag.objects.create(name="Gone")
    before = versions()
    with transaction.atomic(), one_version_each():
        new = Tag.objects.create(name="New")
        for name in ("Newer", "Newest"):
            new.name = old.name = name
            new.save()
            old.name += " old"
            old.save()
        short = Tag.objects.create(name="Short")
        short.delete()
        gone.name = "Going"
        gone_id = gone.pk
        gone.save()
        gone.delete()
        zone = Zone.objects.create(name="Terrace")
    after = versions()
    assert (after["tag"] - before["tag"], after["zone"] - before["zone"]) == (3, 1)
    changes = Change.objects.filter(resource="tag", version__gt=before["tag"]).order_by("version")
    assert [one.version for one in changes] == list(range(before["tag"] + 1, after["tag"] + 1))
    assert {one.object_id: one.action for one in changes} == {
        new.pk: "created",
        old.pk: "updated",
        gone_id: "deleted",
    }
    assert Change.objects.get(resource="zone", version=after["zone"]).object_id == zone.pk


def test_nothing_and_one_change_stay_as_they_are() -> None:
    before = versions()
    with transaction.atomic(), one_version_each():
        pass
    assert versions() == before
    with transaction.atomic(), one_version_each():
        Tag.objects.create(name="One")
    assert versions()["tag"] == before["tag"] + 1


def test_what_comes_after_goes_on_from_there() -> None:
    with transaction.atomic(), one_version_each():
        tag = Tag.objects.create(name="One")
        tag.save()
        Tag.objects.create(name="Two")
    version = versions()["tag"]
    tag.name = "Three"
    tag.save()
    assert Change.objects.get(resource="tag", version=version + 1).object_id == tag.pk
