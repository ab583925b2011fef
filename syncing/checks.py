"""``manage.py check --database default`` and ``migrate`` warn when a change could be missed."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError

from . import capture, epochs


@register(Tags.database)
def every_synced_table_has_its_triggers(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    if not databases or "default" not in databases:
        return []
    try:
        problems = capture.verify() if epochs.tables_exist() else []  # before the first migrate there is nothing to see
    except DatabaseError as error:
        problems = [f"The database can't be asked: {error}"]
    hint = "Run manage.py migrate: it puts triggers and counters back and begins a new epoch."
    return [Warning(problem, hint=hint, id="syncing.W001") for problem in problems]
