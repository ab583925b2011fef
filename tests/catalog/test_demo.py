from datetime import time
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.text import slugify
from PIL import Image as Pillow

from catalog.demo import loading, menu
from catalog.models import (
    Attribute,
    AttributeOption,
    Category,
    DiningTable,
    Employee,
    PriceRule,
    PrintDestination,
    Product,
    Role,
    Tag,
)
from images.models import Image
from syncing import registry

PHOTOS = loading.PHOTOS


@pytest.fixture(autouse=True)
def files(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two small photos instead of the real ones, which are checked by name."""
    settings.FILES_DIR = tmp_path / "uploads"
    photos = tmp_path / "photos"
    photos.mkdir()
    for slug, color in (("espresso", "brown"), ("red-wine", "darkred")):
        Pillow.new("RGB", (64, 48), color).save(photos / f"{slug}.jpg")
    monkeypatch.setattr(loading, "PHOTOS", photos)
    return tmp_path


def everything() -> dict[str, list[Any]]:
    models = (Product, Category, Tag, Attribute, AttributeOption, DiningTable, Employee, Role, PriceRule, Image, User)
    tables: dict[str, list[Any]] = {
        model.__name__: list(model._default_manager.order_by("pk").values()) for model in models
    }
    tables["tags"] = sorted(Product.tags.through.objects.values_list("product_id", "tag_id"))
    return tables


@pytest.fixture
def loaded(db: None) -> str:
    said = StringIO()
    call_command("load_demo", stdout=said)
    return said.getvalue()


def test_the_demo_is_a_whole_restaurant(loaded: str) -> None:
    assert Category.objects.count() >= 8
    assert Product.objects.count() >= 60
    assert AttributeOption.objects.count() >= 40
    assert set(Tag.objects.values_list("kind", flat=True)) == {"menu", "diet", "allergen"}
    assert DiningTable.objects.count() >= 12
    assert Employee.objects.count() >= 5
    assert PrintDestination.objects.exclude(fallback=None).count() >= 2
    assert PriceRule.objects.filter(time_from__gt=time(22), time_to__lt=time(4)).exists()
    assert PriceRule.objects.filter(weekdays=[6, 7]).exists()
    assert "Log in as demo with the password demo" in loaded


def test_every_record_of_the_demo_keeps_the_promises_of_its_model(loaded: str) -> None:
    models: list[Any] = [*(registry.resource(name).model for name in registry.names()), AttributeOption]
    for model in models:
        records = list(model._default_manager.all())
        assert records, model
        for record in records:
            record.full_clean()  # raises ValidationError


def test_prices_are_sensible(loaded: str) -> None:
    for product in Product.objects.filter(price_type="fixed"):
        assert 1 <= product.price <= 30, product
    assert not Product.objects.filter(sku="").exists()
    assert not Product.objects.filter(kitchen_name="").exists()


def test_pictures_take_the_real_way_and_terminals_see_them(loaded: str) -> None:
    espresso = Product.objects.get(name="Espresso")
    assert espresso.image is not None
    assert espresso.image.status == Image.Status.STORED
    assert Client().get(f"/api/image/{espresso.image.hash}.jpg").status_code == 200
    assert Product.objects.exclude(image=None).count() == 2


def test_loading_it_twice_changes_nothing(loaded: str) -> None:
    before = everything()
    said = StringIO()
    call_command("load_demo", stdout=said)
    assert everything() == before
    assert "nothing was changed" in said.getvalue()


def test_what_a_manager_deleted_or_changed_stays_so(loaded: str) -> None:
    Product.objects.get(name="Croissant").delete()
    Product.objects.filter(name="Cola").update(price="9.99")
    call_command("load_demo", stdout=StringIO())
    assert not Product.objects.filter(name="Croissant").exists()
    assert str(Product.objects.get(name="Cola").price) == "9.99"


def test_a_restaurant_of_its_own_keeps_its_records(db: None) -> None:
    kitchen = PrintDestination.objects.create(name="KITCHEN", address="tcp://10.0.0.1:9100", copies=2)
    pizza = Category.objects.create(name="Pizza", color="#000000")
    Product.objects.create(name="Mine", price=1, category=pizza, sku="PIZ-01")
    User.objects.create_user("demo", password="own secret")
    call_command("load_demo", stdout=StringIO())
    kitchen.refresh_from_db()
    pizza.refresh_from_db()
    assert (kitchen.address, kitchen.copies, pizza.color) == ("tcp://10.0.0.1:9100", 2, "#000000")
    assert Product.objects.get(name="Margherita Pizza").category == pizza
    assert Product.objects.get(sku="PIZ-01").name == "Mine"
    demo = User.objects.get(username="demo")
    assert not demo.is_superuser
    assert demo.check_password("own secret")


def test_a_load_that_broke_off_leaves_nothing_and_is_begun_again(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError("broken off")

    with monkeypatch.context() as patch:
        patch.setattr(loading, "load_rules", broken)
        with pytest.raises(OSError, match="broken off"):
            loading.load()
    assert not Product.objects.exists()
    assert not User.objects.exists()
    assert loading.load().created
    assert Product.objects.exclude(image=None).count() == 2


def test_it_takes_few_queries(db: None) -> None:
    with CaptureQueriesContext(connection) as queries:
        loading.load()
    assert len(queries) < 90


def test_the_login_opens_the_admin_and_the_pins_are_hashed(loaded: str) -> None:
    assert Client().login(username="demo", password="demo")
    assert Employee.objects.get(code="M01").has_pin("1001")
    assert not Employee.objects.filter(pin_hash__in=["", "1001"]).exists()


def test_every_photo_belongs_to_a_product_of_the_demo() -> None:
    slugs = {slugify(product.name) for category in menu.CATEGORIES for product in category.products}
    assert {photo.stem for photo in PHOTOS.glob("*.jpg")} <= slugs
