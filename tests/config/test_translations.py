"""Everything that a person reads is there in each of the three languages."""

import re
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest
from babel.messages.catalog import Catalog
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils.translation import override

import normalform
from catalog.models import Category, Product
from config import translations
from images.normalize import PictureRefused
from tests.config.conftest import NewServer
from uploads.admin.texts import REASONS

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}|<[^>]+>")
WORDS = {
    "en": ("Overview", "Sold out", "short name", "Drop a photo here", "Apply Filters", "Save"),
    "es": ("Resumen", "Agotados", "nombre corto", "Suelte una foto aquí", "Aplicar filtros", "Guardar"),
    "zh-hans": ("概览", "售罄", "简称", "将照片拖到此处", "应用筛选", "保存"),
}


@pytest.fixture(params=translations.LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def language_of_a_request_ends_with_the_test() -> Iterator[None]:
    with override(settings.LANGUAGE_CODE):
        yield


@pytest.fixture
def manager(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("manager"))
    return client


def ids(catalog: Catalog) -> set[object]:
    return {(message.id, message.context) for message in catalog if message.id}


def test_every_language_but_english_has_a_catalogue() -> None:
    assert {code.replace("hans", "Hans").replace("-", "_") for code, _name in settings.LANGUAGES} == {
        "en",
        *translations.LANGUAGES,
    }


def test_every_text_has_a_translation_and_no_translation_lacks_its_text(language: str) -> None:
    present = translations.present(language)

    assert ids(present) == ids(translations.wanted()), "make messages"
    assert translations.lacking(present) == []


def test_a_translation_has_the_placeholders_and_the_markup_of_its_text(language: str) -> None:
    for message in translations.present(language):
        if message.id:
            texts = [message.id] if isinstance(message.id, str) else message.id
            # A language without plural has one form, that of the plural.
            promised = Counter(PLACEHOLDER.findall(texts[-1]))
            for string in translations.strings(message):
                assert Counter(PLACEHOLDER.findall(string)) == promised, message.id
                assert (string[0].isspace(), string[-1] == "\n") == (texts[0][0].isspace(), texts[0][-1] == "\n")


def test_a_language_has_as_many_forms_as_it_counts_with(language: str) -> None:
    present = translations.present(language)

    assert present.num_plurals == {"es": 2, "zh_Hans": 1}[language]
    assert all(len(translations.strings(m)) == present.num_plurals for m in present if m.id and m.pluralizable)


def test_the_files_are_what_make_messages_would_write(language: str) -> None:
    catalog = translations.updated(language)
    folder = translations.folder_of(language)

    assert (folder / "django.po").read_bytes() == translations.po(catalog), "make messages"
    assert (folder / "django.mo").read_bytes() == translations.mo(catalog), "make messages"


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


def test_what_is_refused_outside_django_speaks_it_too(new_server: NewServer) -> None:
    with new_server() as server:
        server.until_ready()
        headers = {"Accept-Language": "zh-CN"}
        stranger = httpx.get(f"{server.url}/api/sync/events", headers=headers).json()
        till = server.device("Till")
        unknown = till.get("/api/sync/events?resources=pizza", headers=headers).json()
        english = till.get("/api/sync/events?resources=pizza").json()

    assert (stranger["code"], stranger["detail"]) == ("not_authenticated", "请提供设备令牌或登录。")
    assert unknown["code"] == "unknown_resource"
    assert unknown["detail"].startswith("没有名为“pizza”的资源。")
    assert english["detail"].startswith("There is no resource “pizza”.")
