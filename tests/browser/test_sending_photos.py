"""A manager drops many photos, confirms, and sees what becomes of each."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import LazySettings
from django.db.models import F
from PIL import Image as Pillow

from catalog.models import Category, Product
from images.services import add_image
from tests.contracts.conftest import use_bucket
from tests.parts import Bucket, wait_until
from uploads import queueing
from uploads.models import Album, Photo
from uploads.pipeline import process

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

# The server's side of it, and real workers, are tested on both databases in tests/uploads and tests/main_job.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database, pytest.mark.timeout(240)]

# A state may be over before anybody looks.
REMEMBER = """() => {
  window.said = new Set();
  const look = () => document.querySelectorAll(".state-text").forEach((text) => window.said.add(text.textContent));
  new MutationObserver(look).observe(document.querySelector(".sender-photos"), { subtree: true, childList: true });
}"""
FINISHED = "['done', 'failed'].includes(document.querySelector('.sender-bar').dataset.mood)"


def picture(number: int) -> bytes:
    target = BytesIO()
    Pillow.new("RGB", (400, 300), (number * 5 % 256, 90, 160)).save(target, "JPEG")
    return target.getvalue()


def file(name: str, number: int = 0) -> dict[str, Any]:
    return {"name": name, "mimeType": "image/jpeg", "buffer": picture(number)}


@pytest.fixture(autouse=True)
def files() -> None:
    """The files stay where a worker sees them too."""


@pytest.fixture
def menu(transactional_db: None) -> list[Product]:
    """Fifty products: those with an even number have an SKU."""
    category = Category.objects.create(name="Drinks")
    return Product.objects.bulk_create(
        Product(name=f"Drink no {n:02}", sku="" if n % 2 else f"DRI-{n:03}", price="3.00", category=category)
        for n in range(50)
    )


@pytest.fixture
def at_once(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of this test alone, and a worker that is done before the request ends."""
    settings.FILES_DIR = tmp_path / "files"
    monkeypatch.setattr(queueing, "send_one", lambda photo: process(photo_id=photo.pk))


@pytest.fixture
def sender(open_page: Callable[[str], "Page"]) -> "Page":
    page = open_page("/admin/uploads/album/send")
    page.set_default_timeout(60_000)
    page.wait_for_selector(".sender-drop")
    page.evaluate(REMEMBER)
    return page


def choose(page: "Page", *files: dict[str, Any]) -> None:
    page.set_input_files("#files", files)  # type: ignore[arg-type]  # FilePayload, as the stubs call it
    page.wait_for_function("count => document.querySelectorAll('.photo').length === count", arg=len(files))


def summary(page: "Page") -> str:
    return page.inner_text(".sender-summary strong")


def test_fifty_photos_are_matched_sent_and_shown_by_their_products(
    sender: "Page", menu: list[Product], celery_worker_process: object
) -> None:
    names = [f"{product.sku or product.name.lower().replace(' ', '_')}.jpg" for product in menu[:47]]
    names += ["IMG_0001.jpg", "IMG_0002.jpg", "IMG_0003.jpg"]
    choose(sender, *(file(name, number) for number, name in enumerate(names)))
    sender.wait_for_function("document.querySelectorAll('.product-by:not(:empty)').length === 47")
    assert summary(sender) == "Photos: 50, with a product: 47"
    assert not Album.objects.exists()  # nothing happens before the manager confirms

    sender.fill("#album-name", "Autumn menu")
    sender.click("[data-do=send]")
    sender.wait_for_function(FINISHED, timeout=120_000)

    assert summary(sender) == "All photos are ready: 50"
    assert sender.locator(".photo[data-state=ready]").count() == 50
    assert Photo.objects.filter(album__name="Autumn menu", status="ready").count() == 50
    assert Photo.objects.filter(product=None).count() == 3
    assert Photo.objects.filter(product__image=F("image")).count() == 47
    sender.click("[data-do=album]")
    sender.wait_for_selector("#result_list img.thumbnail")


def test_photos_that_come_later_come_into_the_same_album_though_it_was_renamed(sender: "Page", at_once: None) -> None:
    choose(sender, file("a.jpg", 1))
    sender.click("[data-do=send]")
    sender.wait_for_function(FINISHED)
    Album.objects.update(name="Renamed meanwhile")

    sender.set_input_files("#files", [file("b.jpg", 2)])  # type: ignore[arg-type]  # FilePayload, as the stubs call it
    sender.wait_for_function("document.querySelectorAll('.photo').length === 2")
    sender.click("[data-do=send]")
    sender.wait_for_function("document.querySelectorAll('.photo[data-state=ready]').length === 2")

    assert Album.objects.get().name == "Renamed meanwhile"
    assert Photo.objects.filter(status="ready").count() == 2


def test_enter_takes_the_product_that_is_called_so(sender: "Page", menu: list[Product]) -> None:
    for name in ("Chocolate Cake", "Cola", "Diet Cola"):
        Product.objects.create(name=name, price="3", category=menu[0].category)
    choose(sender, file("IMG_0001.jpg", 1))
    sender.click(".product-chip")
    sender.fill(".product-search input", "cola")
    sender.wait_for_function("document.querySelectorAll('.product-search li').length === 4")
    assert [" ".join(text.split()) for text in sender.locator(".product-search li").all_inner_texts()][1:] == [
        "Cola", "Diet Cola", "Chocolate Cake",
    ]  # fmt: skip
    sender.press(".product-search input", "Enter")

    assert sender.inner_text(".product-chip .product-name") == "Cola"


def test_whoever_was_logged_out_is_told_so_and_goes_on_after_logging_in(
    sender: "Page", menu: list[Product], at_once: None, complaints: list[str]
) -> None:
    choose(sender, file("DRI-002.jpg", 1))
    cookies = sender.context.cookies()
    sender.context.clear_cookies(name="sessionid")
    sender.click("[data-do=send]")
    sender.wait_for_selector("text=You are logged out.")
    assert ["401" in said for said in complaints] == [True]
    complaints.clear()
    assert not Album.objects.exists()

    sender.context.add_cookies(cookies)  # type: ignore[arg-type]  # what it gave
    sender.click("[data-do=send]")
    sender.wait_for_function(FINISHED)

    assert summary(sender) == "All photos are ready: 1"


def test_three_of_ten_lose_the_connection_are_cleaned_up_and_sent_again(
    sender: "Page", menu: list[Product], at_once: None, complaints: list[str]
) -> None:
    broken: list[str] = []
    hits: list[str] = []

    def cut(route: "Route") -> None:
        url = route.request.url
        if len(broken) < 3 and url not in broken and url not in hits:
            broken.append(url)
        hits.append(url)
        route.abort() if url in broken else route.continue_()

    sender.route("**/api/uploads/*", cut)
    choose(sender, *(file(f"IMG_{number}.jpg", number) for number in range(10)))
    sender.click("[data-do=send]")
    sender.wait_for_function(FINISHED)

    assert {"Sending…", "Being processed…", "Cleaning up…"} <= set(sender.evaluate("[...window.said]"))

    assert [hits.count(url) for url in broken] == [4, 4, 4]  # each was tried again before it was given up
    assert summary(sender) == "3 of 10 need another try"
    assert "The connection was lost." in sender.inner_text(".photo[data-state=failed] .state-text >> nth=0")
    assert Photo.objects.count() == Photo.objects.filter(status="ready").count() == 7  # and the three are cleaned up

    sender.unroute("**/api/uploads/*")
    sender.click(".sender-bar [data-do=retry]")
    sender.wait_for_function("document.querySelector('.sender-bar').dataset.mood === 'done'")
    assert Photo.objects.filter(status="ready").count() == 10
    assert complaints
    complaints.clear()


def test_a_lost_answer_to_process_is_made_good_by_reconciling(
    sender: "Page", menu: list[Product], at_once: None, complaints: list[str]
) -> None:
    lost: list[str] = []

    def lose(route: "Route") -> None:
        lost.append(route.request.url)
        route.abort()

    sender.route("**/api/photos/*/process", lose)
    choose(sender, file("IMG_1.jpg"))
    sender.click("[data-do=send]")
    sender.wait_for_function(FINISHED)

    assert len(lost) == 4
    assert summary(sender) == "All photos are ready: 1"
    complaints.clear()


def test_what_is_no_picture_is_said_at_once_and_what_is_broken_afterwards(
    sender: "Page", menu: list[Product], at_once: None
) -> None:
    pdf = {"name": "menu.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"}
    empty = {"name": "empty.jpg", "mimeType": "image/jpeg", "buffer": b""}
    broken = {"name": "broken.jpg", "mimeType": "image/jpeg", "buffer": picture(1)[:200]}
    choose(sender, pdf, empty, broken)
    assert "no picture that we can read" in sender.inner_text(".photo >> nth=0")
    assert "This file is empty." in sender.inner_text(".photo >> nth=1")
    assert sender.inner_text("[data-do=send]") == "Upload photos: 1"

    sender.click("[data-do=send]")
    sender.wait_for_function(FINISHED)

    assert summary(sender) == "0 of 3 ready, 3 can't be used"
    assert sender.eval_on_selector(".sender-bar progress", "bar => [bar.value, bar.max]") == [0, 3]
    assert "can't be decoded" in sender.inner_text(".photo >> nth=2")
    assert not sender.is_visible(".sender-bar [data-do=retry]")
    assert list(Photo.objects.values_list("filename", "status")) == [("broken.jpg", "failed")]


def test_a_product_is_chosen_by_hand_and_a_second_photo_for_it_is_pointed_out(
    sender: "Page", menu: list[Product], at_once: None
) -> None:
    known = add_image(data=picture(9)).image
    Product.objects.filter(pk=menu[8].pk).update(image=known)
    choose(sender, file("DRI-008.jpg", 1), file("IMG_1.jpg", 2))
    sender.wait_for_selector(f".product-picture[src*='{known.hash}']")  # what it shows until now
    sender.click(".photo >> nth=1 >> .product-chip")
    sender.keyboard.type("no 08")
    sender.wait_for_selector("[role=option]:has-text('Drink no 08')")
    sender.keyboard.press("Enter")
    sender.wait_for_selector(".photo >> nth=1 >> .product-name:has-text('Drink no 08')")
    assert sender.locator(".product-warning:visible").count() == 2

    sender.click(".photo >> nth=0 >> [data-do=remove]")
    assert sender.locator(".product-warning:visible").count() == 0
    sender.click("[data-do=send]")
    sender.wait_for_function(FINISHED)

    photo = Photo.objects.get()
    assert (photo.filename, photo.product_id) == ("IMG_1.jpg", menu[8].pk)
    assert Product.objects.get(pk=menu[8].pk).image_id == photo.image_id


def test_the_bytes_go_straight_to_a_bucket(
    sender: "Page", menu: list[Product], at_once: None, settings: LazySettings, new_bucket: Bucket
) -> None:
    use_bucket(settings, new_bucket)
    puts: list[str] = []
    sender.on("request", lambda request: puts.append(request.url) if request.method == "PUT" else None)
    choose(sender, file("DRI-002.jpg", 1), file("DRI-004.jpg", 2))
    sender.click("[data-do=send]")
    sender.wait_for_function(FINISHED)

    assert summary(sender) == "All photos are ready: 2"
    assert len(puts) == 2
    assert all(url.startswith(f"{new_bucket.endpoint_url}/{new_bucket.name}/originals/") for url in puts)
    wait_until(lambda: new_bucket.keys("originals/") == [], what="dropped originals")
    assert len(new_bucket.keys("images/")) >= 2


@pytest.mark.parametrize(("language", "words"), [("es", "Subir fotos: 1"), ("zh-Hans", "上传照片：1")])
def test_the_page_speaks_the_managers_language(
    manager: "Page", live_server: Any, menu: list[Product], language: str, words: str
) -> None:
    manager.set_extra_http_headers({"Accept-Language": language})
    manager.goto(f"{live_server.url}/admin/uploads/album/send")
    choose(manager, file("IMG_1.jpg"))

    assert manager.inner_text("[data-do=send]") == words


def test_nothing_of_the_page_needs_an_inline_script_or_style() -> None:
    template = (Path(__file__).parents[2] / "templates/uploads/send.html").read_text()
    scripts = Path(__file__).parents[2] / "uploads/static/uploads"

    assert template.count("<script") == template.count('<script type="module" src=') == 1
    for source in (template, *(path.read_text() for path in scripts.glob("*.js"))):
        for forbidden in ("style=", "onclick", "onload", "javascript:", "eval(", "new Function", "innerHTML"):
            assert forbidden not in source
