"""A product shows a stored image, by its hash, and nothing else."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from catalog import models
from catalog.services import show_image
from images.models import Image
from images.services import HashUnknown

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def image(digit, status=Image.Status.STORED):
    return Image.objects.create(hash=digit * 64, status=status, width=2, height=2, size=9, wanted_at=LONG_AGO)


@pytest.fixture
def product(category):
    return models.Product.objects.create(name="Tea", price=2, category=category)


def test_a_stored_image_is_shown_and_kept_from_being_swept(api, product):
    stored = image("a")
    answer = api.patch(f"/api/products/{product.pk}", {"image": stored.hash})
    assert (answer.status_code, answer.json()["image"]) == (200, stored.hash)
    stored.refresh_from_db()
    assert stored.wanted_at > LONG_AGO
    assert api.get("/api/products", {"image": stored.hash}).json()["results"] == [answer.json()]
    assert api.patch(f"/api/products/{product.pk}", {"image": None}).json()["image"] is None


@pytest.mark.parametrize("status", [Image.Status.STORING, Image.Status.SWEEPING, None])
def test_what_is_not_stored_is_refused(api, product, status):
    if status:
        image("b", status)
    answer = api.patch(f"/api/products/{product.pk}", {"image": "b" * 64})
    assert answer.status_code == 400
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("image", "does_not_exist")]


@pytest.mark.parametrize("wrong", ["", "x", "A" * 64, "a" * 63, "a" * 64 + "\n", "../" + "a" * 61, 1, True, [], {}])
def test_what_is_no_hash_is_refused(api, product, wrong):
    answer = api.patch(f"/api/products/{product.pk}", {"image": wrong})
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["image"]


def test_a_product_keeps_its_image_through_a_put(api, product):
    shown = image("c")
    show_image(product_id=product.pk, hash=shown.hash)
    read = api.get(f"/api/products/{product.pk}")
    assert api.put(f"/api/products/{product.pk}", read.json()).content == read.content


def test_showing_an_image_touches_the_product_once(product):
    shown = image("d")
    assert show_image(product_id=product.pk, hash=shown.hash)
    first = models.Product.objects.get(pk=product.pk)
    assert first.image_id == shown.hash
    assert first.updated_at > product.updated_at
    assert show_image(product_id=product.pk, hash=shown.hash)
    assert models.Product.objects.get(pk=product.pk).updated_at == first.updated_at


def test_showing_fails_for_unknown_products_and_hashes(product):
    assert show_image(product_id=uuid4(), hash=image("e").hash) is False
    with pytest.raises(HashUnknown):
        show_image(product_id=product.pk, hash="f" * 64)
