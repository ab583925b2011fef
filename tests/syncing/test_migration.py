"""Triggers survive migrations, are missed when they are gone, and come back with a new epoch."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, migrations, models
from django.db.migrations.executor import MigrationExecutor

from catalog.models import Tag
from syncing import capture, log
from syncing.capture import migration
from syncing.checks import every_synced_table_has_its_triggers
from syncing.models import Epoch

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


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite can't switch a trigger off")
def test_a_trigger_that_is_switched_off_is_named(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE catalog_tag DISABLE TRIGGER capture_tag_catalog_tag_insert")
    assert capture.verify() == ["Trigger capture_tag_catalog_tag_insert on catalog_tag is switched off."]
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


def test_a_lost_epoch_row_comes_back(transactional_db: None) -> None:
    Epoch.objects.all().delete()
    migration.after()
    assert Epoch.objects.count() == 1


def test_new_epoch_prints_the_epoch(transactional_db: None) -> None:
    out = StringIO()
    call_command("new_epoch", stdout=out)
    assert out.getvalue().strip() == str(log.heads().epoch)
