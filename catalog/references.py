"""What it takes to refer to another row: it is there, and stays until the reference is saved."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from images.models import Image
from images.services import HashUnknown, hold_image


def missing(model: Any, keys: Iterable[Any]) -> set[Any]:
    """Those of ``keys`` that nothing can refer to; of the others, images are kept from being swept meanwhile.

    Other rows are kept by their foreign keys: whoever deletes one now makes the write fail, and it is tried again.
    """
    wanted = set(keys)
    if model is Image:
        return {hash for hash in sorted(wanted) if not _is_held(hash)}
    return wanted - set(model._base_manager.filter(pk__in=wanted).values_list("pk", flat=True)) if wanted else set()


def not_there(model: Any) -> ValidationError:
    """What is said of a reference to what is missing."""
    text = _("No stored image has this hash.") if model is Image else _("There is no object with this id.")
    return ValidationError(text, "does_not_exist")


def _is_held(hash: str) -> bool:
    try:
        hold_image(hash=hash)
    except HashUnknown:
        return False
    return True


def references_of(model: type[models.Model]) -> list[Any]:
    """The foreign keys of ``model``."""
    return [field for field in model._meta.concrete_fields if field.is_relation]
