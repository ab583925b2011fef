"""Pictures in the admin, in a real browser: many dropped at once, listed, looked after."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from images.models import Image
from images.services import add_image
from images.upkeep.sweep import sweep
from tests.browser.test_admin_pages import photo, shown_pixels
from tests.images.pictures import normal_jpeg

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

# Drops several files the way a drag from the desktop does.
DROP = """([selector, files]) => {
  const dragged = new DataTransfer();
  for (const [name, bytes] of files) dragged.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    const event = new DragEvent(kind, { dataTransfer: dragged, bubbles: true, cancelable: true });
    document.querySelector(selector).dispatchEvent(event);
  }
}"""
ZONE = ".pictures .picture-drop"
DONE = ".uploads li[data-state=done]"


def drop(page: "Page", *files: tuple[str, bytes]) -> None:
    page.evaluate(DROP, [ZONE, [[name, list(data)] for name, data in files]])


def finished(page: "Page", number: int) -> None:
    page.wait_for_function(
        "n => document.querySelectorAll('.uploads li:is([data-state=done], [data-state=failed])').length === n",
        arg=number,
    )


def test_many_photos_that_are_dropped_are_stored_and_seen(open_page: Callable[[str], "Page"]) -> None:
    page = open_page("/admin/images/image/add/")
    colors = ("crimson", "navy", "teal", "gold", "olive")
    drop(page, *((f"{color}.png", photo(color)) for color in colors))
    finished(page, 5)

    assert page.inner_text(".uploads-summary") == "5 of 5 pictures are stored, 0 failed."
    assert shown_pixels(page, f"{DONE} img") == (160, 120)
    assert Image.objects.usable().count() == 5
    page.click(f"{DONE} a")
    assert shown_pixels(page, "img[src*='w=640']") == (640, 480)
    page = open_page("/admin/images/image/")
    assert page.locator("#result_list tbody tr, .result-list tbody tr").count() == 5


def test_a_photo_twice_and_something_else_say_what_they_are(open_page: Callable[[str], "Page"]) -> None:
    add_image(data=photo("navy"))
    page = open_page("/admin/images/image/add/")
    page.set_input_files(
        ".pictures .picture-file", {"name": "again.png", "mimeType": "image/png", "buffer": photo("navy")}
    )
    finished(page, 1)

    assert page.inner_text(f"{DONE} .uploads-state") == "was there already"
    assert not page.is_visible("#submit-row")


def test_a_photo_that_did_not_get_through_is_sent_again(open_page: Callable[[str], "Page"]) -> None:
    tries: list[str] = []

    def in_the_way(route: "Route") -> None:
        tries.append(route.request.method)
        if len(tries) == 1:  # not a failure, which the console would report, but not the server's answer either
            route.fulfill(status=202, body="<html>Log in to this network", content_type="text/html")
        else:
            route.continue_()

    page = open_page("/admin/images/image/add/")
    page.route("**/api/images", in_the_way)
    drop(page, ("teal.png", photo("teal")))
    finished(page, 1)
    assert page.inner_text(".uploads li .uploads-state") == "It could not be sent."

    page.click(".uploads li button")
    page.wait_for_selector(DONE)

    assert tries == ["POST", "POST"]
    assert page.inner_text(".uploads-summary") == "1 of 1 pictures are stored, 0 failed."
    assert Image.objects.usable().count() == 1


def test_what_is_too_large_says_so(open_page: Callable[[str], "Page"]) -> None:
    page = open_page("/admin/images/image/add/")
    page.evaluate(
        """selector => {
          const dragged = new DataTransfer();
          dragged.items.add(new File([new Uint8Array(25 * 1024 * 1024 + 1)], "huge.jpg", { type: "image/jpeg" }));
          document.querySelector(selector).dispatchEvent(new DragEvent("drop", { dataTransfer: dragged }));
        }""",
        ZONE,
    )
    finished(page, 1)

    assert "over 25 MB" in page.inner_text(".uploads li .uploads-state")
    assert page.locator(".uploads li button").count() == 0


def test_an_empty_file_is_called_empty(open_page: Callable[[str], "Page"], complaints: list[str]) -> None:
    page = open_page("/admin/images/image/add/")
    drop(page, ("nothing.jpg", b""))
    finished(page, 1)

    assert page.inner_text(".uploads li .uploads-state") == "The submitted file is empty."
    assert ["400" in said for said in complaints] == [True]
    complaints.clear()


def test_the_list_the_page_and_the_passes_open_without_a_complaint(open_page: Callable[[str], "Page"]) -> None:
    image = add_image(data=normal_jpeg(1)).image
    add_image(data=normal_jpeg(2))
    Image.objects.exclude(pk=image.pk).update(damaged_at=timezone.now())
    sweep()
    page = open_page("/admin/images/image/")
    assert shown_pixels(page, "img[src*='w=160']") == (160, 120)
    assert page.locator("text=damaged").count() >= 1
    page = open_page(f"/admin/images/image/{image.pk}/change/")
    assert shown_pixels(page, ".copies img") == (160, 120)
    page = open_page("/admin/images/pass/")
    assert "Shown by nothing any more: 2" in page.inner_text("#content")
