"""What an object can't be deleted for: others that can't be without it."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from refusals import Refusal
from syncing import registry


class InUse(Refusal):
    status, code = 409, "in_use"
    detail = _("Other objects can't be without this one; by says which.")


def pointing_at(model: type[models.Model], ids: Collection[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """How many objects of which resource can't be without those of ``ids`` that are needed, by their id.

    They need it themselves, or a row that travels inside them does. One statement for each way to point at ``model``.
    """
    owners = {resource.model: (resource.name, "pk") for resource in registry.resources()}
    for resource in registry.resources():
        owners |= {child.model: (resource.name, child.owner) for child in resource.children}
    by: dict[UUID, list[dict[str, Any]]] = {}
    for relation in model._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ForeignObjectRel) and relation.on_delete is models.PROTECT:
            pointing: Any = relation.related_model
            name, owner = owners[pointing]
            found = pointing._base_manager.filter(**{f"{relation.field.name}__in": ids}).order_by()
            for id, count in found.values_list(relation.field.attname).annotate(Count(owner, distinct=True)):
                by.setdefault(id, []).append({"resource": name, "count": count})
    return by
