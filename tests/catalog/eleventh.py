"""A kind of record that exists in tests only: a gadget with rows of its own, a link and references.

``declare`` is all that a developer would write: model, wire shape, page in the admin, entry.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import reload
from typing import Any
from unittest.mock import patch

from django.apps import apps
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.db.models.functions import Lower
from django.urls import clear_url_caches

import catalog.urls
import config.urls
from catalog import resources
from catalog.admin.base import CatalogueAdmin, Rows
from catalog.models import Product, Tag
from catalog.models.base import ChildRecord, Record
from catalog.resources import Group, Kind
from catalog.serializers.shape import ChildSerializer, ShapeSerializer
from syncing import capture, registry
from syncing.models import Change, SyncedResource
from tests.conftest import tables_of_tests

API_LINE = (
    "| `/api/gadgets` `/api/gadgets/{id}` | `id?` `name` `price` `tags?` `image?` `position?` `slots?`: list of … |\n"
)


def declare() -> tuple[Kind, type[CatalogueAdmin]]:
    """The entry of the kind and its page in the admin."""

    class Gadget(Record):
        name = models.CharField(max_length=100)
        price = models.DecimalField(max_digits=10, decimal_places=2)
        tags = models.ManyToManyField(Tag, related_name="+", blank=True)
        image = models.ForeignKey("images.Image", models.PROTECT, related_name="+", null=True, blank=True)
        position = models.IntegerField(default=0)

        class Meta:
            app_label = "catalog"
            constraints = [models.UniqueConstraint(Lower("name"), name="gadget_name_is_unique")]

        def __str__(self) -> str:
            return self.name

    class GadgetSlot(ChildRecord):
        gadget = models.ForeignKey(Gadget, models.CASCADE, related_name="slots")
        name = models.CharField(max_length=100)
        product = models.ForeignKey(Product, models.PROTECT, related_name="+", null=True, blank=True)
        count = models.PositiveSmallIntegerField(default=1)
        position = models.IntegerField(default=0)
        note = models.CharField(max_length=100, blank=True)  # of the house: no terminal sees it

        class Meta:
            app_label = "catalog"
            constraints = [
                models.UniqueConstraint("gadget", Lower("name"), name="slot_name_is_unique_in_its_gadget"),
                models.CheckConstraint(condition=models.Q(count__gte=1), name="slot_has_a_count"),
            ]

        def __str__(self) -> str:
            return self.name

    class SlotSerializer(ChildSerializer):
        class Meta:
            model = GadgetSlot
            fields = ("id", "name", "product", "count", "position")

    class GadgetSerializer(ShapeSerializer):
        slots = SlotSerializer(many=True, required=False)

        class Meta:
            model = Gadget
            fields = ("id", "name", "price", "tags", "image", "position", "slots", "updated_at")

    class SlotRows(Rows):
        model = GadgetSlot
        fields = ("name", "product", "count", "position")

    class GadgetAdmin(CatalogueAdmin):
        fields = ("name", "price", "tags", "position")
        inlines = (SlotRows,)

    return Kind("gadget", "gadgets", GadgetSerializer, Group.MENU, "lunch_dining", filters=("tags",)), GadgetAdmin


@contextmanager
def declared() -> Iterator[Kind]:
    """The kind, known to every part of the server, its tables captured. Needs a connection outside a transaction."""
    kind, page = declare()
    (child,) = kind.resource.children
    with ExitStack() as undo:
        undo.callback(address_anew)
        undo.callback(forget, kind.model.tags.through, child.model, kind.model)
        undo.enter_context(patch.object(resources, "KINDS", (*resources.KINDS, kind)))
        undo.enter_context(patch.dict(registry._resources, {kind.name: kind.resource}))
        admin.site.register(kind.model, page)
        undo.callback(admin.site.unregister, kind.model)
        address_anew()
        undo.enter_context(stored(kind, child.model))
        yield kind


def address_anew() -> None:
    """The addresses of the server by the list as it is now."""
    reload(catalog.urls)
    reload(config.urls)
    clear_url_caches()


def forget(*models: Any) -> None:
    for model in models:
        del apps.all_models["catalog"][model._meta.model_name]
    apps.clear_cache()
    ContentType.objects.clear_cache()


@contextmanager
def stored(kind: Kind, child: Any) -> Iterator[None]:
    """The tables, as a migration would make them."""
    with connection.schema_editor() as editor:
        editor.create_model(kind.model)
        editor.create_model(child)
    tables_of_tests.cache_clear()
    capture.install()
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            editor.delete_model(child)
            editor.delete_model(kind.model)
        tables_of_tests.cache_clear()
        Change.objects.filter(resource=kind.name).delete()
        SyncedResource.objects.filter(name=kind.name).delete()
