"""The tables to watch: every one whose rows are part of some resource's wire shape."""

from dataclasses import dataclass
from functools import cached_property

from django.db.models import CharField, Model, TextField

from syncing import registry


@dataclass(frozen=True)
class Table:
    """A table to watch: the resource that its rows belong to, and the column that names the owner's id.

    ``owner`` is None for a resource's own table; in a child or link table it is the column of the owner's id.
    ``partition`` is the column of a private resource whose values have counters of their own.
    """

    resource: str
    name: str
    key: str
    columns: tuple[str, ...]
    owner: str | None = None
    partition: str | None = None

    @cached_property
    def slug(self) -> str:
        """A name for its triggers: one table may belong to more than one resource."""
        return f"{self.resource}_{self.name}"


def tables() -> list[Table]:
    """Every table whose rows are part of some resource's wire shape."""
    found = []
    for resource in registry.resources():
        members: list[tuple[type[Model], str | None]] = [(resource.model, None)]
        members += [(link.model, link.owner) for link in resource.links]
        members += [(child.model, child.owner) for child in resource.children]
        for model, owner in members:
            # Texts last: an updated row is compared until a column differs, and texts take longest.
            fields = sorted(model._meta.concrete_fields, key=lambda field: isinstance(field, (CharField, TextField)))
            column = {field.attname: field.column for field in fields}
            found.append(
                Table(
                    resource=resource.name,
                    name=model._meta.db_table,
                    key=str(model._meta.pk.column),
                    columns=tuple(str(field.column) for field in fields),
                    owner=column[owner] if owner else None,
                    partition=model._meta.get_field(resource.partition).column if resource.partition else None,  # type: ignore[union-attr]
                )
            )
    return found
