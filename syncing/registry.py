"""Which records are synced, and what each looks like on the wire.

The application that owns the records registers them (``catalog/resources.py``). Capture, ``log`` and the hub read this
list.
"""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from django.db import models
from django.utils.translation import gettext_lazy as _

from refusals import Refusal

# Raise it when values are written in another way (``syncing.objects``): caches then forget what they keep.
WIRE_FORM = 1


class UnknownResource(Refusal):
    status, code = 404, "unknown_resource"
    detail = _("There is no resource of this name.")


@dataclass(frozen=True)
class Child:
    """Rows that travel inside their owner, such as the options of an attribute."""

    field: str
    model: type[models.Model]
    owner: str
    fields: tuple[str, ...]

    @property
    def order(self) -> tuple[str, ...]:
        """The columns by which the rows stand in their owner."""
        return ("position", "id") if "position" in self.fields else ("id",)


@dataclass(frozen=True)
class Link:
    """Ids of a many-to-many field: its table, and in it the columns of the owner and of the other end.

    ``to`` is the model of the other end.
    """

    field: str
    model: type[models.Model]
    owner: str
    other: str
    to: type[models.Model]


@dataclass(frozen=True)
class Resource:
    """One kind of synced record: its name, its table and the fields of its wire shape, in order.

    ``fields`` name concrete fields and many-to-many fields of ``model``; ``children`` the rest. A private resource has
    a ``partition``, the field whose every value has a counter and a history of its own (``partitions``); terminals
    don't know of it.
    """

    name: str
    model: type[models.Model]
    fields: tuple[str, ...]
    children: tuple[Child, ...] = ()
    partition: str = ""

    @cached_property
    def links(self) -> tuple[Link, ...]:
        many = {field.name: field for field in self.model._meta.many_to_many}
        return tuple(
            Link(
                field=name,
                model=many[name].remote_field.through,  # type: ignore[arg-type]  # None only before models are loaded
                owner=f"{many[name].m2m_field_name()}_id",
                other=f"{many[name].m2m_reverse_field_name()}_id",
                to=many[name].related_model,
            )
            for name in self.fields
            if name in many
        )

    @cached_property
    def shape(self) -> str:
        """A fingerprint of what an object looks like on the wire: names, order and types, those of children too."""
        inside = {child.field: child for child in self.children}
        kinds = []
        for name in self.fields:
            child = inside.get(name)
            members = [(child.model, inner) for inner in child.fields] if child else [(self.model, name)]
            kinds.append([name, *(f"{key}:{model._meta.get_field(key).get_internal_type()}" for model, key in members)])
        return sha256(f"{WIRE_FORM} {kinds}".encode()).hexdigest()[:16]


_resources: dict[str, Resource] = {}


def register(resource: Resource) -> None:
    """Add ``resource`` to the list; its name is its identity in every version, cursor and URL."""
    if resource.name in _resources:
        raise ValueError(f"{resource.name} is registered already")
    _resources[resource.name] = resource


def resource(name: str) -> Resource:
    """The resource of that name. Raises UnknownResource, also for a private one."""
    if name not in _resources or _resources[name].partition:
        raise UnknownResource
    return _resources[name]


def resources() -> list[Resource]:
    """All resources, private ones too, by name: the order in which their counters are taken."""
    return [_resources[name] for name in sorted(_resources)]


def names() -> list[str]:
    """Those that terminals hold: none is private."""
    return sorted(name for name, found in _resources.items() if not found.partition)
