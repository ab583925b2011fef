"""What becomes of a picture when the storage or its address fails: it is ready all the same, and stored later."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from catalog.models import Product
from images.blobs import blobs, image_key
from images.services import add_image
from images.upkeep.orphans import quarantine_orphans
from studio import allowance, pipeline, reconciliation, services, storing
from studio.models import Allowance, Call, Held, Item, Status
from tests.images.pictures import normal_jpeg
from tests.studio.provider import Running, picture

from .conftest import Ask

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE = timedelta(minutes=1)


@pytest.fixture
def broken(settings: LazySettings, tmp_path: Path) -> Callable[[bool], None]:
    """Lets the storage fail, or be well again: where its folder should be lies a file."""
    well, ill = tmp_path / "files", tmp_path / "file"
    ill.write_bytes(b"")
    settings.FILES_DIR = well

    def set_to(is_broken: bool) -> None:
        settings.FILES_DIR = ill if is_broken else well

    return set_to


def again(item: Item) -> Item:
    return Item.objects.get(pk=item.pk)


def told(staff: Client, item: Item) -> dict[str, Any]:
    return dict(staff.get(f"/api/history/{item.pk}").json())


def test_where_the_storage_fails_a_picture_is_ready_loadable_stored_later_and_then_placed(
    broken: Callable[[bool], None], paid: Running, staff: Client, ask: Ask, product: Product
) -> None:
    item = ask("", product_id=product.pk)
    broken(True)
    pipeline.generate(item_id=item.pk)

    found = told(staff, item)
    assert (found["status"], found["r2_key"], found["r2_url"], found["hash"]) == ("ready", None, None, None)
    assert (found["image_url"], found["placed"]) == (f"/api/history/{item.pk}/image", False)
    image = staff.get(found["image_url"])
    assert (image.status_code, image["Content-Type"], image.content) == (200, "image/jpeg", picture())
    assert staff.get(found["image_url"], headers={"Range": "bytes=2-5"}).content == picture()[2:6]
    assert staff.head(found["image_url"])["Content-Length"] == str(len(picture()))

    now = again(item).store_after
    assert now is not None
    for pause in (4, 16, 60, 60):
        assert not any(vars(reconciliation.scan(now=now - timedelta(seconds=1))).values())
        assert reconciliation.scan(now=now).stored == 0
        later = again(item).store_after
        assert later == now + pause * MINUTE
        now = later

    broken(False)
    assert reconciliation.scan(now=now).stored == 1
    assert not any(vars(reconciliation.scan(now=now + timedelta(days=1))).values())
    found = told(staff, item)
    product.refresh_from_db()
    assert (found["placed"], product.image_id, Held.objects.count()) == (True, found["hash"], 0)
    assert found["image_url"] == f"/api/image/{found['hash']}.jpg"
    assert b"".join(staff.get(found["r2_url"])) == picture()
    assert (paid.count(), Call.objects.get().status) == (1, "answered")


def test_a_photo_that_somebody_added_before_it_was_stored_wins(
    broken: Callable[[bool], None], staff: Client, ask: Ask, product: Product
) -> None:
    item = ask("", product_id=product.pk)
    broken(True)
    pipeline.generate(item_id=item.pk)
    broken(False)
    photo = add_image(data=normal_jpeg(seed=81)).image
    Product.objects.filter(pk=product.pk).update(image=photo)
    assert reconciliation.scan(now=timezone.now() + MINUTE * 2).stored == 1
    product.refresh_from_db()
    assert (told(staff, item)["placed"], product.image_id) == (False, photo.hash)


@pytest.mark.parametrize("comes_back", [True, False])
def test_an_address_that_cant_be_fetched_is_tried_while_it_lives(
    paid: Running, settings: LazySettings, staff: Client, ask: Ask, monkeypatch: pytest.MonkeyPatch, comes_back: bool
) -> None:
    item, url = ask("[url]"), f"{paid.origin}/picture.jpg"
    claimed = pipeline.claim(item.pk, now=timezone.now())
    assert claimed is not None
    assert pipeline.ask(claimed, clock=timezone.now)
    Item.objects.filter(pk=item.pk).update(provider_url=f"{paid.origin}/not-there")
    claimed.provider_url = f"{paid.origin}/not-there"
    pipeline.complete(claimed, clock=timezone.now)

    found = told(staff, item)
    assert (found["status"], found["r2_key"], found["image_url"]) == ("ready", None, f"{paid.origin}/not-there")
    now = again(item).store_after
    assert now is not None
    counts = reconciliation.scan(now=now)
    assert (counts.stored, counts.lost) == (0, 0)

    if comes_back:
        Item.objects.filter(pk=item.pk).update(provider_url=url)
    counts = reconciliation.scan(now=now + timedelta(hours=1))
    assert (counts.stored, counts.lost) == ((1, 0) if comes_back else (0, 1))
    found = told(staff, item)
    assert (found["status"], found["error"]) == (("ready", None) if comes_back else ("failed", "picture_lost"))
    ours = (True, f"/api/image/{found['hash']}.jpg")  # the provider has it no longer
    assert (found["r2_key"] is not None, found["image_url"]) == (ours if comes_back else (False, None))
    assert paid.count() == 1


@pytest.mark.parametrize("is_stored", [True, False])
def test_the_address_of_a_provider_gives_way_to_ours_after_50_minutes(
    broken: Callable[[bool], None], paid: Running, staff: Client, ask: Ask, is_stored: bool
) -> None:
    item, now = ask("[url]"), timezone.now()
    broken(not is_stored)
    pipeline.generate(item_id=item.pk, clock=lambda: now)
    assert told(staff, item)["image_url"] == f"{paid.origin}/picture.jpg"
    assert reconciliation.scan(now=now + 49 * MINUTE).expired == 0
    version = staff.get("/api/history/sync?since=0").json()["version"]

    assert reconciliation.scan(now=now + 50 * MINUTE).expired == 1

    found = told(staff, item)
    ours = f"/api/image/{found['hash']}.jpg" if is_stored else f"/api/history/{item.pk}/image"
    assert (found["status"], found["image_url"]) == ("ready", ours)
    image = staff.get(ours)
    assert (image.status_code, image["Content-Type"]) == (200, "image/jpeg")
    changes = staff.get(f"/api/history/sync?since={version}").json()
    assert [changed["image_url"] for changed in changes["items"]] == [ours], "replicas hear of it"
    assert reconciliation.scan(now=now + 51 * MINUTE).expired == 0


def test_what_is_stored_is_never_lost_to_a_pass_that_could_not_read_the_address(paid: Running, ask: Ask) -> None:
    item = ask("[url]")
    pipeline.generate(item_id=item.pk)
    reconciliation.lose(again(item), "It answered 404.", reconciliation.Counts(), now=timezone.now())
    assert (again(item).status, again(item).stored_at is not None) == (Status.READY, True)


def test_the_walk_for_orphans_leaves_originals_alone_and_sets_aside_what_no_item_names(
    broken: Callable[[bool], None], staff: Client, manager: User, ask: Ask
) -> None:
    item = ask()
    pipeline.generate(item_id=item.pk)
    key = str(again(item).key)
    nobodys = f"images/{manager.pk}/1_{'a' * 64}.jpg"
    blobs().put(nobodys, picture(), content_type="image/jpeg")

    done = quarantine_orphans(age=timedelta(0))

    assert done.counts["quarantined"] == 1
    assert [blob.key for blob in blobs().list(f"images/{manager.pk}/")] == [key]
    assert staff.get(f"/api/r2/image/{key}").status_code == 200


@pytest.mark.parametrize("is_gone", [True, False])
def test_a_photo_that_cant_be_read_costs_nothing_and_is_tried_again(
    broken: Callable[[bool], None], paid: Running, manager: User, ask: Ask, is_gone: bool
) -> None:
    data = normal_jpeg(seed=82)
    photo = add_image(data=data).image
    item = ask("", source=photo.hash)
    if is_gone:
        blobs().delete(image_key(photo.hash))
    broken(not is_gone)
    for _ in range(2):
        pipeline.generate(item_id=item.pk)
        assert (again(item).status, paid.count()) == (Status.PENDING, 0)
        Item.objects.filter(pk=item.pk).update(queued_until=None)
    assert {call.status for call in Call.objects.all()} == {"refused"}

    broken(False)
    if is_gone:
        add_image(data=data)
    pipeline.generate(item_id=item.pk)
    assert (again(item).status, paid.count(), Allowance.objects.get(owner_id=manager.pk).used) == ("ready", 1, 1)


def test_a_provider_of_former_settings_never_sees_the_key_of_the_present_one(
    paid: Running, settings: LazySettings, manager: User, ask: Ask
) -> None:
    item = ask()
    settings.STUDIO_PROVIDER, settings.STUDIO_BASE_URL = "gemini", paid.gemini
    pipeline.generate(item_id=item.pk)
    assert (again(item).error, paid.count()) == ("provider_refused", 0)

    services.retry(owner_id=manager.pk, item_id=item.pk, now=timezone.now())
    pipeline.generate(item_id=item.pk)
    assert (again(item).status, again(item).provider, paid.count()) == ("ready", "gemini", 1)


def test_an_answer_that_is_held_stays_counted_when_its_item_is_deleted_before_it_is_ready(
    paid: Running, manager: User, ask: Ask
) -> None:
    claimed = pipeline.claim(ask().pk, now=timezone.now())
    assert claimed is not None
    assert pipeline.ask(claimed, clock=timezone.now)
    assert reconciliation.scan(now=timezone.now() + timedelta(hours=1)).freed == 1
    services.forget(owner_id=manager.pk, item_id=claimed.pk)
    assert Allowance.objects.get(owner_id=allowance.ALL).used == 1


def test_a_worker_that_comes_late_with_a_failed_storage_holds_nothing_of_what_is_stored(
    broken: Callable[[bool], None], ask: Ask
) -> None:
    item = pipeline.claim(ask().pk, now=timezone.now())
    assert item is not None
    assert pipeline.ask(item, clock=timezone.now)
    pipeline.complete(item, clock=timezone.now)
    storing.keep(item, picture(), storing.look(picture()), now=timezone.now())
    assert Held.objects.count() == 0


def test_an_answer_that_was_held_a_moment_before_its_lease_ended_isnt_unknown(paid: Running, ask: Ask) -> None:
    claimed = pipeline.claim(ask().pk, now=timezone.now())
    assert claimed is not None
    assert pipeline.ask(claimed, clock=timezone.now)
    pipeline.outcome_unknown(claimed, "Its worker stopped before the answer came.", now=timezone.now())
    assert again(claimed).status == Status.GENERATING
