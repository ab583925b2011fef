"""Managers and tills that write the same rows at the same moment: counters are no reason to wait or to fail."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, BrokenBarrierError, Event, local
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models.signals import post_save
from django.test import Client

from catalog import transactions
from catalog.models import Category, Product
from catalog.rows import Statement
from catalog.sheets import saving
from devices.services import enroll

from .conftest import Api
from .pages import AdminForm, list_form, messages_of

pytestmark = pytest.mark.django_db(transaction=True)
postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer")

SECONDS = 60


@pytest.fixture
def drinks(transactional_db: None) -> Category:
    return Category.objects.create(name="Drinks")


@pytest.fixture
def cola(drinks: Category) -> Product:
    return Product.objects.create(name="Cola", price="1.00", category=drinks, position=1)


@pytest.fixture
def fanta(drinks: Category) -> Product:
    return Product.objects.create(name="Fanta", price="1.00", category=drinks, position=2)


@pytest.fixture
def manager(transactional_db: None) -> Callable[[], Client]:
    user = User.objects.create_superuser("manager")

    def browser() -> Client:
        client = Client()
        client.force_login(user)
        return client

    return browser


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every transaction that ``run_in_transaction`` opens."""
    opened: list[object] = []
    committed = transactions._committed

    def counted(verb: Callable[[], Any]) -> Any:
        opened.append(verb)
        return committed(verb)

    monkeypatch.setattr(transactions, "_committed", counted)
    return opened


def in_threads(*jobs: Callable[[], Any]) -> list[Any]:
    def run(job: Callable[[], Any]) -> Any:
        try:
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [future.result(SECONDS) for future in [pool.submit(run, job) for job in jobs]]


@contextmanager
def after_its_first_product(act: Callable[[], object]) -> Iterator[None]:
    """Calls ``act`` when a thread has saved its first product, in the middle of its transaction."""
    seen = local()

    def saved(**_: Any) -> None:
        if not getattr(seen, "one", False):
            seen.one = True
            act()

    post_save.connect(saved, sender=Product)
    try:
        yield
    finally:
        post_save.disconnect(saved, sender=Product)


def turned(form: AdminForm) -> AdminForm:
    """The same list with its two rows in the other order, as a page that was sorted the other way round."""
    swapped = {"form-0-": "form-1-", "form-1-": "form-0-"}
    form.values = {
        swapped.get(name[:7], name[:7]) + name[7:] if name[:7] in swapped else name: value
        for name, value in form.values.items()
    }
    return form


@postgresql
def test_a_list_that_is_being_saved_holds_up_no_single_edit_and_no_single_edit_makes_it_fail(
    manager: Callable[[], Client], cola: Product, fanta: Product, tries: list[object]
) -> None:
    """Trap 11: the list has written Cola and is on its way to Fanta; a till writes Fanta and commits; the list goes on.

    With a counter that is bumped by the statement this is a deadlock: the till would wait for the counter, the list for
    the row.
    """
    till = Api(enroll(name="office", may_manage=True).token)
    form = list_form(manager(), Product)
    half_way, edited = Event(), Event()

    def meanwhile() -> None:
        if half_way.is_set():
            return  # it is the till that saves
        half_way.set()
        assert edited.wait(SECONDS), "the till had to wait for the list"

    def save_the_list() -> int:
        with after_its_first_product(meanwhile):
            return form.save(**{"form-0-price": "2.00", "form-1-price": "2.00"}).status_code

    def edit() -> int:
        assert half_way.wait(SECONDS)
        status: int = till.patch(f"/api/products/{fanta.pk}", {"kitchen_name": "orange"}).status_code
        edited.set()
        return status

    assert in_threads(save_the_list, edit) == [302, 200]
    assert len(tries) == 2, "nobody had to try twice"
    fanta.refresh_from_db()
    assert (str(fanta.price), fanta.kitchen_name) == ("2.00", "orange")


@postgresql
def test_two_lists_that_are_saved_in_opposite_order_are_both_saved(
    manager: Callable[[], Client], cola: Product, fanta: Product, tries: list[object]
) -> None:
    """Row locks in opposite order are a true deadlock (40P01): PostgreSQL ends one of them, which is tried again."""
    one, other = list_form(manager(), Product), turned(list_form(manager(), Product))
    both_hold_one = Barrier(2)

    def meet() -> None:
        try:
            both_hold_one.wait(20)
        except BrokenBarrierError:
            pytest.fail("the two never met: no deadlock was made")

    with after_its_first_product(meet):
        statuses = in_threads(
            lambda: one.save(**{"form-0-price": "2.00", "form-1-price": "2.00"}).status_code,
            lambda: other.save(**{"form-0-is_sold_out": "on", "form-1-is_sold_out": "on"}).status_code,
        )

    assert statuses == [302, 302]
    assert len(tries) == 3, "the fault fired: one was the victim of a deadlock"
    assert {(str(p.price), p.is_sold_out) for p in Product.objects.all()} == {("2.00", True)}


@postgresql
def test_an_import_that_is_the_victim_of_a_deadlock_is_tried_once_more(
    manager: Callable[[], Client],
    cola: Product,
    fanta: Product,
    tries: list[object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser, there = manager(), "/admin/catalog/product"
    # Other columns of each row: two statements, of which the list comes in between.
    sheet = f"id,price,kitchen_name\n{cola.pk},3.00,\n{fanta.pk},1.00,orange\n"
    offered = {"import_file": SimpleUploadedFile("menu.csv", sheet.encode())}
    confirm = browser.post(f"{there}/import/", offered).context["confirm_form"].initial
    form = turned(list_form(manager(), Product))
    both_hold_one = Barrier(2)
    run, met = Statement.run, Event()

    def run_and_meet(statement: Statement) -> Any:
        found = run(statement)
        if "UPDATE catalog_product" in statement.sql and not met.is_set():
            met.set()
            both_hold_one.wait(20)
        return found

    monkeypatch.setattr(Statement, "run", run_and_meet)
    tries.clear()

    with after_its_first_product(lambda: both_hold_one.wait(20)):
        statuses = in_threads(
            lambda: browser.post(f"{there}/process_import/", confirm).status_code,
            lambda: form.save(**{"form-0-is_sold_out": "on", "form-1-is_sold_out": "on"}).status_code,
        )

    assert statuses == [302, 302]
    assert len(tries) == 3, "the fault fired: one was the victim of a deadlock"
    products = Product.objects.order_by("position")
    assert [(str(p.price), p.kitchen_name, p.is_sold_out) for p in products] == [
        ("3.00", "", True),
        ("1.00", "orange", True),
    ]


def test_an_import_that_is_in_the_way_of_others_twice_says_so_and_brings_nothing_in(
    manager: Callable[[], Client], cola: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, there = manager(), "/admin/catalog/product"
    sheet = f"id,name,price,category\n{cola.pk},Cola,3.00,Drinks\n"
    offered = {"format": "0", "resource": "0", "import_file": SimpleUploadedFile("menu.csv", sheet.encode())}
    confirm = browser.post(f"{there}/import/", offered).context["confirm_form"].initial

    def in_the_way(_verb: object) -> None:
        raise transactions.Contended

    monkeypatch.setattr(saving, "run_in_transaction", in_the_way)
    answer = browser.post(f"{there}/process_import/", confirm)

    assert answer.status_code == 302
    assert "Try again" in messages_of(answer)[0]
    cola.refresh_from_db()
    assert str(cola.price) == "1.00"
