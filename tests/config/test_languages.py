"""Pages and problems speak the language of who asks."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils.translation import override

import normalform
from catalog.models import Category, Product
from images.normalize import PictureRefused
from uploads.admin.texts import REASONS

WORDS = {
    "en": ("Overview", "Sold out", "short name", "Drop a photo here", "Apply Filters", "Save"),
    "es": ("Resumen", "Agotados", "nombre corto", "Suelte una foto aquí", "Aplicar filtros", "Guardar"),
    "zh-hans": ("概览", "售罄", "简称", "将照片拖到此处", "应用筛选", "保存"),
}


@pytest.fixture(autouse=True)
def language_of_a_request_ends_with_the_test() -> Iterator[None]:
    with override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture
def manager(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("manager"))
    return client


@pytest.mark.parametrize(("code", "reason"), normalform.REASONS.items())
def test_a_refused_picture_is_explained_in_the_manager_s_language(code: str, reason: str) -> None:
    for said in (REASONS[code], PictureRefused(code)):
        with override("zh-hans"):
            assert str(said) != reason
        assert str(said) == reason


@pytest.mark.parametrize("code", WORDS)
@pytest.mark.parametrize("how", ["header", "cookie"])
def test_the_admin_speaks_the_language_of_the_browser(manager: Client, code: str, how: str) -> None:
    product = Product.objects.create(name="Tea", price=2, category=Category.objects.create(name="Drinks"))
    if how == "cookie":
        manager.cookies[settings.LANGUAGE_COOKIE_NAME] = code
    headers = {"Accept-Language": code} if how == "header" else {}

    pages = "".join(
        manager.get(path, headers=headers).content.decode()
        for path in ("/admin/", "/admin/catalog/product/", f"/admin/catalog/product/{product.pk}/change/")
    )

    assert [word for word in WORDS[code] if word not in pages and word.capitalize() not in pages] == []
    assert f'lang="{code}"' in pages


@pytest.mark.parametrize(
    ("code", "detail", "of_the_name"),
    [
        ("en", "The request has wrong values; errors names each.", "This field is required."),
        ("es-MX", "La petición tiene valores incorrectos; errors los nombra.", "Este campo es requerido."),
        ("zh-CN", "请求中有错误的值，详见 errors。", "该字段是必填项。"),
    ],
)
def test_a_problem_speaks_the_language_of_its_client(manager: Client, code: str, detail: str, of_the_name: str) -> None:
    headers = {"Accept-Language": code}
    wrong = manager.post("/api/tags", {}, content_type="application/json", headers=headers).json()
    nowhere = manager.get("/api/nowhere", headers=headers).json()

    assert (wrong["code"], wrong["detail"]) == ("invalid", detail)
    assert wrong["errors"] == [{"field": "name", "code": "required", "detail": of_the_name}]
    assert nowhere["code"] == "not_found"
    assert (nowhere["detail"] == "Nothing lives at this address.") is (code == "en")
