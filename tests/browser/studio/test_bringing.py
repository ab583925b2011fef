"""On a new device pictures that were made elsewhere come when they are asked for, each once, whatever interrupts."""

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import expect

from studio.models import Item
from tests.posclient.proxy import Proxy

from .conftest import (
    OpenStudio,
    Stalling,
    downloaded,
    large,
    pictures,
    until,
    until_complete,
    until_kept,
    until_state,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database, pytest.mark.timeout(120)]


def test_bringing_goes_on_after_a_closed_page_and_a_lost_network_and_asks_for_no_original_twice(
    manager: User, proxy: Proxy, open_studio: OpenStudio
) -> None:
    items = pictures(manager, 10)
    page = open_studio(manager)
    panel = page.locator(".bringing")
    expect(panel).to_contain_text("You have 10 pictures elsewhere.")
    assert downloaded(proxy) == []

    proxy.choose = stalling = Stalling(3)
    panel.get_by_role("button", name="All pictures").click()
    until_kept(page, 3)
    expect(panel).to_contain_text("3 of 10 originals are here.")
    until(page, "() => studio.offline.getSnapshot().state === 'downloading'")
    page.close()
    assert len(stalling.stalled) <= 4  # four at a time
    proxy.hang_up()

    proxy.choose = Stalling(3)
    page = open_studio(manager, browser=page.context)
    until_kept(page, 6)
    proxy.cut_network()
    page.evaluate("studio.look()")
    until_state(page, "waiting")
    expect(page.locator(".bringing")).to_contain_text("Waiting for the network.")

    proxy.choose = lambda path: None
    proxy.restore_network()
    until_state(page, "live")
    until_complete(page, 10)
    expect(page.locator(".bringing")).to_be_hidden()
    assert sorted(downloaded(proxy)) == sorted(str(item.key) for item in items)


def test_it_can_be_paused_and_favourites_and_the_newest_can_be_all_that_comes(
    manager: User, proxy: Proxy, open_studio: OpenStudio
) -> None:
    items = pictures(manager, 6)
    Item.objects.filter(pk__in=[items[0].pk, items[2].pk]).update(is_favorite=True)
    page = open_studio(manager)
    proxy.choose = Stalling(1)
    page.click("[data-do=bring_favourites]")
    until_kept(page, 1)
    page.click("[data-do=pause]")
    expect(page.locator(".bringing")).to_contain_text("Paused.")
    proxy.choose = lambda path: None
    proxy.hang_up()
    page.click("[data-do=go_on]")
    until_complete(page, 2)
    assert set(downloaded(proxy)) == {items[0].key, items[2].key}

    page.click("a[href='#storage']")
    page.evaluate("studio.bring('recent', 3)")
    until_complete(page, 3)
    assert sorted(downloaded(proxy)) == sorted(str(items[at].key) for at in (0, 2, 3, 4, 5))
    assert {passed.query for passed in proxy.asked_below("/api/r2/image/")} == {"through=app"}


def test_a_full_disk_says_so_and_loses_nothing_that_is_here(
    manager: User, proxy: Proxy, open_studio: OpenStudio
) -> None:
    size = sum(item.size or 0 for item in pictures(manager, 8, made_by=large))

    def small_disk(page: "Page") -> None:
        """Before anything is written: Chromium remembers for half a minute how much room there is."""
        quota = {"origin": proxy.url, "quotaSize": size * 2 // 3}
        page.context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", quota)

    page = open_studio(manager, before=small_disk)
    page.click("[data-do=bring_everything]")
    expect(page.locator(".bringing")).to_contain_text("There is no room for the rest on this device.")
    keys = "studio.databases.originals.read('records', (tx) => tx.getAllKeys('records'))"
    kept = page.evaluate(keys)
    assert 0 < len(kept) < 8
    before = len(downloaded(proxy))

    page.click(".bringing [data-do=again]")
    until(page, "() => studio.offline.getSnapshot().state === 'full'")
    assert set(page.evaluate(keys)) >= set(kept)
    assert not set(downloaded(proxy)[before:]) & set(kept)
    expect(page.locator(".card")).to_have_count(8)
    page.click("a[href='#storage']")
    expect(page.locator("#storage-view")).to_contain_text("There is no room for the rest on this device.")


def test_what_is_deleted_elsewhere_leaves_the_device(manager: User, proxy: Proxy, open_studio: OpenStudio) -> None:
    items = pictures(manager, 3)
    page = open_studio(manager)
    page.evaluate("studio.bring('everything')")
    until_complete(page, 3)
    elsewhere = Client()
    elsewhere.force_login(manager)
    assert elsewhere.delete(f"/api/history/{items[1].pk}").status_code == 204
    page.evaluate("studio.look()")
    until_complete(page, 2)
    until_kept(page, 2)
    expect(page.locator(".card")).to_have_count(2)

    page.click("a[href='#storage']")
    expect(page.locator(".facts")).to_contain_text("Originals (2)")
    page.click("[data-do=remove_here]")
    page.get_by_role("button", name="OK").click()
    until_kept(page, 0)
    assert len(downloaded(proxy)) == 3
    assert Item.objects.count() == 2
