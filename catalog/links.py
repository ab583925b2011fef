"""The other ends that records are linked to (a many-to-many field), given and kept as one list of ids."""

from collections.abc import Mapping
from uuid import UUID

from syncing.registry import Link

from . import rows


def set_links(link: Link, wanted: Mapping[UUID, set[UUID]]) -> set[UUID]:
    """Let each record have exactly the links ``wanted``, by its id; returns the records that had others."""
    if not wanted:
        return set()
    there = {(row[link.owner], row[link.other]): row["id"] for row in rows.read(link.model, wanted, by=link.owner)}
    pairs = {(owner, other) for owner, others in wanted.items() for other in others}
    if surplus := there.keys() - pairs:
        link.model._base_manager.filter(pk__in=[there[pair] for pair in surplus]).delete()
    if lacking := sorted(pairs - there.keys()):
        rows.insert(link.model, [{link.owner: owner, link.other: other} for owner, other in lacking])
    return {owner for owner, _ in surplus | (pairs - there.keys())}
