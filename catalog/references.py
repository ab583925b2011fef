"""What it takes to refer to other rows: they are there, and stay until the reference is saved."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, models
from django.utils.translation import gettext_lazy as _

from devices.identity import as_uuid
from images.models import Image
from images.services import hold_images
from syncing.objects import DIALECTS

Keys = dict[Any, set[Any]]  # by model


def missing(wanted: Mapping[Any, set[Any]]) -> Keys:
    """Those of the keys that nothing can refer to, by model; of the others, images are kept from being swept meanwhile.

    Other rows are kept by their foreign keys: whoever deletes one now makes the write fail, and it is tried again. One
    statement, and two for images.
    """
    gone = {model: set(keys) for model, keys in wanted.items()}
    if hashes := gone.get(Image):
        hashes -= hold_images(hashes=hashes)
    asked = sorted(
        (model for model, keys in gone.items() if keys and model is not Image), key=lambda model: model.__name__
    )
    if asked:
        dialect = DIALECTS[connection.vendor]
        questions = [
            f"SELECT {number}, id FROM {model._meta.db_table} WHERE id {dialect.is_in}"  # noqa: S608 - only placeholders
            for number, model in enumerate(asked)
        ]
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(questions), [dialect.array(list(gone[model])) for model in asked])
            for number, key in cursor.fetchall():
                gone[asked[number]].discard(as_uuid(key))
    return gone


def not_there(model: Any) -> ValidationError:
    """What is said of a reference to what is missing."""
    text = _("No stored image has this hash.") if model is Image else _("There is no object with this id.")
    return ValidationError(text, "does_not_exist")


def references_of(model: type[models.Model]) -> list[Any]:
    """The foreign keys of ``model``."""
    return [field for field in model._meta.concrete_fields if field.is_relation]
