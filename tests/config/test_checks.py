"""A machine that can't run us is told so before anything begins."""

import sqlite3

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection

from serving import supervisor


class Begun(Exception):
    """The server was about to start."""


@pytest.fixture
def old_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(_port: int) -> None:
        raise Begun

    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    monkeypatch.setattr(supervisor, "claim_port", begin)


@pytest.mark.parametrize(("command", "options"), [("check", {}), ("serve", {"skip_checks": False})])
@pytest.mark.usefixtures("old_sqlite")
def test_an_old_sqlite_is_refused_with_a_way_out(command: str, options: dict[str, bool]) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("SQLite only")
    with pytest.raises(SystemCheckError, match=r"3\.35 or newer is needed(.|\n)*DATABASE_URL"):
        call_command(command, **options)


@pytest.mark.usefixtures("old_sqlite")
def test_with_postgresql_it_does_not_matter() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL only")
    with pytest.raises(Begun):
        call_command("serve", skip_checks=False)
