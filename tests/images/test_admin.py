"""Those who look after the shop see what is stored, and add to it."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Category, Product
from images.models import Image
from images.services import add_image
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
