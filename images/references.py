"""Which rows refer to an image. It is read from the models, because this room knows none of them by name."""

from typing import Any

from django.db import models
from django.db.models.fields.reverse_related import ForeignObjectRel

from images.models import Image, ImageQuerySet


def references() -> list[ForeignObjectRel]:
    """Every relation by which a row of any model may refer to an image, also those without a reverse name."""
    fields = Image._meta.get_fields(include_hidden=True)
    return [field for field in fields if isinstance(field, ForeignObjectRel)]


def referrers(relation: ForeignObjectRel, image: object) -> models.QuerySet[Any]:
    """The rows that refer to ``image`` (a hash or an expression) by one relation."""
    rows: models.QuerySet[Any] = relation.related_model._base_manager.filter(**{relation.field.name: image})
    return rows.order_by("pk")


def is_referred_to() -> models.Q:
    """A condition: some row of any model refers to the image."""
    found = models.Q()
    for relation in references():
        found |= models.Q(models.Exists(referrers(relation, models.OuterRef("pk")).order_by()))
    return found


def unreferenced() -> ImageQuerySet:
    """Images that no row of any model refers to."""
    return Image.objects.filter(~is_referred_to())
