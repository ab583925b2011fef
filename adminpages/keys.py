"""What may be a key: a form or an address names records by texts that anybody may have typed."""

from typing import Any

from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.core.exceptions import ValidationError
from django.db.models import Model


def is_text(text: str) -> bool:
    """Whether a database can compare by it: without NUL and surrogates."""
    return not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text)


def can_be_key(model: type[Model], text: str) -> bool:
    """Whether a record of ``model`` could have this key: Django fails where it is none."""
    try:
        model._meta.pk.clean(text, None)
    except (ValidationError, ValueError, TypeError, OverflowError):
        return False
    return is_text(text)


class PossibleKeys:
    """Of what was chosen, a widget shows what there could be; the field says that the rest is no choice."""

    field: Any

    def optgroups(self, name: str, value: Any, *more: Any, **others: Any) -> Any:
        possible = [key for key in value if can_be_key(self.field.remote_field.model, str(key))]
        return super().optgroups(name, possible, *more, **others)  # type: ignore[misc]  # of the widget


class OneOfMany(PossibleKeys, AutocompleteSelect):
    """Django's, which asks the database for what was chosen."""


class SomeOfMany(PossibleKeys, AutocompleteSelectMultiple):
    """As `OneOfMany`, for several."""
