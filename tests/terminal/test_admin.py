"""The way from the admin to the terminal."""

import pytest
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def test_the_sidebar_leads_to_the_terminal(admin_client: Client) -> None:
    page = admin_client.get("/admin/")

    links = [item["link"] for group in page.context["sidebar_navigation"] for item in group["items"]]
    assert "/terminal/" in links
    assert 'href="/terminal/"' in page.content.decode()
