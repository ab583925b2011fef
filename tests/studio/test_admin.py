"""The studio in the admin: pictures for many products at once, what was spent, histories of all."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from catalog.models import Product
from studio import pipeline, queueing, services
from studio.models import Call, Item
from tests.studio.provider import Running

from .conftest import Ask

pytestmark = pytest.mark.django_db(transaction=True)

PRODUCTS = "/admin/catalog/product/"


def chosen(client: Client, *products: Product, **more: str) -> Any:
    ids = [str(product.pk) for product in products]
    return client.post(PRODUCTS, {"action": "generate_pictures", "_selected_action": ids, **more}, follow=True)


def test_pictures_for_many_products_are_asked_for_after_a_look(staff: Client, product: Product) -> None:
    other = Product.objects.create(name="Croqueta", price="1.80", category=product.category)
    page = chosen(staff, product, other).content.decode()
    assert "2 chosen products have no picture." in page
    assert "free" in page
    assert not Item.objects.exists()

    chosen(staff, product, other, apply="1")

    assert {item.product_id for item in Item.objects.all()} == {product.pk, other.pk}
    for item in Item.objects.all():
        pipeline.generate(item_id=item.pk)
    assert "All chosen products have a picture." in chosen(staff, product, other).content.decode()


def test_messages_for_many_are_sent_at_once_so_that_a_broker_that_hangs_is_waited_for_once(
    manager: User, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Product.objects.create(name="Croqueta", price="1.80", category=product.category)
    sent: list[set[UUID]] = []
    monkeypatch.setattr(queueing, "send", lambda items, until: sent.append(set(items)))
    wanted = [product.pk, uuid4(), other.pk]  # the second was deleted meanwhile
    assert services.ask_for_each(owner=manager, product_ids=wanted, now=timezone.now()) == 2
    assert sent == [{item.pk for item in Item.objects.all()}]
    assert {item.product_id for item in Item.objects.all()} == {product.pk, other.pk}
    assert not Item.objects.filter(queued_until=None).exists()


def test_pictures_for_many_end_at_the_limit(
    paid: Running, settings: LazySettings, manager: User, product: Product
) -> None:
    settings.STUDIO_DAILY_PICTURES = 2
    wanted = [product.pk] * 3
    assert services.ask_for_each(owner=manager, product_ids=wanted, now=timezone.now()) == 2
    assert (Item.objects.count(), Item.objects.filter(queued_until=None).count()) == (2, 0)


def test_more_than_what_is_left_is_refused_before_anything_is_queued(
    paid: Running, settings: LazySettings, staff: Client, product: Product
) -> None:
    settings.STUDIO_DAILY_PICTURES, settings.STUDIO_PRICE = 1, "0.04 EUR"
    other = Product.objects.create(name="Croqueta", price="1.80", category=product.category)
    assert "About 0.04 EUR each." in chosen(staff, product).content.decode()
    page = chosen(staff, product, other, apply="1").content.decode()
    assert "Only 1 picture is left for today" in page
    assert (Item.objects.count(), paid.count()) == (0, 0)


def test_more_than_500_are_refused_too(staff: Client, product: Product) -> None:
    category = product.category
    Product.objects.bulk_create([Product(name=f"Tapa {number}", price="1", category=category) for number in range(500)])
    chosen(staff, product, apply="1", select_across="1")
    assert not Item.objects.exists()


def test_the_page_of_a_product_leads_to_the_studio_and_says_where_its_picture_comes_from(
    staff: Client, product: Product, ask: Ask
) -> None:
    address = reverse("admin:catalog_product_change", args=[product.pk])
    page = staff.get(address).content.decode()
    assert f'href="/studio/?product={product.pk}#create">Generate picture</a>' in page
    pipeline.generate(item_id=ask("", product_id=product.pk).pk)
    page = staff.get(address).content.decode()
    assert f'href="/studio/?product={product.pk}#improve">Improve this photo</a> · Drawn (label, label)' in page


def test_who_may_not_generate_is_not_offered_it(transactional_db: None, product: Product) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_product", "change_product"]))
    client = Client()
    client.force_login(clerk)
    assert "generate_pictures" not in client.get(PRODUCTS).content.decode()
    chosen(client, product, apply="1")
    assert not Item.objects.exists()


def test_spending_has_every_call_and_outlives_what_it_was_for(
    paid: Running, staff: Client, manager: User, ask: Ask
) -> None:
    for words in ("fine", "[401]"):
        pipeline.generate(item_id=ask(words).pk)
    Item.objects.all().delete()
    page = staff.get(reverse("admin:studio_call_changelist")).content.decode()
    assert Call.objects.count() == 2
    assert "<td>manager</td><td>2</td><td>1</td>" in page


def test_histories_of_all_are_for_those_who_may_see_them(staff: Client, ask: Ask) -> None:
    item = ask("a soup")
    pipeline.generate(item_id=item.pk)
    assert "a soup" in staff.get(reverse("admin:studio_item_changelist")).content.decode()
    assert staff.get(reverse("admin:studio_item_change", args=[item.pk])).status_code == 200
    clerk = Client()
    clerk.force_login(User.objects.create_user("clerk", is_staff=True))
    assert clerk.get(reverse("admin:studio_item_changelist")).status_code == 403
