"""Long sheets: a worker does them, the page may be left, others go on writing, and nothing grows with the rows."""

import os
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.utils import timezone

from catalog import tasks
from catalog.models import Category, Product, Tag, Zone
from catalog.resources import kind_of
from catalog.sheets import jobs
from images.blobs import blobs
from tests.parts import ROOT, shared_environment, wait_until

from .test_pages import address, complaints, offer

IMPORT = address(Product, "import")


def menu(rows: int, *, price: str = "3,10 €") -> bytes:
    lines = [f"Dish {n};S-{n:05};{4_000_000_000_000 + n};{price};Drinks;Vegan | Kids;Sí" for n in range(rows)]
    return "\n".join(["Nombre;SKU;barcode;price;category;tags;is_active", *lines]).encode()


@pytest.fixture
def shop(db: None) -> None:
    Category.objects.create(name="Drinks")
    Tag.objects.bulk_create([Tag(name="Vegan"), Tag(name="Kids")])


def upload(client: Client, data: bytes) -> Any:
    return client.post(IMPORT, {"import_file": SimpleUploadedFile("menu.csv", data)}, follow=False)


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Messages that would go to a worker."""
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr(tasks.work_on_sheet, "delay", lambda *message: sent.append(message))
    return sent


def test_a_long_sheet_is_looked_at_and_taken_by_a_worker(
    shop: None, admin_client: Client, by_hand: list[tuple[Any, ...]]
) -> None:
    away = upload(admin_client, menu(1001))
    assert away.status_code == 302
    page = admin_client.get(away.url)
    assert page["Refresh"] == "1"
    assert "It waits for a worker" in page.content.decode()
    assert "?sheet=" in admin_client.get(IMPORT).content.decode()  # the way back
    tasks.work_on_sheet(*by_hand.pop())
    page = admin_client.get(away.url)
    assert not Product.objects.exists()
    assert "1001 new" in page.content.decode()
    assert "Refresh" not in page
    taken: Any = admin_client.post(address(Product, "process_import"), page.context["confirm_form"].initial)
    tasks.work_on_sheet(*by_hand.pop())
    page = admin_client.get(taken.url)
    assert "Imported: 1001 new" in page.content.decode()
    assert "confirm_form" not in page.context
    assert Product.objects.count() == 1001
    assert page.context["result"].new == 1001


def test_mistakes_of_a_long_sheet_are_told_in_a_short_page(
    shop: None, admin_client: Client, by_hand: list[tuple[Any, ...]]
) -> None:
    away = upload(admin_client, menu(1500, price="'''<much>'''" * 30))
    tasks.work_on_sheet(*by_hand.pop())
    page = admin_client.get(away.url)
    assert page.context["result"].mistakes == 1500
    assert "Row 2, column “price”" in complaints(page)
    assert "more" in page.content.decode()
    assert len(page.content) < 300_000


def test_the_page_of_a_preview_is_short_whatever_the_texts(shop: None, admin_client: Client) -> None:
    text = "<&'\"" * 900
    rows = [f"Dish {n};{n};1;Drinks;" + f'"{text.replace(chr(34), chr(34) * 2)}"' for n in range(900)]
    page = offer(admin_client, Product, "\n".join(["name;sku;price;category;description", *rows]).encode()[:990_000])
    assert len(page.content) < 300_000


def test_a_message_that_comes_twice_does_nothing_more(
    shop: None, admin_client: Client, by_hand: list[tuple[Any, ...]]
) -> None:
    away = upload(admin_client, menu(1001))
    tasks.work_on_sheet(*by_hand.pop())
    page = admin_client.get(away.url)
    taken: Any = admin_client.post(address(Product, "process_import"), page.context["confirm_form"].initial)
    message = by_hand.pop()
    tasks.work_on_sheet(*message)
    tasks.work_on_sheet(*message)
    assert "Imported: 1001 new" in admin_client.get(taken.url).content.decode()


def test_a_worker_that_can_not_be_reached_is_said(
    shop: None, admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_message: Any) -> None:
        raise OSError("no broker")

    monkeypatch.setattr(tasks.work_on_sheet, "delay", away)
    page = admin_client.get(upload(admin_client, menu(1001)).url)
    assert "No worker can be reached" in page.content.decode()


def test_a_sheet_that_breaks_off_says_so_and_stores_nothing(
    shop: None, admin_client: Client, by_hand: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    away = upload(admin_client, menu(1001))
    monkeypatch.setattr(jobs, "look", lambda *_a, **_k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tasks.work_on_sheet(*by_hand.pop())
    assert "nothing was stored" in admin_client.get(away.url).content.decode()


def test_a_file_belongs_to_its_session_and_its_kind(shop: None, admin_client: Client, client: Client) -> None:
    confirm = offer(admin_client, Product, menu(3)).context["confirm_form"].initial
    client.force_login(User.objects.create_superuser("another"))
    for sender, model in ((client, Product), (admin_client, Zone)):
        answer = sender.post(address(model, "process_import"), confirm, follow=True)
        assert "This file isn" in answer.content.decode()
    for name in ("../../secret_key", "", "x" * 5000, "/etc/passwd"):
        answer = admin_client.post(address(Product, "process_import"), {"import_file_name": name}, follow=True)
        assert "This file isn" in answer.content.decode()
    assert not Product.objects.exists()
    assert admin_client.post(address(Product, "process_import"), confirm).status_code == 302
    assert Product.objects.count() == 3


def test_files_that_nobody_takes_are_swept(shop: None, admin_client: Client) -> None:
    jobs.sweep(now=timezone.now() + timedelta(days=2))  # those of other tests
    offer(admin_client, Product, menu(3))
    jobs.sweep(now=timezone.now())
    assert len(list(blobs().list(jobs.FOLDER))) == 1
    jobs.sweep(now=timezone.now() + timedelta(days=2))
    assert list(blobs().list(jobs.FOLDER)) == []


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_does_it(shop: None, admin_client: Client, celery_worker_process: object) -> None:
    away = upload(admin_client, menu(1200))
    wait_until(lambda: "confirm_form" in (admin_client.get(away.url).context or {}), what="the preview")
    confirm = admin_client.get(away.url).context["confirm_form"].initial
    admin_client.post(address(Product, "process_import"), confirm)
    wait_until(lambda: Product.objects.count() == 1200, what="the import")


def longest_wait(during: Any) -> float:
    """How long the slowest of others' writes takes meanwhile, in seconds."""
    waits, done = [0.0], threading.Event()
    zone, _new = Zone.objects.get_or_create(name="Terrace")

    def write() -> None:
        while not done.is_set():
            begun = time.perf_counter()
            Zone.objects.filter(pk=zone.pk).update(position=len(waits))
            waits.append(time.perf_counter() - begun)
            time.sleep(0.01)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        during()
    finally:
        done.set()
        writer.join()
    return max(waits)


@pytest.mark.django_db(transaction=True)
def test_others_write_while_a_sheet_comes_in(shop: None) -> None:
    assert longest_wait(lambda: jobs.take(menu(2000), kind_of(Product))) < 2
    assert longest_wait(lambda: jobs.look(menu(2000, price="4"), kind_of(Product))) < 2
    assert Product.objects.count() == 2000


@pytest.mark.soak
@pytest.mark.django_db(transaction=True)
def test_twenty_thousand_rows(shop: None, tmp_path: Path) -> None:
    """Each in at most a minute and 200 MB, while no writer waits for longer than two seconds."""
    for price in ("3,10 €", "4"):  # new, then changed
        file = tmp_path / "menu.csv"
        file.write_bytes(menu(20_000, price=price))
        for only_look in (True, False):
            seconds, megabytes = 0.0, 0

            def command(only_look: bool = only_look, file: Path = file) -> None:
                nonlocal seconds, megabytes
                seconds, megabytes = measured(file, *(["--dry-run"] if only_look else []))

            waited = longest_wait(command)
            print(f"look={only_look}: {seconds:.1f} s, {megabytes} MB, others waited {waited:.2f} s")  # noqa: T201
            assert (seconds < 60, megabytes <= 200, waited < 2) == (True, True, True), (seconds, megabytes, waited)
    assert Product.objects.filter(price=4).count() == 20_000


def measured(file: Path, *options: str) -> tuple[float, int]:
    """Seconds and megabytes of the command in a process of its own."""
    begun = time.perf_counter()
    command = [sys.executable, "manage.py", "import", "product", str(file), *options]
    process = subprocess.Popen(command, cwd=ROOT, env=shared_environment())
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return time.perf_counter() - begun, usage.ru_maxrss // 1024
