"""Triggers step aside for a migration and come back after it.

SQLite rebuilds a table to alter it: its triggers vanish silently, and rebuilding the counters fails while triggers name
them. What was written meanwhile was not captured, so a migration that ran makes a new epoch.
"""

from typing import Any

from django.db import DEFAULT_DB_ALIAS

from syncing import epochs

from . import drop, install, verify


def before(*, using: str = DEFAULT_DB_ALIAS, plan: Any = (), **_: Any) -> None:
    """Called once for each ``migrate``. Without a plan nothing is touched, because others may be writing."""
    if plan and using == DEFAULT_DB_ALIAS:
        drop()


def after(*, using: str = DEFAULT_DB_ALIAS, plan: Any = (), **_: Any) -> None:
    """Put right what is missing. Whenever something was, the history has a hole and a new one begins."""
    if using != DEFAULT_DB_ALIAS or not epochs.tables_exist():
        return
    if verify():
        install()
    elif plan:
        epochs.begin()
