"""What every room's tests share; tests/parts.py starts the real parts."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections

from tests.front import Front, front_of
from tests.parts import Bucket


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Puts SQLite's test database into a file, which other processes can open; tests need no durability.

    PostgreSQL needs nothing: each run, and each worker of ``-n``, has a server of its own.
    """
    for database in connections.databases.values():
        if database["ENGINE"].endswith("sqlite3"):
            database["TEST"]["NAME"] = str(Path(os.environ["DATA_DIR"]) / "test.sqlite3")
            options = database["OPTIONS"]
            options["init_command"] = options["init_command"].replace("synchronous=FULL", "synchronous=OFF")


@pytest.fixture(autouse=True)
def nothing_is_left_to_write() -> Iterator[None]:
    """Ends the threads that would write last contacts half a minute later, in the middle of some other test."""
    from devices import writebehind

    yield
    writebehind.forget()


@pytest.fixture(scope="session")
def front_of_this_run(s3: Bucket) -> Iterator[Front]:
    with front_of(s3) as front:
        yield front


@pytest.fixture
def front(front_of_this_run: Front, new_bucket: Bucket) -> Front:
    """A front that checks what moto doesn't, before an empty bucket."""
    return front_of_this_run.begin(new_bucket)
