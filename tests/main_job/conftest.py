"""Where a server of the main job keeps its things: SQLite and local files, or PostgreSQL and a bucket."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

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
def surroundings(
    request: pytest.FixtureRequest, data: Path, new_database: Callable[[], dict[str, str]]
) -> Surroundings:
    """Follows ``--database``, so that a whole run has seen both."""
    database = new_database()
    if not database:
        folder = data / "uploads" / "images"
        return Surroundings({}, lambda: {path.name: path.stat().st_size for path in folder.glob("*.jpg")})
    bucket: Bucket = request.getfixturevalue("new_bucket")

    def stored() -> dict[str, int]:
        pages = bucket.client().get_paginator("list_objects_v2").paginate(Bucket=bucket.name, Prefix="images/")
        found = [item for page in pages for item in page.get("Contents", ())]
        return {item["Key"]: item["Size"] for item in found if item["Key"].count("/") == 1}

    return Surroundings({**bucket.environment, **database}, stored)


@pytest.fixture
def server(data: Path, surroundings: Surroundings) -> Iterator[RunningServer]:
    """A server with the demo restaurant, ready."""
    with RunningServer(data, surroundings.settings) as running:
        yield running.until_ready()
