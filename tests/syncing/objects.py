"""What the database holds, as terminals see it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from syncing import log, objects, registry


def objects_of(name: str, ids: Sequence[UUID] | None = None) -> list[dict[str, Any]]:
    """The objects ``ids`` of the resource ``name``, or all of them, as a terminal reads them."""
    if ids is None:
        return orjson.loads(log.snapshot(name=name).items)
    return [orjson.loads(item.json) for item in objects.read(registry.resource(name), ids)]


def held_objects(name: str) -> dict[str, dict[str, Any]]:
    """All objects of the resource ``name``, by id."""
    return {item["id"]: item for item in objects_of(name)}
