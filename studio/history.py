"""A history: what one user asked for, as it goes over the wire, whole or from any version.

The database makes the JSON of the columns (``syncing.objects``), as it does for the catalogue; what a client sees is
made of that in one place, `wire`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.db.models import Q
from django.http import Http404

from catalog.keyset import Page, page
from images.services import image_url
from syncing import objects, partitions
from syncing.registry import Resource

from .models import Item, Status

ITEM = Resource(
    "history",
    Item,
    fields=(
        *("id", "prompt", "model", "provider_url", "key", "image", "is_favorite", "created_at", "status", "error"),
        *("kind", "style", "product", "source", "placed_at", "width", "height", "size", "content_type", "stored_at"),
    ),
    partition="owner",
)
NEWEST_FIRST = ("-created_at", "-id")


@dataclass(frozen=True)
class Changes:
    """Items and ids of what was deleted since a version; ``version < head`` means that there is more to ask for."""

    epoch: UUID
    version: int
    head: int
    items: list[dict[str, Any]]
    deleted: list[str]


def wire(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as clients see it, of the columns that `ITEM` names. What isn't there yet is None."""
    key = item["key"] if item["stored_at"] else None
    return {
        "id": item["id"],
        "prompt": item["prompt"],
        "model": item["model"],
        "image_url": address(item),
        "r2_key": key,
        "r2_url": f"/api/r2/image/{key}" if key else None,
        "hash": item["image"],
        "favorite": item["is_favorite"],
        "timestamp": item["created_at"],
        "status": item["status"],
        "error": item["error"] or None,
        "kind": item["kind"],
        "style": item["style"],
        "product": item["product"],
        "source": item["source"],
        "placed": item["placed_at"] is not None,
        "width": item["width"],
        "height": item["height"],
        "size": item["size"],
        "content_type": item["content_type"] or None,
    }


def address(item: Mapping[str, Any]) -> str | None:
    """Where the picture can be loaded: at the provider's, or at ours."""
    if item["status"] != Status.READY:
        return None
    if item["provider_url"]:
        return str(item["provider_url"])
    return image_url(item["image"]) if item["stored_at"] else f"/api/history/{item['id']}/image"


def one(*, owner_id: int, item_id: UUID) -> dict[str, Any]:
    """The item of this user. Raises Http404, also for one of somebody else."""
    found = objects.listed(ITEM, Item.objects.of(owner_id).filter(pk=item_id))
    if not found:
        raise Http404
    return wire(orjson.loads(found[0]))


def listed(*, owner_id: int, condition: Q, limit: int, cursor: str | None) -> Page:
    """A page of the user's items, newest first. Raises InvalidParameter for a cursor that wasn't made here."""
    items = Item.objects.of(owner_id).filter(condition)
    return page(ITEM, items, order=NEWEST_FIRST, limit=limit, cursor=cursor)


def since(*, owner_id: int, version: int, epoch: UUID | None, limit: int) -> Changes:
    """What changed after ``version``; after 0 it is all there is, at exactly the version that is named.

    Raises ResyncRequired when the change log can't continue from there.
    """
    if version == 0:
        part = partitions.whole(ITEM, owner_id)
    else:
        part = partitions.changes(ITEM, owner_id, since=version, epoch=epoch, limit=limit)
    items = [wire(orjson.loads(item)) for item in part.items]
    return Changes(part.epoch, part.version, part.head, items, part.deleted)
