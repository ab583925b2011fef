"""The one list of what terminals hold: an entry for each kind of record.

Capture and sync (``syncing.registry``), addresses and OpenAPI (``urls``, ``views``), the menu of the admin
(``backoffice.dashboard``) and sheets (``catalog.sheets``) are made of the entry, the model and the wire shape. A
page in the admin is written by hand. ``tests/catalog/test_completeness.py`` names what a kind lacks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from syncing.registry import Child, Resource, register

from . import serializers
from .filters import Listing
from .serializers.shape import ChildSerializer, ShapeSerializer


class Group(models.TextChoices):
    """The headings of the admin's menu, in order."""

    MENU = "menu", _("Menu")
    FLOOR = "floor", _("Floor")
    STAFF = "staff", _("Staff")
    PRINTING = "printing", _("Printing")


@dataclass(frozen=True)
class Kind:
    """One kind of record. Its model and the rows that travel inside it are those of ``shape``.

    ``name`` is its identity for terminals, ``address`` that of its list below /api/. Lists are filtered by ``id`` and
    ``filters``, searched in ``search``, and sorted by ``ordering`` or ``updated_at``.
    """

    name: str
    address: str
    shape: type[ShapeSerializer]
    group: Group
    icon: str  # of Material Symbols
    filters: Sequence[str] = ()
    search: Sequence[str] = ("name",)
    ordering: Sequence[str] = ("name",)
    default_order: Sequence[str] = ("name",)

    @property
    def model(self) -> Any:
        return self.shape.Meta.model

    @cached_property
    def resource(self) -> Resource:
        """The kind as sync knows it."""
        fields = self.shape().fields.items()
        children = [
            Child(name, inner.Meta.model, _owner(inner.Meta.model, self.model), read_fields(inner))
            for name, field in fields
            if isinstance(inner := getattr(field, "child", None), ChildSerializer)
        ]
        return Resource(self.name, self.model, read_fields(self.shape()), tuple(children))

    @cached_property
    def listing(self) -> Listing:
        return Listing(
            self.model,
            filters=("id", *self.filters),
            search=self.search,
            ordering=(*self.ordering, "updated_at"),
            default_order=self.default_order,
        )


def read_fields(shape: ShapeSerializer) -> tuple[str, ...]:
    """The names that a client reads, in order: everything but what is only written (a PIN)."""
    return tuple(name for name, field in shape.fields.items() if not field.write_only)


def _owner(child: type[models.Model], model: type[models.Model]) -> str:
    """The column in which ``child`` has the id of the record that it travels in."""
    (key,) = [field for field in child._meta.concrete_fields if field.related_model is model]
    return key.attname


KINDS = (
    Kind(
        "product",
        "products",
        serializers.ProductSerializer,
        Group.MENU,
        "restaurant_menu",
        filters=(
            *("category", "tags", "attributes", "print_destinations", "image", "sku", "barcode", "price_type"),
            *("is_active", "is_sold_out"),
        ),
        search=("name", "short_name", "kitchen_name", "sku", "barcode"),
        ordering=("name", "position", "price", "sku", "barcode"),
        default_order=("position", "name"),
    ),
    Kind(
        "category",
        "categories",
        serializers.CategorySerializer,
        Group.MENU,
        "category",
        filters=("parent", "print_destinations", "is_active"),
        ordering=("name", "position"),
        default_order=("position", "name"),
    ),
    Kind(
        "attribute",
        "attributes",
        serializers.AttributeSerializer,
        Group.MENU,
        "tune",
        filters=("choice", "is_required"),
        ordering=("name", "position"),
        default_order=("position", "name"),
    ),
    Kind(
        "tag",
        "tags",
        serializers.TagSerializer,
        Group.MENU,
        "sell",
        filters=("kind",),
        ordering=("name", "kind"),
        default_order=("kind", "name"),
    ),
    Kind(
        "price_rule",
        "price-rules",
        serializers.PriceRuleSerializer,
        Group.MENU,
        "percent",
        filters=("adjustment", "scope", "category", "tag", "product", "zone", "is_stackable", "is_active"),
        ordering=("name", "priority"),
        default_order=("-priority", "name"),
    ),
    Kind(
        "zone",
        "zones",
        serializers.ZoneSerializer,
        Group.FLOOR,
        "map",
        ordering=("name", "position"),
        default_order=("position", "name"),
    ),
    Kind(
        "dining_table",
        "dining-tables",
        serializers.DiningTableSerializer,
        Group.FLOOR,
        "table_restaurant",
        filters=("zone", "shape", "is_active"),
        ordering=("name", "seats"),
    ),
    Kind(
        "employee",
        "employees",
        serializers.EmployeeSerializer,
        Group.STAFF,
        "badge",
        filters=("code", "role", "is_active"),
        search=("name", "code"),
        ordering=("name", "code"),
    ),
    Kind(
        "role",
        "roles",
        serializers.RoleSerializer,
        Group.STAFF,
        "admin_panel_settings",
        ordering=("name", "discount_limit"),
    ),
    Kind(
        "print_destination",
        "print-destinations",
        serializers.PrintDestinationSerializer,
        Group.PRINTING,
        "print",
        filters=("kind", "fallback", "is_active"),
        search=("name", "address"),
        ordering=("name", "kind"),
    ),
)


def kind_of(model: type[models.Model]) -> Kind:
    """The kind whose records are rows of ``model``; LookupError when there is none."""
    for kind in KINDS:
        if kind.model is model:
            return kind
    raise LookupError(f"{model._meta.label} is not in catalog/resources.py")


def kind_named(name: str) -> Kind:
    """The kind of this name, in the spelling of the API, the admin or the code (``catalog.PriceRule``); LookupError."""
    wanted = name.rpartition(".")[2].replace("_", "").replace("-", "").lower()
    for kind in KINDS:
        if wanted in {kind.model._meta.model_name, kind.address.replace("-", "")}:
            return kind
    raise LookupError(f"{name} is none of {', '.join(kind.name for kind in KINDS)}")


def register_all() -> None:
    """Tell sync about every kind; called once, when the application is ready."""
    for kind in KINDS:
        register(kind.resource)
