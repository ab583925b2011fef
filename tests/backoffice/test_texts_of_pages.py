"""Every page of the admin speaks the reader's language, and a text of ours begins as a line does: with a capital."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import get_language_info

from catalog.models import (
    Attribute,
    Category,
    DiningTable,
    Employee,
    PriceRule,
    PrintDestination,
    Product,
    Role,
    Tag,
    Zone,
)
from devices.events import Event
from devices.models import CODE_LIFETIME, Device, EnrolmentCode
from devices.trail import tell
from images.models import Image, Pass
from studio.models import Call, Item
from tools import translations
from uploads.models import Album, Photo

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

UNREAD = {"script", "style", "template", "code", "textarea"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
CODE_NAME = re.compile(r"[a-z]+(_[a-z0-9]+)+")
HASH = "ab" * 32
# What each page says in words beside: the code of a failure, for who is asked for help.
CODES_OF_FAILURES = {"worker_lost", "provider_refused"}
OWN_NAMES = {get_language_info(code)["name_local"] for code, _name in settings.LANGUAGES}


@pytest.fixture
def boss(client: Client) -> Client:
    """A superuser; there is a row of each kind, with values of which none is a text of ours."""
    user = User.objects.create_superuser("boss")
    client.force_login(user)
    now = timezone.now()
    Group.objects.create(name="Zq")
    image = Image.objects.create(hash=HASH, status="stored", width=2, height=2, size=9, wanted_at=now)
    category = Category.objects.create(name="Zq", color="#112233")
    product = Product.objects.create(
        name="Zq", price="3", category=category, image=image, price_type="weight", unit="kg"
    )
    for kind in ("menu", "diet", "allergen"):
        product.tags.add(Tag.objects.create(name=f"Zq {kind}", kind=kind))
    Attribute.objects.create(name="Zq").options.create(name="Zq", position=0)
    PriceRule.objects.create(name="Zq", value="-2", weekdays=[1, 5])
    DiningTable.objects.create(name="Zq", zone=Zone.objects.create(name="Zq"))
    Employee.objects.create(name="Zq", code="9", role=Role.objects.create(name="Zq"))
    PrintDestination.objects.create(name="Zq")
    device = Device.objects.create(name="Zq", token_hash="c" * 64, may_upload=True, may_manage=True, history_of=user)
    EnrolmentCode.objects.create(code_hash="d" * 64, created_by=user, expires_at=now + CODE_LIFETIME, may_upload=True)
    EnrolmentCode.objects.create(code_hash="e" * 64, created_by=user, expires_at=now, used_at=now, device=device)
    for event in Event:
        tell(event, name="Zq", kind="user", scopes=["read", "manage"], fields=["groups", "is_superuser"])
    album = Album.objects.create(name="Zq")
    photo: dict[str, Any] = {"album": album, "content_type": "image/png", "size": 9, "upload_expires_at": now}
    Photo.objects.create(**photo, filename="Zq.png", device_id=device.pk)
    failed = {"status": "failed", "error": "worker_lost", "error_detail": "Zq", "failed_at": now, "attempts": 5}
    Photo.objects.create(**photo, **failed, filename="Zr.png", staff_id=user.pk)
    counts = dict.fromkeys(["checked", "copies_dropped", "still_damaged", "held_back"], 3)
    for kind in Pass.Kind.values:
        Pass.objects.create(kind=kind, outcome="too_much", counts=counts, ended_at=now + timedelta(seconds=2))
    made: dict[str, Any] = {"owner": user, "provider": "label", "product": product, "kind": "drawn"}
    item = Item.objects.create(**made, status="failed", error="provider_refused", failed_at=now, attempts=1)
    Call.objects.create(item=item, owner=user, username="boss", provider="label", day=now.date(), opened_at=now)
    return client


class Texts(HTMLParser):
    """What is read on a page, each node of text by itself; without the names of icons."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        for name in ("title", "aria-label", "placeholder", "alt"):
            self.note(of.get(name) or "")
        if tag not in VOID:
            unread = tag in UNREAD or "material-symbols" in (of.get("class") or "") or ("lang" in of and tag != "html")
            self.open.append((tag, unread))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not any(unread for _tag, unread in self.open):
            self.note(data)

    def note(self, text: str) -> None:
        if text := " ".join(text.split()).rstrip(":"):
            self.found.append(text)


def pages() -> Iterator[str]:
    yield reverse("admin:index")
    for page in admin.site._registry.values():
        begin = f"admin:{page.opts.app_label}_{page.opts.model_name}"
        for name in ("changelist", "add", "import", "export", "send"):
            try:
                yield reverse(f"{begin}_{name}")
            except NoReverseMatch:
                continue
        for place, row in enumerate(page.model._default_manager.all()[:4]):
            for name in ("change",) if place else ("change", "history", "delete"):
                yield reverse(f"{begin}_{name}", args=[row.pk])


def texts_of(client: Client, language: str) -> Iterator[tuple[str, str]]:
    """Address and text of all that is read."""
    for address in pages():
        answer = client.get(address, headers={"Accept-Language": language})
        if answer.status_code == 200 and "text/html" in answer.headers["Content-Type"]:
            for text in Texts(answer.content.decode()).found:
                if text not in CODES_OF_FAILURES | OWN_NAMES:
                    yield address, text


def strings(language: str) -> dict[str, str]:
    """The translation of each text without a plural, of ours and of Django's."""
    known: dict[str, str] = {}
    for catalog in (translations.translated_elsewhere(language), translations.present(language)):
        for message in catalog:
            if isinstance(message.id, str) and isinstance(message.string, str) and message.id:
                known[message.id] = message.string
    return known


@pytest.mark.parametrize("language", ["en", "es", "zh_Hans"])
def test_texts_are_in_the_reader_s_language_and_begin_with_a_capital(boss: Client, language: str) -> None:
    read = list(texts_of(boss, language.replace("_", "-").lower()))
    known = {text: text for text in strings("es")} if language == "en" else strings(language)
    ours = set(known.values())
    english = {one for id, text in known.items() if id != text for one in (id, capfirst(id))} - ours

    assert [one for one in read if one[1] in english] == []
    assert [one for one in read if one[1] in ours and one[1][0].islower()] == []
    assert [one for one in read if one[1].startswith("('")] == []  # what Python calls a pair
    assert [one for one in read if CODE_NAME.fullmatch(one[1])] == []


@pytest.mark.parametrize(
    ("language", "name"), [("en", "Back office"), ("es", "Administración"), ("zh-hans", "后台管理")]
)
def test_users_stand_under_the_name_that_the_sidebar_has(boss: Client, language: str, name: str) -> None:
    page = boss.get("/admin/auth/user/", headers={"Accept-Language": language}).content.decode()

    assert page.count(name) >= 2, "in the sidebar, and in the way to the page"
