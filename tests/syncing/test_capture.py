"""Every path of a write is captured, whoever writes: the change log names exactly what changed, densely.

The file is long because it is a list of paths.
"""

import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from uuid import uuid4

import pytest
from django.core import serializers
from django.db import DatabaseError, connection, transaction
from django.db.models.deletion import ProtectedError

from catalog.models import Attribute, AttributeOption, Category, PrintDestination, Product, Tag
from syncing import log
from syncing.models import SyncedResource
from tests.parts import ROOT, shared_environment

pytestmark = pytest.mark.django_db(transaction=True)

Logged = Callable[[log.Versions], list[tuple[str, str, str]]]
postgresql = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite's triggers number each statement")


def mark() -> log.Versions:
    return log.heads().versions


def test_a_save_is_one_change(product: Product, logged: Logged) -> None:
    before = mark()
    product.price = Decimal("3.00")
    product.save()
    assert logged(before) == [("product", "updated", str(product.id))]


def test_creating_and_deleting_are_noted(category: Category, logged: Logged) -> None:
    before = mark()
    tag = Tag.objects.create(name="vegan")
    key = str(tag.id)
    tag.delete()
    assert logged(before) == [("tag", "created", key), ("tag", "deleted", key)]


def test_update_of_a_queryset_notes_only_rows_that_changed(category: Category, logged: Logged) -> None:
    cheap, dear = (Product.objects.create(name=n, price=p, category=category) for n, p in (("a", "1"), ("b", "9")))
    before = mark()
    Product.objects.filter(pk__in=[cheap.pk, dear.pk]).update(price=Decimal(9))
    assert logged(before) == [("product", "updated", str(cheap.id))]


def test_bulk_create_also_as_an_upsert(category: Category, logged: Logged) -> None:
    old = Product.objects.create(name="old", price="1", category=category)
    new = Product(name="new", price="2", category=category)
    before = mark()
    Product.objects.bulk_create(
        [Product(id=old.id, name="renamed", price="1", category=category), new],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["name"],
    )
    assert sorted(logged(before)) == sorted([("product", "updated", str(old.id)), ("product", "created", str(new.id))])


def test_bulk_update(category: Category, logged: Logged) -> None:
    some = [Product.objects.create(name=f"p{n}", price="1", category=category) for n in range(3)]
    before = mark()
    for place, product in enumerate(some):
        product.position = place + 1
    Product.objects.bulk_update(some, ["position"])
    assert sorted(logged(before)) == sorted(("product", "updated", str(p.id)) for p in some)


def test_links_belong_to_their_owner_from_either_side(product: Product, logged: Logged) -> None:
    tag = Tag.objects.create(name="hot")
    change = [("product", "updated", str(product.id))]
    before = mark()
    product.tags.add(tag)
    assert logged(before) == change
    before = mark()
    tag.products.remove(product)
    assert logged(before) == change
    before = mark()
    Product.tags.through.objects.create(product=product, tag=tag)
    assert logged(before) == change


def test_deleting_a_tag_changes_the_products_that_had_it(product: Product, logged: Logged) -> None:
    tag = Tag.objects.create(name="hot")
    product.tags.add(tag)
    before, key = mark(), str(tag.id)
    tag.delete()
    assert logged(before) == [("product", "updated", str(product.id)), ("tag", "deleted", key)]


def test_options_travel_inside_their_attribute(transactional_db: None, logged: Logged) -> None:
    size, milk = Attribute.objects.create(name="Size"), Attribute.objects.create(name="Milk")
    before = mark()
    option = AttributeOption.objects.create(attribute=size, name="Large")
    assert logged(before) == [("attribute", "updated", str(size.id))]
    before = mark()
    AttributeOption.objects.filter(pk=option.pk).update(attribute=milk)
    assert sorted(logged(before)) == sorted(("attribute", "updated", str(a.id)) for a in (size, milk))


def test_an_optional_reference_that_becomes_empty_is_a_change(transactional_db: None, logged: Logged) -> None:
    bar = PrintDestination.objects.create(name="Bar")
    kitchen = PrintDestination.objects.create(name="Kitchen", fallback=bar)
    before, key = mark(), str(bar.id)
    bar.delete()
    assert sorted(logged(before)) == sorted(
        [("print_destination", "deleted", key), ("print_destination", "updated", str(kitchen.id))]
    )


def test_a_deleted_product_ends_as_deleted_although_its_links_went_first(product: Product, logged: Logged) -> None:
    product.tags.add(Tag.objects.create(name="hot"))
    before, key = mark(), str(product.id)
    product.delete()
    changes = logged(before)
    assert changes[-1] == ("product", "deleted", key)
    assert {change[2] for change in changes} == {key}


def test_what_is_protected_leaves_no_trace(product: Product, logged: Logged) -> None:
    before = mark()
    with pytest.raises(ProtectedError):
        product.category.delete()
    assert logged(before) == []


def test_a_rolled_back_save_leaves_no_version(product: Product, logged: Logged) -> None:
    before = mark()
    with transaction.atomic():
        Product.objects.filter(pk=product.pk).update(price=Decimal(7))
        transaction.set_rollback(True)
    assert logged(before) == []
    assert mark() == before


def test_loaddata_is_captured(product: Product, logged: Logged) -> None:
    fixture = serializers.serialize("json", [product]).replace("Cola", "Cola Zero")
    before = mark()
    for loaded in serializers.deserialize("json", fixture):
        loaded.save()
    assert ("product", "updated", str(product.id)) in logged(before)
    product.refresh_from_db()
    assert product.name == "Cola Zero"


def test_plain_sql_is_captured(product: Product, logged: Logged) -> None:
    before = mark()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_product SET name = 'by hand'")
    assert logged(before) == [("product", "updated", str(product.id))]


def test_another_process_is_captured(product: Product, logged: Logged) -> None:
    before = mark()
    code = "from catalog.models import Product; Product.objects.update(name='from the shell')"
    subprocess.run([sys.executable, "manage.py", "shell", "-c", code], cwd=ROOT, env=shared_environment(), check=True)
    assert logged(before) == [("product", "updated", str(product.id))]


def test_a_changed_key_is_a_deletion_and_a_creation(transactional_db: None, logged: Logged) -> None:
    tag, key = Tag.objects.create(name="hot"), uuid4()
    before, old = mark(), str(tag.id)
    Tag.objects.filter(pk=tag.pk).update(id=key)
    assert sorted(logged(before)) == sorted([("tag", "deleted", old), ("tag", "created", str(key))])


def test_an_update_is_told_by_the_rows_it_changed_however_many_it_touched(
    transactional_db: None, logged: Logged
) -> None:
    """One row goes another way than several: in each order, in one session, and with a key that changes."""
    hot, mild = (Tag.objects.create(name=name) for name in ("hot", "mild"))
    before, moved = mark(), uuid4()
    Tag.objects.filter(name="nobody").update(name="no row")
    Tag.objects.filter(pk=hot.pk).update(name="hot")  # one row, as it was
    Tag.objects.filter(pk=hot.pk).update(name="very hot")  # one row
    Tag.objects.filter(pk=mild.pk).update(color="#00ff00")
    Tag.objects.filter(pk__in=[hot.pk, mild.pk]).update(color="#00ff00")  # two, of which one was so
    Tag.objects.filter(pk=hot.pk).update(color="")  # one again
    with connection.cursor() as cursor:  # two, and one of them changes its key
        cursor.execute(
            "UPDATE catalog_tag SET kind = 'diet', id = CASE WHEN color = '' THEN %s ELSE id END",
            [moved if connection.vendor == "postgresql" else moved.hex],
        )
    changes = logged(before)
    assert changes[:4] == [("tag", "updated", str(tag.id)) for tag in (hot, mild, hot, hot)]
    assert sorted(changes[4:]) == sorted(
        [("tag", "deleted", str(hot.id)), ("tag", "created", str(moved)), ("tag", "updated", str(mild.id))]
    )


@postgresql
def test_noting_leaves_the_planner_as_the_writer_had_set_it(category: Category, logged: Logged) -> None:
    pair = Product.objects.bulk_create(Product(name=name, price="1", category=category) for name in "ab")
    before = mark()
    for chosen in ("on", "off"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL enable_mergejoin = {chosen}")
            cursor.execute("UPDATE catalog_product SET position = position + 1")
            cursor.execute("SHOW enable_mergejoin")
            assert cursor.fetchone() == (chosen,)
    assert sorted(logged(before)) == sorted([("product", "updated", str(product.id)) for product in pair] * 2)


def test_a_missing_counter_fails_the_write(transactional_db: None) -> None:
    SyncedResource.objects.filter(name="tag").delete()
    with pytest.raises(DatabaseError, match="counter of tag is missing"):
        Tag.objects.create(name="lost")
    assert not Tag.objects.exists()


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="REPLACE is SQLite's")
def test_replace_reports_its_deletion(product: Product, logged: Logged) -> None:
    Tag.objects.create(id=(key := uuid4()), name="hot")
    before = mark()
    with connection.cursor() as cursor:
        cursor.execute(
            "REPLACE INTO catalog_tag (id, name, color, kind, updated_at) VALUES (%s, 'new', '', 'menu', '2026-01-01')",
            [key.hex],
        )
    assert logged(before) == [("tag", "deleted", str(key)), ("tag", "created", str(key))]


@postgresql
def test_one_transaction_gives_an_object_one_change(category: Category, logged: Logged) -> None:
    before = mark()
    with transaction.atomic():
        product = Product.objects.create(name="a", price="1", category=category)
        product.tags.add(Tag.objects.create(name="t"))
        product.price = Decimal(2)
        product.save()
        short_lived = Tag.objects.create(name="gone")
        short_lived.delete()
    changes = logged(before)
    assert [(name, action) for name, action, _ in changes] == [("product", "created"), ("tag", "created")]


@postgresql
def test_deleted_and_created_again_is_an_update(product: Product, logged: Logged) -> None:
    before = mark()
    with transaction.atomic():
        Product.objects.filter(pk=product.pk).delete()
        product.save(force_insert=True)
    assert logged(before) == [("product", "updated", str(product.id))]


MORE = "INSERT INTO catalog_tag (id, updated_at, name, color, kind) SELECT %s, now(), %s, '', 'menu'"


@postgresql
@pytest.mark.parametrize(
    "taking",
    [
        "WITH gone AS (DELETE FROM catalog_tag WHERE id = %s RETURNING id)",
        "WITH gone AS (UPDATE catalog_tag SET id = gen_random_uuid() WHERE id = %s RETURNING id)",
    ],
)
def test_a_row_that_one_statement_replaces_is_an_update(taking: str, transactional_db: None, logged: Logged) -> None:
    tag = Tag.objects.create(name="old")
    before = mark()
    with connection.cursor() as cursor:  # the deletion ends, and is noted, last
        cursor.execute(f"{taking} {MORE} WHERE EXISTS (SELECT FROM gone)", [tag.pk, tag.pk, "new"])
    assert Tag.objects.get(pk=tag.pk).name == "new"
    assert ("tag", "updated", str(tag.pk)) in logged(before)

    before = mark()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{taking} {MORE} WHERE EXISTS (SELECT FROM gone)", [tag.pk, tag.pk, "newer"])
        cursor.execute("DELETE FROM catalog_tag WHERE id = %s", [tag.pk])
    assert ("tag", "deleted", str(tag.pk)) in logged(before)


@postgresql
@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_truncate_is_refused_where_it_could_take_rows_that_nobody_sees(level: str, transactional_db: None) -> None:
    tag = Tag.objects.create(name="hot")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
        with pytest.raises(DatabaseError, match="do it under READ COMMITTED"), transaction.atomic():
            cursor.execute("TRUNCATE catalog_tag CASCADE")
    assert Tag.objects.filter(pk=tag.pk).exists()


@postgresql
def test_truncate_is_captured(product: Product, logged: Logged) -> None:
    tag = Tag.objects.create(name="hot")
    product.tags.add(tag)
    before = mark()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE catalog_tag CASCADE")
    changes = logged(before)
    assert ("tag", "deleted", str(tag.id)) in changes
    assert ("product", "updated", str(product.id)) in changes


@postgresql
def test_numbering_never_reads_the_notes_from_end_to_end(product: Product, logged: Logged) -> None:
    """Its plans are made while there are no notes; what others have noted must not slow it down later."""
    before = mark()
    other = connection.copy()  # a session that has no plans yet
    try:
        with other.cursor() as cursor:
            cursor.execute("VACUUM syncing_pending")
            scans = _scans_of_notes(other)
            for position in range(1, 9):  # PL/pgSQL decides on its plans after five
                cursor.execute("UPDATE catalog_product SET position = %s", [position])
            for statement in (
                "BEGIN",
                "UPDATE catalog_product SET position = 20",
                "UPDATE catalog_product SET position = 21",
            ):
                cursor.execute(statement)
            cursor.execute("COMMIT")
            assert _scans_of_notes(other) == scans
    finally:
        other.close()
    assert logged(before) == [("product", "updated", str(product.id))] * 9


def _scans_of_notes(other: object) -> int:
    with other.cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'syncing_pending'")
        return int(cursor.fetchone()[0])


@postgresql
def test_a_transaction_that_commits_late_is_not_lost(category: Category, logged: Logged) -> None:
    """Trap 1: held open in one connection, another commits, then the first does."""
    other = connection.copy()
    try:
        before = mark()
        with transaction.atomic():
            first = Product.objects.create(name="held open", price="1", category=category)
            with other.cursor() as cursor:
                cursor.execute("UPDATE catalog_category SET position = 5")
                cursor.execute(
                    "INSERT INTO catalog_tag (id, name, color, kind, updated_at)"
                    " VALUES (gen_random_uuid(), 'quick', '', 'menu', now())"
                )
            seen = _versions(other)
        assert seen["product"] == before["product"]
        assert seen["tag"] == before["tag"] + 1
        assert ("product", "created", str(first.id)) in logged(seen)
    finally:
        other.close()


def _versions(other: object) -> dict[str, int]:
    with other.cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute("SELECT name, version FROM syncing_resource")
        return dict(cursor.fetchall())
