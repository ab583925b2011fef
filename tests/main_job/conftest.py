"""Where a server of the main job keeps its things: SQLite and local files, or PostgreSQL and a bucket."""

import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.parts import Bucket
from tests.running import RunningServer


@dataclass(frozen=True)
class Surroundings:
    """The settings of a server, and how to list the pictures that it has stored (name → size)."""

    settings: dict[str, str]
    stored: Callable[[], dict[str, int]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def surroundings(request: pytest.FixtureRequest, data: Path) -> Surroundings:
    """Follows ``--database``, so that a whole run has seen both."""
    if request.config.getoption("database") == "postgresql":
        return bucket_and_postgresql(request.getfixturevalue("new_bucket"))
    folder = data / "uploads" / "images"
    return Surroundings({}, lambda: {path.name: path.stat().st_size for path in folder.glob("*.jpg")})


def bucket_and_postgresql(bucket: Bucket) -> Surroundings:
    name = f"main_job_{secrets.token_hex(4)}"
    base = os.environ["DATABASE_URL"]
    with psycopg.connect(base, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")

    def stored() -> dict[str, int]:
        pages = bucket.client().get_paginator("list_objects_v2").paginate(Bucket=bucket.name, Prefix="images/")
        found = [item for page in pages for item in page.get("Contents", ())]
        return {item["Key"]: item["Size"] for item in found if item["Key"].count("/") == 1}

    return Surroundings({**bucket.environment, "DATABASE_URL": f"{base.rpartition('/')[0]}/{name}"}, stored)


@pytest.fixture
def server(data: Path, surroundings: Surroundings) -> Iterator[RunningServer]:
    """A server with the demo restaurant, ready."""
    with RunningServer(data, surroundings.settings) as running:
        yield running.until_ready()
