"""A machine that can't run us is told so by every command."""

import sqlite3

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection


def test_an_old_sqlite_is_refused_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    if connection.vendor != "sqlite":
        call_command("check")
        return

    with pytest.raises(SystemCheckError, match=r"3\.35 or newer is needed(.|\n)*DATABASE_URL"):
        call_command("check")
