from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image as Pillow

from catalog.models import Category, Product
from images.models import Image
from images.services import add_image

from .pages import add_form, change_form, errors_of


@pytest.fixture(autouse=True)
def files(settings: LazySettings, tmp_path: Path) -> Path:
    """Where the pictures of this test lie."""
    settings.FILES_DIR = tmp_path / "uploads"
    return tmp_path / "uploads"


@pytest.fixture
def cola(category: Category) -> Product:
    return Product.objects.create(name="Cola", price="3.00", category=category)


def photo(color: str = "red", *, name: str = "cola.png", format: str = "PNG") -> SimpleUploadedFile:
    target = BytesIO()
    Pillow.new("RGB", (320, 240), color).save(target, format)
    return SimpleUploadedFile(name, target.getvalue(), "image/png")


def test_a_photo_that_is_saved_with_the_form_is_shown_by_the_product(
    admin_client: Client, cola: Product, files: Path
) -> None:
    response = change_form(admin_client, cola).save(**{"image-photo": photo()})
    assert response.status_code == 302
    cola.refresh_from_db()
    assert cola.image is not None
    assert cola.image.status == Image.Status.STORED
    stored = (files / "images" / f"{cola.image.hash}.jpg").read_bytes()
    assert sha256(stored).hexdigest() == cola.image.hash
    page = change_form(admin_client, cola)
    assert f'src="/api/image/{cola.image.hash}.jpg"' in page.html
    assert f"/api/image/{cola.image.hash}.jpg?w=160" in admin_client.get("/admin/catalog/product/").content.decode()


def test_a_new_product_may_come_with_its_photo(admin_client: Client, category: Category) -> None:
    form = add_form(admin_client, Product)
    response = form.save(**{"name": "Cola", "price": "3.00", "category": str(category.pk), "image-photo": photo()})
    assert response.status_code == 302, errors_of(response)
    assert Product.objects.get().image is not None


def test_the_same_photo_on_two_products_is_stored_once(admin_client: Client, cola: Product, category: Category) -> None:
    other = Product.objects.create(name="Diet cola", price="3.00", category=category)
    for product in (cola, other):
        change_form(admin_client, product).save(**{"image-photo": photo()})
    assert Image.objects.count() == 1


@pytest.mark.parametrize(
    ("upload", "reason"),
    [
        (SimpleUploadedFile("menu.pdf", b"%PDF-1.7 no picture"), "none of JPEG, PNG"),
        (SimpleUploadedFile("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "none of JPEG, PNG"),
        (SimpleUploadedFile("cut.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"), "can't be decoded"),
        (SimpleUploadedFile("huge.jpg", b"\0" * (25 * 1024 * 1024 + 1)), "more than 25 MB"),
    ],
    ids=["pdf", "svg", "cut short", "too large"],
)
def test_a_refused_photo_is_a_form_error_that_says_why(
    admin_client: Client, cola: Product, upload: SimpleUploadedFile, reason: str
) -> None:
    upload.seek(0)
    response = change_form(admin_client, cola).save(**{"name": "Pepsi", "image-photo": upload})
    assert response.status_code == 200
    assert reason in errors_of(response)["image"][0]
    cola.refresh_from_db()
    assert (cola.name, cola.image) == ("Cola", None)
    assert not Image.objects.exists()


def test_a_photo_is_not_lost_when_something_else_in_the_form_is_wrong(admin_client: Client, cola: Product) -> None:
    form = change_form(admin_client, cola)
    response = form.save(**{"price": "-1", "image-photo": photo()})
    assert set(errors_of(response)) == {"price"}
    kept = Image.objects.get().hash
    assert f'name="image" value="{kept}"' in response.content.decode()
    form.save(price="3.10", image=kept)
    cola.refresh_from_db()
    assert cola.image_id == kept


def test_the_tick_takes_the_picture_off_the_product_and_leaves_the_image(admin_client: Client, cola: Product) -> None:
    change_form(admin_client, cola).save(**{"image-photo": photo()})
    change_form(admin_client, cola).save(**{"image-remove": "1"})
    cola.refresh_from_db()
    assert cola.image is None
    assert Image.objects.count() == 1


def test_a_page_that_was_opened_before_a_photo_came_in_leaves_that_photo_there(
    admin_client: Client, cola: Product
) -> None:
    form = change_form(admin_client, cola)
    arrived = add_image(data=photo("blue").read()).image
    Product.objects.filter(pk=cola.pk).update(image=arrived)
    form.save(name="Pepsi")
    cola.refresh_from_db()
    assert (cola.name, cola.image_id) == ("Pepsi", arrived.hash)


@pytest.mark.parametrize("hash", ["f" * 64, "../../etc/passwd", "\0", "x"])
def test_a_hash_that_is_not_stored_is_refused(admin_client: Client, cola: Product, hash: str) -> None:
    response = change_form(admin_client, cola).save(image=hash)
    assert "Choose the photo again" in errors_of(response)["image"][0]


def test_nothing_is_stored_for_somebody_who_may_not_change_products(cola: Product) -> None:
    from django.contrib.auth.models import Permission, User

    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_product"))
    client = Client()
    client.force_login(viewer)
    response = client.post(f"/admin/catalog/product/{cola.pk}/change/", {"name": "Cola", "image-photo": photo()})
    assert response.status_code == 403
    assert not Image.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_photo_is_stored_before_the_forms_transaction_begins(admin_client: Client, cola: Product) -> None:
    """On a connection without a test's transaction around it, storing inside the admin's would be an error."""
    response = change_form(admin_client, cola).save(**{"image-photo": photo()})
    assert response.status_code == 302
    cola.refresh_from_db()
    assert cola.image is not None
