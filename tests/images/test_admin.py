"""Those who look after the shop see what is stored, and add to it."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.template.defaultfilters import filesizeformat
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Category, Product
from images.blobs import StorageUnavailable
from images.blobs.folder import LocalBlobs
from images.models import Image, Pass
from images.services import add_image
from images.upkeep.passes import Budget
from images.upkeep.scrub import scrub
from images.upkeep.sweep import sweep
from tests.images.pictures import normal_jpeg

LIST = "/admin/images/image/"
ADD = "/admin/images/image/add/"


@pytest.fixture
def manager(transactional_db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    return client


def test_the_list_shows_how_many_use_a_picture(manager: Client) -> None:
    used, unused = add_image(data=normal_jpeg(1)).image, add_image(data=normal_jpeg(2)).image
    category = Category.objects.create(name="Drinks")
    for name in ("Tea", "Coffee"):
        Product.objects.create(name=name, price=Decimal(2), category=category, image=used)

    rows = {row.pk: row.references for row in manager.get(LIST).context["cl"].result_list}

    assert rows == {used.pk: 2, unused.pk: 0}


def test_the_list_asks_the_database_no_more_for_more_pictures(manager: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert manager.get(LIST).status_code == 200
        return len(captured)

    add_image(data=normal_jpeg(1))
    queries()
    few = queries()
    for seed in (2, 3, 4):
        add_image(data=normal_jpeg(seed))

    assert queries() == few


def test_a_page_names_the_products_that_show_the_picture(manager: Client) -> None:
    image = add_image(data=normal_jpeg(1)).image
    product = Product.objects.create(
        name="Green tea", price=Decimal(2), category=Category.objects.create(name="Drinks"), image=image
    )

    page = manager.get(f"{LIST}{image.pk}/change/").content.decode()

    assert "Green tea" in page
    assert f"/admin/catalog/product/{product.pk}/change/" in page
    assert f"/api/image/{image.pk}.jpg?w=640" in page


def test_a_picture_is_added(manager: Client) -> None:
    answer = manager.post(ADD, {"file": SimpleUploadedFile("a.jpg", normal_jpeg(1), "image/jpeg")})

    image = Image.objects.get()
    assert answer.headers["Location"] == f"{LIST}{image.pk}/change/"


@pytest.mark.parametrize("data", [b"no picture", b"\xff\xd8\xff" + bytes(99)])
def test_what_is_no_picture_is_refused_with_a_reason(manager: Client, data: bytes) -> None:
    answer = manager.post(ADD, {"file": SimpleUploadedFile("a.jpg", data)}, follow=True)

    assert [message.level_tag for message in answer.context["messages"]] == ["error"]
    assert not Image.objects.exists()


def test_a_form_without_a_file_says_so(manager: Client) -> None:
    answer = manager.post(ADD, {})

    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors["file"]


def test_nothing_is_changed_or_deleted_by_hand(manager: Client) -> None:
    image = add_image(data=normal_jpeg(1)).image

    assert manager.post(f"{LIST}{image.pk}/delete/", {"post": "yes"}).status_code == 403
    assert manager.post(f"{LIST}{image.pk}/change/", {"hash": "x"}).status_code == 403
    assert Image.objects.filter(pk=image.pk, status=Image.Status.STORED).exists()


def test_strangers_add_nothing(transactional_db: None) -> None:
    client = Client()
    client.force_login(User.objects.create_user("waiter", is_staff=True))

    answer = client.post(ADD, {"file": SimpleUploadedFile("a.jpg", normal_jpeg(1))})

    assert answer.status_code == 403
    assert not Image.objects.exists()


def test_many_pictures_are_added_at_once_by_a_form_without_scripts(manager: Client) -> None:
    files = [SimpleUploadedFile(f"{seed}.jpg", normal_jpeg(seed)) for seed in (1, 2)]
    files.append(SimpleUploadedFile("notes.jpg", b"no picture"))

    answer = manager.post(ADD, {"file": files}, follow=True)

    said = [(message.level_tag, message.message.partition(":")[0]) for message in answer.context["messages"]]
    assert said == [("success", "1.jpg"), ("success", "2.jpg"), ("error", "notes.jpg")]
    assert answer.redirect_chain[-1][0] == LIST
    assert Image.objects.count() == 2


def test_the_list_tells_what_is_damaged_and_what_nothing_shows(manager: Client) -> None:
    damaged, used, unused = (add_image(data=normal_jpeg(seed)).image for seed in (1, 2, 3))
    Image.objects.filter(pk=damaged.pk).update(damaged_at=timezone.now())
    category = Category.objects.create(name="Drinks")
    for image in (damaged, used):
        Product.objects.create(name=image.pk, price=Decimal(2), category=category, image=image)

    def found(query: str) -> set[str]:
        return {row.pk for row in manager.get(LIST + query).context["cl"].result_list}

    assert found("?condition=damaged") == {damaged.pk}
    assert found("?condition=unused") == {unused.pk}
    assert found("") == {damaged.pk, used.pk, unused.pk}


def test_a_page_shows_the_copies_that_were_made(manager: Client) -> None:
    image = add_image(data=normal_jpeg(1)).image
    assert "None yet" in manager.get(f"{LIST}{image.pk}/change/").content.decode()
    size = len(manager.get(f"/api/image/{image.pk}.jpg?w=320").content)

    page = manager.get(f"{LIST}{image.pk}/change/").content.decode()

    assert f"/api/image/{image.pk}.jpg?w=320&format=jpeg" in page
    assert f"320 jpeg, {filesizeformat(size)}" in page


def test_a_page_opens_when_the_storage_is_silent(manager: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    image = add_image(data=normal_jpeg(1)).image

    def fail(*arguments: object) -> None:
        raise StorageUnavailable("silent")

    monkeypatch.setattr(LocalBlobs, "stat", fail)

    assert manager.get(f"{LIST}{image.pk}/change/").status_code == 200


def test_the_passes_of_upkeep_can_be_read_and_nothing_else(manager: Client) -> None:
    add_image(data=normal_jpeg(1))
    sweep()
    scrub(budget=Budget(dry_run=True))

    page = manager.get("/admin/images/pass/").content.decode()

    assert "Shown by nothing any more: 1" in page
    assert "Checked: 1" in page
    row = Pass.objects.first()
    assert row is not None
    assert manager.get(f"/admin/images/pass/{row.pk}/change/").status_code == 200
    assert manager.get("/admin/images/pass/add/").status_code == 403
    assert manager.post(f"/admin/images/pass/{row.pk}/delete/", {"post": "yes"}).status_code == 403
