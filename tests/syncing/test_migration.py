"""Triggers survive migrations, are missed when they are gone, and come back with a new epoch.

The file is long because it is a list of ways in which triggers are lost or altered.
"""

import shutil
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import connection, migrations, models
from django.db.migrations.executor import MigrationExecutor

from catalog.models import Tag
from syncing import capture, epochs, log
from syncing.capture import migration
from syncing.checks import every_synced_table_has_its_triggers
from syncing.models import Change, Epoch, SyncedResource
from tests.parts import ROOT

pytestmark = pytest.mark.django_db(transaction=True)


def break_one_trigger() -> None:
    with connection.cursor() as cursor:
        on = ' ON "catalog_tag"' if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER capture_tag_catalog_tag_update{on}")


def test_everything_is_captured_after_migrate(transactional_db: None) -> None:
    assert capture.verify() == []
    out = StringIO()
    call_command("verify_sync", stdout=out)
    assert "Every change is captured" in out.getvalue()


def test_a_missing_trigger_is_named_and_migrate_puts_it_back_with_a_new_epoch(transactional_db: None) -> None:
    epoch = log.heads().epoch
    break_one_trigger()
    assert capture.verify() == [
        "Trigger capture_tag_catalog_tag_update"
        + (" on catalog_tag is missing." if connection.vendor == "postgresql" else " is missing.")
    ]
    with pytest.raises(CommandError, match="is missing"):
        call_command("verify_sync")
    assert [check.id for check in every_synced_table_has_its_triggers(["default"])] == ["syncing.W001"]
    call_command("migrate", verbosity=0)
    assert capture.verify() == []
    assert log.heads().epoch != epoch
    before = log.heads().versions["tag"]
    Tag.objects.create(name="seen again").save()
    Tag.objects.update(name="and updated")
    assert log.heads().versions["tag"] >= before + 2


def test_an_altered_trigger_is_named(transactional_db: None) -> None:
    break_one_trigger()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "CREATE OR REPLACE FUNCTION capture_tag_catalog_tag_update() RETURNS trigger"
                " LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
            )
            cursor.execute(
                "CREATE TRIGGER capture_tag_catalog_tag_update AFTER UPDATE ON catalog_tag"
                " FOR EACH STATEMENT EXECUTE FUNCTION capture_tag_catalog_tag_update()"
            )
        else:
            cursor.execute(
                "CREATE TRIGGER capture_tag_catalog_tag_update AFTER UPDATE ON catalog_tag BEGIN SELECT 1; END"
            )
    assert any("altered" in line for line in capture.verify())
    call_command("migrate", verbosity=0)
    assert capture.verify() == []


ALTERATIONS = {
    "other events": "AFTER INSERT ON catalog_tag REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
    "some columns": "AFTER UPDATE OF color ON catalog_tag FOR EACH ROW",
    "a condition": "AFTER UPDATE ON catalog_tag FOR EACH ROW WHEN (old.name = new.name)",
    "other names": "AFTER UPDATE ON catalog_tag REFERENCING OLD TABLE AS gone NEW TABLE AS new_rows FOR EACH STATEMENT",
}


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite's is compared as text")
@pytest.mark.parametrize("how", ALTERATIONS.values(), ids=ALTERATIONS)
def test_a_trigger_that_calls_the_right_function_at_the_wrong_time_is_named(transactional_db: None, how: str) -> None:
    break_one_trigger()
    name = "capture_tag_catalog_tag_update"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TRIGGER {name} {how} EXECUTE FUNCTION {name}()")
    assert capture.verify() == [f"Trigger {name} on catalog_tag was altered."]
    call_command("migrate", verbosity=0)
    assert capture.verify() == []


def test_a_trigger_that_is_left_over_is_named_and_goes(transactional_db: None) -> None:
    """As after a resource was renamed: it would go on to number changes of a resource that is no more."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "CREATE TRIGGER capture_label_update AFTER UPDATE ON catalog_tag FOR EACH STATEMENT"
                " EXECUTE FUNCTION capture_forget()"
            )
        else:
            cursor.execute("CREATE TRIGGER capture_label_update AFTER UPDATE ON catalog_tag BEGIN SELECT 1; END")
    (line,) = capture.verify()
    assert line.startswith("Trigger capture_label_update")
    assert line.endswith("is left over.")
    call_command("migrate", verbosity=0)
    assert capture.verify() == []


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite can't switch a trigger off")
def test_a_trigger_that_is_switched_off_is_named(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE catalog_tag DISABLE TRIGGER capture_tag_catalog_tag_insert")
    assert capture.verify() == ["Trigger capture_tag_catalog_tag_insert on catalog_tag is switched off."]
    call_command("migrate", verbosity=0)
    assert capture.verify() == []


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite's triggers have no functions")
def test_a_trigger_that_calls_a_function_of_that_name_elsewhere_is_named(transactional_db: None) -> None:
    break_one_trigger()
    name = "capture_tag_catalog_tag_update"
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA elsewhere")
        try:
            silent = "RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
            cursor.execute(f"CREATE FUNCTION elsewhere.{name}() {silent}")
            rows = "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT"
            cursor.execute(
                f"CREATE TRIGGER {name} AFTER UPDATE ON catalog_tag {rows} EXECUTE FUNCTION elsewhere.{name}()"
            )
            assert capture.verify() == [f"Trigger {name} on catalog_tag was altered."]
            call_command("migrate", verbosity=0)
            assert capture.verify() == []
        finally:
            cursor.execute("DROP SCHEMA elsewhere CASCADE")
    call_command("migrate", verbosity=0)  # what a failure above would have left without a trigger


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite's triggers have no functions")
def test_a_function_that_lost_its_settings_is_named_and_migrate_gives_them_back(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER FUNCTION capture_flush() RESET ALL")
    assert capture.verify() == ["Function capture_flush is missing or was altered."]
    call_command("migrate", verbosity=0)
    assert capture.verify() == []


def test_a_migration_that_rebuilds_a_table_keeps_its_triggers(transactional_db: None) -> None:
    """SQLite rebuilds the whole table to alter a column, which drops its triggers silently."""
    epoch = log.heads().epoch
    executor = MigrationExecutor(connection)
    state = executor.loader.project_state()
    longer = migrations.AlterField("tag", "name", models.CharField(max_length=61))
    shorter = migrations.AlterField("tag", "name", models.CharField(max_length=60))
    plan = [("a migration that isn't applied yet", False)]
    for operation in (longer, shorter):
        migration.before(plan=plan)
        before, state = state, state.clone()
        operation.state_forwards("catalog", state)
        with connection.schema_editor() as editor:
            operation.database_forwards("catalog", editor, before, state)
        assert capture.verify() != [], "the fault is that triggers were gone"
        migration.after(plan=plan)
    assert capture.verify() == []
    assert log.heads().epoch != epoch


@pytest.fixture
def one_more_migration(tmp_path: Path, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of one more migration of the catalogue, which alters a column; it is taken back at the end."""
    folder = tmp_path / "migrations_of_a_test"
    shutil.copytree(ROOT / "catalog" / "migrations", folder, ignore=shutil.ignore_patterns("__pycache__"))
    last = max(path.stem for path in folder.glob("0*.py"))
    (folder / "9999_longer_names.py").write_text(
        "from django.db import migrations, models\n"
        "class Migration(migrations.Migration):\n"
        f"    dependencies = [('catalog', '{last}')]\n"
        "    operations = [migrations.AlterField('tag', 'name', models.CharField(max_length=61))]\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {"catalog": folder.name}
    yield "9999_longer_names"
    call_command("migrate", "catalog", last, verbosity=0)
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[name]


def test_migrate_itself_keeps_the_triggers_of_a_table_that_it_rebuilds(one_more_migration: str) -> None:
    tag = Tag.objects.create(name="hot")
    epoch = log.heads().epoch
    rebuilt: list[str] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "catalog_tag" in sql and sql.startswith(("CREATE TABLE", "ALTER TABLE")):
            rebuilt.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        call_command("migrate", "catalog", one_more_migration, verbosity=0)

    assert rebuilt, "the migration really altered the table"
    assert capture.verify() == []
    assert log.heads().epoch != epoch
    before = log.heads().versions["tag"]
    Tag.objects.filter(pk=tag.pk).update(name="x" * 61)
    assert log.heads().versions["tag"] == before + 1
    Tag.objects.filter(pk=tag.pk).update(name="hot")


def test_migrate_without_a_plan_touches_nothing(transactional_db: None) -> None:
    epoch = log.heads().epoch
    call_command("migrate", verbosity=0)
    assert log.heads().epoch == epoch


def test_flush_puts_counters_and_a_new_epoch_back(transactional_db: None) -> None:
    Tag.objects.create(name="gone soon")
    epoch = log.heads().epoch
    call_command("flush", verbosity=0, interactive=False)
    assert capture.verify() == []
    heads = log.heads()
    assert heads.epoch != epoch
    assert set(heads.versions.values()) == {0}


@pytest.mark.parametrize("left", [None, 0, 2], ids=["missing", "reset", "behind"])
def test_a_counter_that_is_behind_its_log_is_named_and_goes_on_from_there(
    transactional_db: None, left: int | None
) -> None:
    for name in ("hot", "cold", "vegan"):
        Tag.objects.create(name=name)
    before = log.heads()
    counter = SyncedResource.objects.filter(name="tag")
    if left is None:
        counter.delete()
    else:
        counter.update(version=left)
    trouble = "is missing." if left is None else "is below its log."
    assert capture.verify() == [f"The counter of tag {trouble}"]

    call_command("migrate", verbosity=0)

    assert capture.verify() == []
    heads = log.heads()
    assert heads.epoch != before.epoch
    assert heads.versions == before.versions
    Tag.objects.bulk_create([Tag(name="new")], ignore_conflicts=True)
    delta = log.delta(name="tag", since=3, epoch=heads.epoch, limit=10)
    assert [
        (entry.version, entry.action, entry.data and orjson.loads(entry.data)["name"]) for entry in delta.changes
    ] == [(4, "created", "new")]
    with pytest.raises(log.ResyncRequired) as refusal:
        log.delta(name="tag", since=2, epoch=heads.epoch, limit=10)
    assert refusal.value.members["reason"] == "horizon"


def test_a_counter_whose_log_was_forgotten_begins_anew(transactional_db: None) -> None:
    Tag.objects.create(name="hot")
    Change.objects.all().delete()
    SyncedResource.objects.filter(name="tag").delete()
    call_command("migrate", verbosity=0)
    assert capture.verify() == []
    assert log.heads().versions["tag"] == 0


def test_a_repair_that_dies_before_its_new_epoch_is_done_by_the_next(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the trigger would be back, and nothing would tell that a write was missed."""
    tag = Tag.objects.create(name="hot")
    before = log.heads()
    break_one_trigger()
    Tag.objects.filter(pk=tag.pk).update(name="not captured")
    assert log.heads() == before, "the fault is that nobody is told"

    def die() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(epochs, "begin", die)
        with pytest.raises(KeyboardInterrupt):
            call_command("migrate", verbosity=0)
    assert capture.verify() != []
    assert log.heads() == before

    call_command("migrate", verbosity=0)
    assert capture.verify() == []
    assert log.heads().epoch != before.epoch


def test_a_lost_epoch_row_is_named_and_comes_back(transactional_db: None) -> None:
    Epoch.objects.all().delete()
    assert capture.verify() == ["The epoch is missing."]
    migration.after()
    assert capture.verify() == []
    assert Epoch.objects.count() == 1


def test_new_epoch_prints_the_epoch(transactional_db: None) -> None:
    out = StringIO()
    call_command("new_epoch", stdout=out)
    assert out.getvalue().strip() == str(log.heads().epoch)
