"""The studio over HTTP: who may, what is refused, and histories that are their owners' alone."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from catalog.models import Product
from devices.services import enroll
from images.services import add_image
from studio import pipeline
from studio.models import Item
from tests.images.pictures import normal_jpeg

from .conftest import Ask
from .provider import Running

pytestmark = pytest.mark.django_db(transaction=True)

JSON = "application/json"
ITEM = {
    *("id", "prompt", "model", "image_url", "r2_key", "r2_url", "hash", "favorite", "timestamp", "status", "error"),
    *("kind", "style", "product", "source", "placed", "width", "height", "size", "content_type"),
}


def generate(client: Client, **wish: Any) -> Any:
    return client.post("/api/image/generate", wish, content_type=JSON)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.fixture
def ready(ask: Ask) -> Callable[..., Item]:
    """A picture that was made, by the built-in provider."""

    def make(prompt: str = "a soup", **more: Any) -> Item:
        item = ask(prompt, **more)
        pipeline.generate(item_id=item.pk)
        return Item.objects.get(pk=item.pk)

    return make


def test_the_same_id_again_is_the_same_item(staff: Client) -> None:
    wish = {"id": str(uuid4()), "prompt": "a soup"}
    first, second = generate(staff, **wish), generate(staff, **wish)
    assert (first.status_code, second.status_code) == (202, 200)
    assert set(first.json()) == ITEM
    assert first.json() == second.json()
    assert first["Location"] == f"/api/history/{wish['id']}"
    assert code(generate(staff, **wish | {"prompt": "another"})) == (409, "conflict")
    other = Client(headers={"Prefer": "respond-async"})
    other.force_login(User.objects.create_superuser("other"))
    assert code(generate(other, **wish)) == (409, "conflict")
    assert Item.objects.count() == 1


@pytest.mark.parametrize("event", ["another model", "another provider", "another product", "deleted"])
def test_the_same_id_again_is_the_same_item_whatever_happened_since(
    paid: Running, staff: Client, product: Product, settings: LazySettings, event: str
) -> None:
    wish = {"id": str(uuid4()), "product": str(product.pk), "style": "dark"}
    assert generate(staff, **wish).status_code == 202
    pipeline.generate(item_id=UUID(wish["id"]))
    if event == "another model":
        settings.STUDIO_MODEL = "some-model-2"
    elif event == "another provider":
        settings.STUDIO_PROVIDER = "label"
    elif event == "another product":
        other = Product.objects.create(name="Gazpacho", price="4", category=product.category)
        use = f"/api/history/{wish['id']}/use"
        assert staff.post(use, {"product": str(other.pk)}, content_type=JSON).status_code == 200
    else:
        product.delete()

    assert generate(staff, **wish).status_code == 200
    for different in ({"style": "menu"}, {"model": "some-model-1"}, {"product": str(uuid4())}, {"prompt": "a soup"}):
        assert code(generate(staff, **wish | different)) == (409, "conflict")
    assert (Item.objects.count(), paid.count()) == (1, 1)


@pytest.mark.parametrize("asked_for", [{}, {"model": "some-model-0"}])
def test_trying_again_takes_the_model_of_the_settings_unless_another_was_asked_for(
    paid: Running, staff: Client, settings: LazySettings, asked_for: dict[str, str]
) -> None:
    item_id = UUID(generate(staff, prompt="[404]", **asked_for).json()["id"])
    pipeline.generate(item_id=item_id)
    settings.STUDIO_MODEL = "some-model-2"
    assert staff.post(f"/api/history/{item_id}/retry").json()["model"] == asked_for.get("model", "some-model-2")


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": "x" * 4001}, "prompt"),
        ({"prompt": "a", "style": "baroque"}, "style"),
        ({"product": str(uuid4())}, "product"),
        ({"source": "ab" * 32}, "source"),
        ({"source": "AB"}, "source"),
        ({"prompt": "a", "id": "seven"}, "id"),
        ({"prompt": "a", "colour": "red"}, "colour"),
    ],
)
def test_a_wish_that_cant_be_is_named_by_its_field(staff: Client, wish: dict[str, str], field: str) -> None:
    answer = generate(staff, **wish)
    assert code(answer) == (400, "invalid")
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert not Item.objects.exists()


def test_who_may_ask_for_pictures(transactional_db: None, product: Product) -> None:
    nobody, device, clerk = (
        Client(),
        enroll(name="till", may_upload=True, may_manage=True),
        User.objects.create_user("c"),
    )
    assert generate(nobody, prompt="a").status_code == 401
    till = Client(headers={"Authorization": f"Bearer {device.token}"})
    assert generate(till, prompt="a").status_code == 403
    clerk.is_staff = True
    clerk.save()
    login = Client(headers={"Prefer": "respond-async"})
    login.force_login(clerk)
    assert generate(login, prompt="a").status_code == 403
    assert login.get("/api/history").json()["results"] == []
    clerk.user_permissions.add(Permission.objects.get(codename="add_item"))
    assert generate(login, prompt="a").status_code == 202
    assert generate(login, product=str(product.pk)).status_code == 403


def test_a_picture_is_put_on_its_product_unless_somebody_gave_it_another_one(
    ready: Callable[..., Item], ask: Ask, staff: Client, product: Product
) -> None:
    drawn = ready("", product_id=product.pk)
    product.refresh_from_db()
    assert (product.image_id, drawn.placed_at is not None) == (drawn.image_id, True)

    late = ask("later", product_id=product.pk)
    photo = add_image(data=normal_jpeg(seed=71)).image
    Product.objects.filter(pk=product.pk).update(image=photo)
    pipeline.generate(item_id=late.pk)
    product.refresh_from_db()
    item = staff.get(f"/api/history/{late.pk}").json()
    assert (product.image_id, item["placed"], item["status"]) == (photo.hash, False, "ready")

    used = staff.post(f"/api/history/{late.pk}/use", {"product": str(product.pk)}, content_type=JSON)
    product.refresh_from_db()
    assert (used.status_code, used.json()["placed"], product.image_id) == (200, True, item["hash"])
    assert staff.delete(f"/api/history/{late.pk}/use").json()["placed"] is False
    product.refresh_from_db()
    assert product.image_id == photo.hash
    assert code(staff.delete(f"/api/history/{late.pk}/use")) == (409, "conflict")


def test_undo_leaves_the_picture_that_was_there_before_also_when_it_is_the_same(
    ready: Callable[..., Item], staff: Client, product: Product
) -> None:
    first, second = ready("", product_id=product.pk), ready("", product_id=product.pk)
    assert (first.image_id, second.placed_at is not None) == (second.image_id, True)
    use = f"/api/history/{second.pk}/use"
    assert staff.post(use, {"product": str(product.pk)}, content_type=JSON).status_code == 200
    assert staff.delete(use).json()["placed"] is False
    product.refresh_from_db()
    assert product.image_id == first.image_id
    staff.delete(f"/api/history/{first.pk}/use")
    product.refresh_from_db()
    assert product.image_id is None


def test_the_same_bytes_in_the_same_millisecond_are_two_pictures(ask: Ask, staff: Client, product: Product) -> None:
    from django.utils import timezone

    now = timezone.now()
    items = [ask("", product_id=product.pk, now=now) for _ in range(3)]
    for item in items:
        pipeline.generate(item_id=item.pk)
    found = [staff.get(f"/api/history/{item.pk}").json() for item in items]
    assert [item["status"] for item in found] == ["ready"] * 3
    assert len({item["r2_key"] for item in found}) == 3
    assert staff.delete(f"/api/history/{items[0].pk}").status_code == 204
    assert staff.get(found[1]["r2_url"]).status_code == 200


def test_trying_again_for_a_product_needs_the_right_to_change_it(transactional_db: None, product: Product) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="add_item"))
    failed = {"status": "failed", "error": "no_picture", "failed_at": product.updated_at}
    item = Item.objects.create(owner=clerk, product=product, provider="label", model="label", kind="drawn", **failed)
    login = Client()
    login.force_login(clerk)
    assert code(login.post(f"/api/history/{item.pk}/retry")) == (403, "forbidden")
    Item.objects.filter(pk=item.pk).update(product=None)
    assert login.post(f"/api/history/{item.pk}/retry").status_code == 202


def test_a_photo_is_improved(ready: Callable[..., Item], staff: Client) -> None:
    photo = add_image(data=normal_jpeg(seed=72, width=600, height=400)).image
    item = ready("", source=photo.hash, style="square")
    found = staff.get(f"/api/history/{item.pk}").json()
    assert (found["kind"], found["source"], found["model"]) == ("tidied", photo.hash, "tidy")
    assert found["width"] == found["height"]


def test_histories_are_their_owners_alone(ready: Callable[..., Item], staff: Client, product: Product) -> None:
    item = ready()
    stranger = Client()
    stranger.force_login(User.objects.create_superuser("stranger"))
    own = f"/api/history/{item.pk}"
    assert stranger.get("/api/history").json()["results"] == []
    assert stranger.get("/api/history/sync?since=0").json()["items"] == []
    for answer in (
        stranger.get(own),
        stranger.patch(own, {"favorite": True}, content_type=JSON),
        stranger.delete(own),
        stranger.post(f"{own}/retry"),
        stranger.post(f"{own}/use", {"product": str(product.pk)}, content_type=JSON),
        stranger.delete(f"{own}/use"),
        stranger.get(f"{own}/image"),
        stranger.get(f"/api/r2/image/{item.key}"),
        staff.get("/api/r2/image/images/../secret_key"),
        staff.get(f"/api/r2/image/images/{item.owner_id}/1_{'0' * 64}.jpg"),
    ):
        assert code(answer) == (404, "not_found")
    assert staff.get(own).status_code == 200


def test_stored_bytes_are_for_ever(ready: Callable[..., Item], staff: Client) -> None:
    item = ready()
    address = f"/api/r2/image/{item.key}"
    whole = staff.get(address)
    digest = str(item.key).rpartition("_")[2][:64]
    assert (whole.status_code, whole["ETag"], len(whole.content)) == (200, f'"{digest}"', item.size)
    assert whole["Cache-Control"] == "private, max-age=31536000, immutable"
    part = staff.get(address, headers={"Range": "bytes=0-9"})
    assert (part.status_code, part.content) == (206, whole.content[:10])
    assert staff.get(address, headers={"Range": "bytes=99999999-"}).status_code == 416
    assert staff.get(address, headers={"If-None-Match": whole["ETag"]}).status_code == 304
    head = staff.head(address)
    assert (head.status_code, head.content, head["Content-Length"]) == (200, b"", str(item.size))
    assert staff.get(f"{address}?through=bucket").status_code == 400


@pytest.mark.parametrize("damage", ["gone", "short", "rotten"])
def test_what_is_gone_from_the_store_or_damaged_is_found_elsewhere(
    ready: Callable[..., Item], staff: Client, damage: str
) -> None:
    from images.blobs import blobs

    item = ready()
    path = blobs().path(str(item.key))
    assert path is not None
    data = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(data[:-1] + (b"" if damage == "short" else b"\0"))
    answer = staff.get(f"/api/r2/image/{item.key}")
    assert (answer.status_code, answer["Location"]) == (302, f"/api/image/{item.image_id}.jpg")


def test_a_list_has_filters_and_pages_and_costs_the_same_whatever_its_length(
    ready: Callable[..., Item],
    ask: Ask,
    staff: Client,
    product: Product,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    names = [str(ready(f"soup {number}").pk) for number in range(3)]
    waiting = str(ask("a waiting one", product_id=product.pk).pk)
    staff.patch(f"/api/history/{names[1]}", {"favorite": True}, content_type=JSON)

    def listed(query: str) -> list[str]:
        return [item["id"] for item in staff.get(f"/api/history?{query}").json()["results"]]

    assert listed("") == [waiting, *reversed(names)]
    assert listed("search=SOUP+2") == [names[2]]
    assert listed("search=tortilla") == [waiting]
    assert listed("favorite=true") == [names[1]]
    assert listed("status=pending,failed") == [waiting]
    assert listed(f"product={product.pk}") == [waiting]
    first = staff.get("/api/history?limit=3").json()
    second = staff.get(first["next"]).json()
    assert [item["id"] for item in first["results"] + second["results"]] == [waiting, *reversed(names)]
    assert staff.get("/api/history?favorite=perhaps").status_code == 400
    with django_assert_num_queries(3):  # session, user, page
        staff.get("/api/history")


def test_an_item_that_is_deleted_leaves_its_product_alone(
    ready: Callable[..., Item], staff: Client, product: Product
) -> None:
    from images.blobs import BlobMissing, blobs

    item = ready("", product_id=product.pk)
    assert staff.delete(f"/api/history/{item.pk}").status_code == 204
    assert staff.get(f"/api/history/{item.pk}").status_code == 404
    product.refresh_from_db()
    assert product.image_id == item.image_id
    with pytest.raises(BlobMissing):
        blobs().stat(str(item.key))


def test_what_is_offered_is_told(staff: Client) -> None:
    told = staff.get("/api/studio").json()
    assert (told["provider"], told["free"], told["left"]) == ("label", True, {"you": 50, "all": 200})


def test_a_real_worker_answers_while_the_request_waits(
    celery_worker_process: Any, staff: Client, product: Product
) -> None:
    answer = staff.post(
        "/api/image/generate", {"product": str(product.pk)}, content_type=JSON, headers={"Prefer": "wait=10"}
    )
    assert (answer.status_code, answer.json()["placed"], answer.json()["kind"]) == (201, True, "drawn")
    assert UUID(answer.json()["id"])
