"""A photo knows who sent it: others don't see or touch it, and who is out sends nothing any more."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from catalog.models import Product
from devices.models import Device
from devices.services import enroll, revoke
from uploads import pipeline, reconciliation
from uploads.models import Album, Photo
from uploads.senders import SenderRevoked
from uploads.services import request_processing

from .conftest import picture, problem, put, register, state

pytestmark = pytest.mark.usefixtures("sent")

DATA = picture()
Revoke = Callable[[Any], None]


def device(name: str, *, may_manage: bool = False) -> Client:
    token = enroll(name=name, may_upload=True, may_manage=may_manage).token
    return Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)


def staff(*permissions: str) -> Client:
    user = User.objects.create_user(f"staff{User.objects.count()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def album_of(client: Client) -> Album:
    made = client.post("/api/albums", {"name": "Mine"}, content_type="application/json")
    assert made.status_code == 201, made.content
    return Album.objects.get(pk=made.json()["id"])


def see_and_touch(client: Client, album: Album, photo: str) -> dict[str, int]:
    """What becomes of everything that one can do with an album and its photo."""
    same = {"id": photo, "filename": "dish.png", "content_type": "image/png", "size": len(DATA)}
    answers = {
        "album": client.get(f"/api/albums/{album.pk}"),
        "photos": client.get(f"/api/albums/{album.pk}/photos"),
        "reconcile": client.post(f"/api/albums/{album.pk}/reconcile"),
        "register": register(client, album, DATA),
        "again": client.post(f"/api/albums/{album.pk}/photos", same, content_type="application/json"),
        "photo": client.get(f"/api/photos/{photo}"),
        "process": client.post(f"/api/photos/{photo}/process"),
        "delete": client.delete(f"/api/photos/{photo}"),
    }
    return {name: answer.status_code for name, answer in answers.items()}


NOTHING = dict.fromkeys(("album", "photos", "reconcile", "register", "again", "photo", "process", "delete"), 404)


@pytest.mark.django_db
def test_devices_do_not_see_or_touch_each_others_photos() -> None:
    mine, other = device("Till 1"), device("Till 2")
    album = album_of(mine)
    registered = register(mine, album, DATA).json()
    put(registered["upload"], DATA)

    assert see_and_touch(other, album, registered["id"]) == NOTHING
    assert state(registered["id"]) == "pending"
    assert Photo.objects.count() == 1
    assert mine.get(f"/api/photos/{registered['id']}").status_code == 200


@pytest.mark.django_db
def test_an_id_of_another_device_is_taken() -> None:
    mine, other = device("Till 1"), device("Till 2")
    album = album_of(mine)
    photo = register(mine, album, DATA).json()["id"]

    again = {"id": str(album.pk), "name": "Mine"}
    assert problem(other.post("/api/albums", again, content_type="application/json")) == (409, "conflict")
    assert problem(register(other, album_of(other), DATA, id=photo)) == (409, "conflict")
    assert register(mine, album, DATA, id=photo).status_code == 201


@pytest.mark.django_db
def test_a_device_that_manages_sees_all() -> None:
    mine, office = device("Till 1"), device("Office", may_manage=True)
    album = album_of(mine)
    registered = register(mine, album, DATA).json()
    put(registered["upload"], DATA)

    done = see_and_touch(office, album, registered["id"])

    assert {*done.values()} <= {200, 201, 202, 204, 409}
    assert not Photo.objects.filter(pk=registered["id"]).exists()


@pytest.mark.django_db
def test_what_nobody_is_noted_for_any_device_goes_on_with(album: Album, make_photo: Callable[..., Photo]) -> None:
    photo = make_photo(DATA)

    assert device("Till 1").post(f"/api/photos/{photo.pk}/process").status_code == 202
    assert device("Till 2").delete(f"/api/photos/{photo.pk}").status_code == 204


@pytest.mark.django_db
def test_a_device_does_not_see_what_staff_sent() -> None:
    office = staff("add_photo")
    album = album_of(office)
    registered = register(office, album, DATA).json()

    assert see_and_touch(device("Till 1"), album, registered["id"]) == NOTHING


@pytest.mark.django_db
def test_staff_without_permissions_does_nothing(make_photo: Callable[..., Photo], album: Album) -> None:
    photo, nobody = make_photo(DATA), staff("view_tag")

    assert see_and_touch(nobody, album, str(photo.pk)) == dict.fromkeys(NOTHING, 403)
    assert nobody.post("/api/albums", {"name": "x"}, content_type="application/json").status_code == 403
    assert nobody.post("/api/images", DATA, content_type="image/png").status_code == 403
    assert nobody.post("/api/images/missing", {"hashes": []}, content_type="application/json").status_code == 403
    matching = {"filenames": ["a.png"], "by": ["sku"]}
    assert nobody.post("/api/photos/match", matching, content_type="application/json").status_code in (403, 404, 405)
    assert Photo.objects.filter(pk=photo.pk).exists()


@pytest.mark.django_db
def test_staff_who_may_add_photos_goes_on_with_its_own() -> None:
    mine, other = staff("add_photo"), staff("add_photo")
    album = album_of(mine)
    registered = register(mine, album, DATA).json()
    put(registered["upload"], DATA)

    assert see_and_touch(other, album, registered["id"]) == NOTHING
    assert {*see_and_touch(mine, album, registered["id"]).values()} <= {200, 201, 202, 204, 409}


@pytest.mark.django_db
def test_a_picture_of_a_product_needs_the_right_to_change_products(product: Product) -> None:
    without, with_it, till = staff("add_photo"), staff("add_photo", "change_product"), device("Till 1")

    for client, status in ((without, 403), (with_it, 201), (till, 201)):
        assert register(client, album_of(client), DATA, product=str(product.pk)).status_code == status


def revoked(photo: Photo) -> None:
    revoke(devices=Device.objects.filter(pk=str(photo.device_id)))


def deleted(photo: Photo) -> None:
    Device.objects.filter(pk=str(photo.device_id)).delete()


def without_scope(photo: Photo) -> None:
    Device.objects.filter(pk=str(photo.device_id)).update(may_upload=False)


def left(photo: Photo) -> None:
    User.objects.filter(pk=str(photo.staff_id)).update(is_active=False)


def lost(photo: Photo) -> None:
    User.objects.filter(pk=str(photo.staff_id)).update(is_staff=False)


OUT = pytest.mark.parametrize("out", [revoked, deleted, without_scope, left, lost], ids=lambda one: one.__name__)


def registered_by(out: Callable[..., None], product: Product) -> tuple[Photo, dict[str, Any]]:
    client = staff("add_photo", "change_product") if out in (left, lost) else device("Till 1")
    answer = register(client, album_of(client), DATA, product=str(product.pk)).json()
    return Photo.objects.get(pk=answer["id"]), answer["upload"]


@OUT
@pytest.mark.django_db(transaction=True)
def test_an_upload_address_of_who_is_out_takes_nothing(out: Callable[[Photo], None], product: Product) -> None:
    photo, upload = registered_by(out, product)
    out(photo)

    assert put(upload, DATA) == 403
    assert state(photo) == "pending"


@OUT
@pytest.mark.django_db(transaction=True)
def test_what_came_before_is_made_into_nothing(
    out: Callable[[Photo], None], product: Product, storage: str, sent: list[str]
) -> None:
    photo, upload = registered_by(out, product)
    assert put(upload, DATA) == 200
    out(photo)

    with pytest.raises(SenderRevoked):
        request_processing(photo_id=photo.pk, now=timezone.now())
    pipeline.process(photo_id=photo.pk)

    photo.refresh_from_db()
    product.refresh_from_db()
    assert (photo.status, photo.error, product.image_id) == ("failed", "sender_revoked", None)
    assert sent == []


@pytest.mark.django_db(transaction=True)
def test_a_sender_that_is_revoked_while_a_worker_is_at_it_changes_nothing(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, upload = registered_by(revoked, product)
    put(upload, DATA)
    fetch = pipeline.fetch

    def fetch_and_revoke(found: Photo) -> bytes:
        data = fetch(found)
        revoked(photo)
        return data

    monkeypatch.setattr(pipeline, "fetch", fetch_and_revoke)
    pipeline.process(photo_id=photo.pk)

    photo.refresh_from_db()
    product.refresh_from_db()
    assert (photo.status, photo.error, product.image_id) == ("failed", "sender_revoked", None)


@OUT
@pytest.mark.django_db(transaction=True)
def test_a_scan_queues_nothing_of_who_is_out(out: Callable[[Photo], None], product: Product, sent: list[str]) -> None:
    photo, upload = registered_by(out, product)
    put(upload, DATA)
    out(photo)
    Photo.objects.update(created_at="2026-01-01T00:00Z")

    counts = reconciliation.scan(now=timezone.now())

    assert (counts.checked, counts.requeued, sent) == (1, 0, [])
    photo.refresh_from_db()
    assert (photo.status, photo.error) == ("failed", "sender_revoked")
