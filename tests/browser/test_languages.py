"""What scripts write into the admin's pages is in the manager's language too."""

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]


@pytest.mark.parametrize(
    ("language", "nothing"),
    [("en", "No results found"), ("es-MX", "No se encontraron resultados"), ("zh-CN", "未找到结果")],
)
def test_a_search_in_a_select_answers_in_the_language_of_the_page(
    page: "Page", live_server: Any, language: str, nothing: str
) -> None:
    User.objects.create_superuser("demo", password="demo")
    page.set_extra_http_headers({"Accept-Language": language})
    page.goto(f"{live_server.url}/admin/login/?next=/admin/catalog/product/add/")
    page.fill("#id_username", "demo")
    page.fill("#id_password", "demo")
    page.click("button[type=submit]")

    page.click(".field-category .select2-selection")
    page.fill(".select2-search__field >> nth=-1", "there is none of this name")

    message = page.wait_for_selector(f".select2-results__message:has-text('{nothing}')")
    assert message is not None
    assert message.is_visible()
