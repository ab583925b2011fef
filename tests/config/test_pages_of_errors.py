"""What people see instead of a page says what happened, in their language, and leads back."""

import pytest
from django.contrib.admin.sites import AdminSite
from django.contrib.auth.models import User
from django.core.exceptions import SuspiciousOperation
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("language", "title", "way_back"),
    [
        ("en", "Nothing here", "To the overview"),
        ("es", "Aquí no hay nada", "Al resumen"),
        ("zh-Hans", "这里什么也没有", "前往概览"),
    ],
)
def test_an_address_without_a_page(language: str, title: str, way_back: str) -> None:
    response = Client(headers={"Accept-Language": language}).get("/nothing/here")

    assert response.status_code == 404
    page = response.content.decode()
    assert f"<h1>{title}</h1>" in page
    assert f'<a href="/admin/">{way_back}</a>' in page
    assert f'<html lang="{language.lower()}">' in page


def test_a_page_that_the_user_may_not_open() -> None:
    client = Client()
    client.force_login(User.objects.create_user("waiter", is_staff=True))

    response = client.get("/admin/catalog/product/")

    assert response.status_code == 403
    assert "<h1>Not allowed</h1>" in response.content.decode()


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [(RuntimeError("a bug"), 500, "Something failed"), (SuspiciousOperation("no"), 400, "Not understood")],
)
def test_a_page_that_fails(monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, title: str) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(AdminSite, "has_permission", fail)

    response = Client(raise_request_exception=False).get("/admin/")

    assert response.status_code == status
    assert f"<h1>{title}</h1>" in response.content.decode()
