"""What the address of a list in the admin may ask: what its own filters and links use, and nothing else."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import Category, Product
from devices.models import Device
from uploads.models import Album

pytestmark = pytest.mark.django_db

PAGES = [pytest.param(page, id=page.opts.label_lower) for page in admin.site._registry.values()]
ODD = [
    "p=99999999999999999999999",
    "p=-1",
    "p=x",
    "p=0",
    "p=%00",
    "p=1e9",
    "p=٣",
    "p=" + "9" * 5000,
    "o=x",
    "o=-",
    "o=99",
    "o=1.x.-2",
    "o=1.1.1",
    "o=%00",
    "o=-99999999999999999999",
    "o=" + "9" * 5000,
    "o=..",
    "o=--1",
    "all=",
    "all=x",
    "e=1",
    "_facets=x",
    "_popup=1",
    "_popup=x",
    "_to_field=id",
    "_to_field=x",
    "_to_field=%00",
    "_to_field=id__regex",
    "_changelist_filters=%00",
    "q=%00",
    "q=%ED%A0%80",
    "q=" + "x" * 20_000,
    "q=" + "+x" * 3000,
    "q=%22",
    "q=%27%22%5C%25_",
    "q=*",
    "q=%22x",
    "x=1",
    "id=x",
    "id=99999999999999999999",
    "pk=x",
    "pk=%00",
    "pk__in=",
    "pk__isnull=x",
    "__=1",
    "id__=1",
    "=1",
    "%00=1",
    "id__in__in=1",
]
ODD_TIMES = ["0001-01-01 00:00:00%2B14:00", "9999-12-31 23:59:59-14:00", "9" * 30, "nan"]
ODD_DAYS = [
    "year=9999", "year=" + "9" * 30, "year=1", "year=0", "year=x", "year=9999&{0}__month=12", "month=5",
    "year=2026&{0}__day=99", "year=2026&{0}__month=2&{0}__day=30",
]  # fmt: skip


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss"))
    client.raise_request_exception = False  # as a server answers
    return client


@pytest.mark.parametrize("query", ODD, ids=lambda query: query[:20])
@pytest.mark.parametrize("model", [Product, Device], ids=["product", "device"])
def test_odd_parameters_of_a_list_are_answered(staff: Client, model: type[Model], query: str) -> None:
    begin = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    assert staff.get(f"{reverse(f'{begin}_changelist')}?{query}").status_code in {200, 302, 400}
    if model is Product:
        assert staff.get(f"{reverse(f'{begin}_export')}?{query}").status_code in {200, 302, 400}


@pytest.mark.parametrize("page", PAGES)
def test_odd_values_and_ids_are_answered(staff: Client, page: admin.ModelAdmin) -> None:
    begin = f"admin:{page.opts.app_label}_{page.opts.model_name}"
    odd = ("x", "%00", "9" * 30)
    asked = [f"{reverse(f'{begin}_changelist')}?{name}={value}" for name in parameters(page) for value in odd]
    asked += [f"{reverse(f'{begin}_add')}?{'&'.join(f'{f.name}={value}' for f in page.opts.fields)}" for value in odd]
    if record := page.model._default_manager.first():
        asked += [f"{reverse(f'{begin}_{action}', args=[record.pk])}?_to_field=" for action in ("change", "delete")]
    for action in ("change", "delete", "history"):
        asked += [reverse(f"{begin}_{action}", args=[id]) for id in ("x", "9" * 30, "_00", "_ED_A0_80")]
    answers = {address: staff.get(address).status_code for address in asked}
    assert {address[:80]: status for address, status in answers.items() if status >= 404 and status != 404} == {}


@pytest.mark.parametrize("page", PAGES)
def test_days_and_times_of_no_calendar_are_answered(staff: Client, page: admin.ModelAdmin) -> None:
    begin = reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")
    times = [name for name in page.list_filter if isinstance(name, str) and name.endswith("at")]
    asked = [f"{begin}?{name}__{side}={time}" for name in times for side in ("gte", "lt") for time in ODD_TIMES]
    if days := page.date_hierarchy:
        asked += [f"{begin}?{days}__{odd.format(days)}" for odd in ODD_DAYS]
    assert [address for address in asked if staff.get(address).status_code not in {200, 302, 400}] == []


def test_the_days_above_a_list_lead_to_what_is_of_them(staff: Client) -> None:
    Album.objects.create(name="Autumn", created_at=datetime(2025, 10, 3, tzinfo=UTC))
    Album.objects.create(name="Spring", created_at=datetime(2026, 4, 1, tzinfo=UTC))
    for of_autumn in ("created_at__year=2025", "created_at__year=2025&created_at__month=10&created_at__day=3"):
        page = staff.get(f"{reverse('admin:uploads_album_changelist')}?{of_autumn}")
        assert page.status_code == 200
        assert [album.name for album in page.context["cl"].result_list] == ["Autumn"]


@pytest.mark.parametrize("page", PAGES)
def test_what_was_chosen_and_is_no_key_is_nothing(staff: Client, page: admin.ModelAdmin) -> None:
    address = reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")
    for action in ["delete_selected", *(getattr(one, "__name__", one) for one in page.actions or ())]:
        for chosen in (["x"], ["9" * 30, "-1"], ["\0"], [""]):
            form = {"action": action, "_selected_action": chosen, "post": "yes"}
            assert staff.post(address, form).status_code in {200, 302, 403}, (action, chosen)


@pytest.mark.parametrize("page", PAGES)
def test_a_form_with_what_can_be_no_key_comes_back(staff: Client, page: admin.ModelAdmin) -> None:
    address = reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_add")
    for name in page.autocomplete_fields:
        for chosen in ("x", "9" * 30, "\0"):
            assert staff.post(address, {name: chosen}).status_code in {200, 403}, (name, chosen)


def test_a_list_asks_no_column_but_those_of_its_filters(client: Client) -> None:
    """Whoever may only look would read hashes out by it, one question after the other."""
    looker = User.objects.create_user("looker", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(looker)
    refused = [
        ("catalog_employee", "pin_hash__regex=^a"), ("catalog_employee", "pin_hash__startswith=p"),
        ("devices_device", "token_hash__regex=^a"), ("devices_device", "token_hash__gt=a"),
        ("devices_enrolmentcode", "code_hash__regex=^a"), ("devices_enrolmentcode", "device__token_hash__regex=a"),
        ("auth_user", "password__startswith=p"), ("catalog_product", "name__regex=(a%2B)%2B$"),
        ("catalog_product", "category__name__regex=a"), ("catalog_product", "name=Cola"),
        ("catalog_product", "is_active__regex=a"),
        ("uploads_photo", "image__hash__regex=a"), ("images_image", "hash__iregex=a"),
    ]  # fmt: skip
    for page, query in refused:
        with CaptureQueriesContext(connection) as asked:
            status = client.get(f"{reverse(f'admin:{page}_changelist')}?{query}").status_code
        assert status == 400, (page, query)
        assert not [one for one in asked.captured_queries if "REGEX" in one["sql"].upper() or "~" in one["sql"]]
    for query in ("status__in=pending,processing", "album__id__exact=5f0c1d1e-6a43-4a63-9d0e-3a5b1c1f0a78"):  # links
        assert client.get(f"{reverse('admin:uploads_photo_changelist')}?{query}").status_code == 200
    for query in ("is_active__exact=1", "q=cola&o=1&p=1", "is_active__exact=1&q=cola"):
        assert client.get(f"{reverse('admin:catalog_product_changelist')}?{query}").status_code == 200


def test_a_search_is_cut_as_nobody_types_that_much(staff: Client) -> None:
    words = [f"w{number}" for number in range(50)]
    Product.objects.create(name=" ".join(words[:10]), category=Category.objects.create(name="Drinks"), price="1.00")
    found = staff.get(reverse("admin:catalog_product_changelist"), {"q": " ".join(words)}).context["cl"].result_count
    assert found == 1


def parameters(page: admin.ModelAdmin) -> Iterator[str]:
    """The names under which the filters of the page could take a value."""
    for item in page.list_filter:
        name = item[0] if isinstance(item, tuple) else getattr(item, "parameter_name", item)
        for lookup in ("", "__exact", "__id__exact", "__isnull", "__gte", "_from", "_from_0"):
            yield f"{name}{lookup}"
