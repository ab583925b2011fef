"""What `manage.py`, and with it ``make run``, says before it begins when the machine can't run us."""

import sqlite3
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.db import connection

SQLITE = (3, 35)  # the first with RETURNING


@register
def sqlite_is_new_enough(**_: Any) -> list[CheckMessage]:
    if connection.vendor != "sqlite" or sqlite3.sqlite_version_info >= SQLITE:
        return []
    wanted = ".".join(map(str, SQLITE))
    return [
        Error(
            f"This Python comes with SQLite {sqlite3.sqlite_version}; {wanted} or newer is needed.",
            hint="Use a newer Python (make PYTHON=/path/to/python3), or PostgreSQL: set DATABASE_URL.",
            id="config.E001",
        )
    ]
