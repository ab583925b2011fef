"""Where managers look: albums, photos, what failed, and help for it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import DiningTable, Employee, PriceRule, Product, Role, Zone
from uploads import pipeline
from uploads.models import Album, Photo

from .conftest import is_there, picture, processing, state

DATA = picture()


def texts(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


@pytest.fixture
def some(make_photo: Callable[..., Photo], product: Any) -> list[Photo]:
    ready, failed = make_photo(DATA, product=product), make_photo(b"no picture")
    for photo in (ready, failed):
        pipeline.process(photo_id=photo.pk)
    return [ready, failed, make_photo(**processing()), make_photo()]


def test_lists_cost_the_same_whatever_they_hold(
    admin_client: Client, album: Album, some: list[Photo], make_photo: Callable[..., Photo],
    django_assert_max_num_queries: Callable[..., Any],
) -> None:  # fmt: skip
    for _ in range(20):
        make_photo(album=Album.objects.create(name="More"))

    for name in ("photo", "album"):
        with django_assert_max_num_queries(9):
            page = admin_client.get(reverse(f"admin:uploads_{name}_changelist"))
        assert page.status_code == 200


def test_a_photo_shows_its_picture_or_why_there_is_none(admin_client: Client, some: list[Photo]) -> None:
    ready, failed = some[:2]
    ready.refresh_from_db()

    page = admin_client.get(reverse("admin:uploads_photo_changelist")).content.decode()
    assert f"/api/image/{ready.image_id}.jpg?w=160" in page
    assert "The file is none of JPEG, PNG" in page
    for photo in some:
        assert admin_client.get(reverse("admin:uploads_photo_change", args=[photo.pk])).status_code == 200
    detail = admin_client.get(reverse("admin:uploads_photo_change", args=[failed.pk])).content.decode()
    assert "unsupported_image" in detail


@pytest.mark.parametrize("query", ["?status__exact=failed", "?q=dish", "?content_type__exact=image/png", "?o=3"])
def test_photos_are_filtered_and_searched(admin_client: Client, some: list[Photo], query: str) -> None:
    assert admin_client.get(reverse("admin:uploads_photo_changelist") + query).status_code == 200


def test_an_album_shows_its_counts(admin_client: Client, album: Album, some: list[Photo]) -> None:
    page = admin_client.get(reverse("admin:uploads_album_changelist"))

    row = page.context["cl"].result_list[0]
    assert (row.pending_count, row.processing_count, row.ready_count, row.failed_count) == (1, 1, 1, 1)
    assert admin_client.get(reverse("admin:uploads_album_change", args=[album.pk])).status_code == 200


def test_failed_photos_are_tried_again(
    admin_client: Client, some: list[Photo], sent: list[str], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    failed = some[1]

    with django_capture_on_commit_callbacks(execute=True):
        answer = admin_client.post(
            reverse("admin:uploads_photo_changelist"),
            {"action": "retry_selected", "_selected_action": [failed.pk, some[3].pk]},
            follow=True,
        )

    assert texts(answer) == ["1 photo is on its way.", "1 photo was never uploaded."]
    assert sent == [str(failed.pk)]
    assert state(failed) == "pending"


def test_one_photo_is_tried_again_from_its_page(
    admin_client: Client, some: list[Photo], sent: list[str], django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = admin_client.post(reverse("admin:uploads_photo_retry", args=[some[1].pk]), follow=True)

    assert texts(answer) == ["1 photo is on its way."]


def test_a_photo_that_is_ready_is_said_to_be(admin_client: Client, some: list[Photo], sent: list[str]) -> None:
    answer = admin_client.post(reverse("admin:uploads_photo_retry", args=[some[0].pk]), follow=True)

    assert texts(answer) == ["1 photo is ready already."]
    assert (state(some[0]), sent) == ("ready", [])


def test_the_cards_of_the_overview_open_what_they_count(admin_client: Client, some: list[Photo], product: Any) -> None:
    Product.objects.create(name="Off", price="1", category=product.category, is_active=False, is_sold_out=True)
    zone, role = Zone.objects.create(name="Garden"), Role.objects.create(name="Waiter")
    for active in (True, False):
        DiningTable.objects.create(zone=zone, name=str(active), is_active=active)
        Employee.objects.create(name=str(active), code=str(active), role=role, is_active=active)
        PriceRule.objects.create(name=str(active), adjustment="set", value="1", scope="all", is_active=active)
    cards = admin_client.get("/admin/").context["cards"]

    assert len(cards) >= 7
    for card in cards:
        listed = admin_client.get(card["href"]).context["cl"].result_count
        assert (str(card["title"]), listed) == (str(card["title"]), int(card["number"]))


def test_the_failed_photos_of_an_album_are_tried_again(
    admin_client: Client,
    album: Album,
    some: list[Photo],
    sent: list[str],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = admin_client.post(reverse("admin:uploads_album_retry_failed", args=[album.pk]), follow=True)

    assert texts(answer) == ["1 photo is on its way."]
    assert sent == [str(some[1].pk)]


def test_an_album_shows_its_pictures_those_that_need_help_first(
    admin_client: Client, album: Album, some: list[Photo]
) -> None:
    some[0].refresh_from_db()

    page = admin_client.get(reverse("admin:uploads_album_change", args=[album.pk])).content.decode()
    listed = admin_client.get(reverse("admin:uploads_album_changelist")).content.decode()

    assert page.index('class="is-failed"') < page.index('class="is-pending"') < page.index('class="is-ready"')
    assert f"/api/image/{some[0].image_id}.jpg?w=160" in page
    assert f"/api/image/{some[0].image_id}.jpg?w=160" in listed


@pytest.mark.parametrize("name", ["album", "photo"])
def test_who_may_add_photos_finds_the_page_that_sends_them(
    admin_client: Client, client: Client, name: str, django_user_model: Any
) -> None:
    page = reverse(f"admin:uploads_{name}_send")
    assert page in admin_client.get(reverse(f"admin:uploads_{name}_changelist")).content.decode()
    assert b'id="sender"' in admin_client.get(page).content

    client.force_login(django_user_model.objects.create_user("waiter", is_staff=True))
    assert client.get(page).status_code in {302, 403}


def test_a_storage_that_fails_is_said_so(
    admin_client: Client, some: list[Photo], broken_storage: Callable[[], object]
) -> None:
    broken_storage()

    answer = admin_client.post(
        reverse("admin:uploads_photo_changelist"),
        {"action": "retry_selected", "_selected_action": [some[1].pk]},
        follow=True,
    )

    assert texts(answer) == ["The storage doesn't answer; try again in a moment."]


def test_albums_are_reconciled_now(admin_client: Client, album: Album, make_photo: Callable[..., Photo]) -> None:
    make_photo(DATA)

    answer = admin_client.post(
        reverse("admin:uploads_album_changelist"),
        {"action": "reconcile_selected", "_selected_action": [album.pk]},
        follow=True,
    )

    assert texts(answer) == ["1 checked: 1 queued again, 0 cleaned, 0 left as they are, 0 could not be told."]
    page = admin_client.post(reverse("admin:uploads_album_reconcile_now", args=[album.pk]), follow=True)
    assert texts(page) == ["1 checked: 0 queued again, 0 cleaned, 1 left as they are, 0 could not be told."]


@pytest.mark.parametrize("name", ["photo", "album"])
def test_deleting_takes_the_originals_along(
    admin_client: Client, album: Album, make_photo: Callable[..., Photo], name: str
) -> None:
    photo, other = make_photo(DATA), make_photo(DATA)
    one = {"photo": photo.pk, "album": album.pk}[name]

    admin_client.post(reverse(f"admin:uploads_{name}_delete", args=[one]), {"post": "yes"})
    if name == "photo":
        admin_client.post(
            reverse("admin:uploads_photo_changelist"),
            {"action": "delete_selected", "_selected_action": [other.pk], "post": "yes"},
        )

    assert not Photo.objects.exists()
    assert not is_there(photo)
    assert not is_there(other)


def test_nobody_types_in_a_photo(admin_client: Client) -> None:
    assert admin_client.get(reverse("admin:uploads_photo_add")).status_code == 403


def test_saving_the_page_of_a_photo_writes_nothing(admin_client: Client, make_photo: Callable[..., Photo]) -> None:
    photo = make_photo()
    page = reverse("admin:uploads_photo_change", args=[photo.pk])
    assert "_continue" not in admin_client.get(page).content.decode()
    before = Photo.objects.values().get()

    with CaptureQueriesContext(connection) as queries:
        assert admin_client.post(page, {"status": "failed", "filename": "other.png"}).status_code == 302

    assert Photo.objects.values().get() == before
    assert not [query for query in queries if 'UPDATE "uploads_photo"' in query["sql"]]


@pytest.mark.parametrize("object_id", ["zzz", "0b0e7f6e-6f0e-4f0e-9d39-0f3f8f6f3a55", "1%00"])
@pytest.mark.parametrize("action", ["photo/{}/retry/", "album/{}/retry_failed/", "album/{}/reconcile_now/"])
def test_an_action_on_what_is_not_there_is_no_page(admin_client: Client, action: str, object_id: str) -> None:
    assert admin_client.get(f"/admin/uploads/{action.format(object_id)}").status_code == 404
    assert admin_client.post(f"/admin/uploads/{action.format(object_id)}").status_code == 404


def test_a_link_does_nothing(admin_client: Client, some: list[Photo]) -> None:
    before = list(Photo.objects.order_by("pk").values())
    photo, album = some[1], some[1].album
    actions = [f"photo/{photo.pk}/retry/", f"album/{album.pk}/retry_failed/", f"album/{album.pk}/reconcile_now/"]

    for action in actions:
        for ask in (admin_client.get, admin_client.head):
            assert ask(f"/admin/uploads/{action}").status_code == 405
    page = "".join(
        admin_client.get(f"/admin/uploads/{kind}/{pk}/change/").content.decode()
        for kind, pk in (("photo", photo.pk), ("album", album.pk))
    )

    for action in actions:
        assert f'<form method="post" action="/admin/uploads/{action}">' in page
        assert f'href="/admin/uploads/{action}"' not in page
    assert list(Photo.objects.order_by("pk").values()) == before


def test_who_may_only_look_has_no_buttons(client: Client, some: list[Photo], django_user_model: Any) -> None:
    looker = django_user_model.objects.create_user("looker", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename__in=["view_photo", "view_album"]))
    client.force_login(looker)
    page = client.get(f"/admin/uploads/photo/{some[1].pk}/change/").content.decode()

    assert "/retry/" not in page
    assert client.post(f"/admin/uploads/photo/{some[1].pk}/retry/").status_code == 403


def test_a_photo_that_was_sent_for_no_product_can_be_given_one(
    admin_client: Client, make_photo: Callable[..., Photo], product: Any
) -> None:
    photo = make_photo(DATA)
    pipeline.process(photo_id=photo.pk)
    page = reverse("admin:uploads_photo_change", args=[photo.pk])
    assert 'name="_save"' in admin_client.get(page).content.decode()

    assert admin_client.post(page, {"product": str(product.pk)}).status_code == 302

    photo.refresh_from_db()
    product.refresh_from_db()
    assert photo.product_id == product.pk
    assert photo.image_id is not None
    assert product.image_id == photo.image_id
    assert 'name="_save"' not in admin_client.get(page).content.decode()
