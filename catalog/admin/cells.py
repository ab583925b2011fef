"""How a cell of a sheet is written and read. One that can't be read is a ValueError with a text for people."""

import uuid
from decimal import Decimal
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _
from import_export.widgets import DecimalWidget, ForeignKeyWidget, IntegerWidget, ManyToManyWidget, Widget

from images.services import HashUnknown, image_to_refer_to

SEPARATOR = "|"


def words(value: Any) -> list[str]:
    return [word.strip() for word in str(value or "").split(SEPARATOR) if word.strip()]


class Names:
    """Finds records of ``model`` by name or id; reads them once, since a file names the same few often."""

    def __init__(self, model: type[Model]) -> None:
        self.model = model
        self.forget()

    def forget(self) -> None:
        """Read them again: a record was added or renamed."""
        self.known: dict[str, list[Model]] | None = None

    def find(self, name: str) -> Model:
        """The record; ValueError when there is none or more than one."""
        if self.known is None:
            self.known = {}
            for record in self.model._default_manager.order_by("pk"):
                for key in {str(record.pk), str(record).casefold()}:
                    self.known.setdefault(key, []).append(record)
        found = self.known.get(name.casefold(), [])
        if len(found) == 1:
            return found[0]
        kind = self.model._meta.verbose_name
        text = (
            _("More than one %(kind)s is called “%(name)s”; write its id.")
            if found
            else _("There is no %(kind)s “%(name)s”.")
        )
        raise ValueError(text % {"kind": kind, "name": name})


class Named(ForeignKeyWidget):
    """A related record by its name."""

    def __init__(self, model: type[Model]) -> None:
        super().__init__(model)
        self.names = Names(model)

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Model | None:
        return self.names.find(str(value).strip()) if value not in (None, "") else None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return str(value) if value is not None else ""


class ManyNamed(ManyToManyWidget):
    """Related records by their names."""

    def __init__(self, model: type[Model]) -> None:
        super().__init__(model, separator=SEPARATOR)
        self.names = Names(model)

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> list[Model]:
        return [self.names.find(word) for word in words(value)]

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return f" {SEPARATOR} ".join(sorted(map(str, value.all()))) if value is not None else ""


class Listed(Widget):
    """A list of words or numbers in one cell."""

    def __init__(self, kind: type = str) -> None:
        super().__init__()
        self.kind = kind

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> list[Any]:
        return [self.kind(word) for word in words(value)]

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return f" {SEPARATOR} ".join(map(str, value or []))


class ImageHash(Widget):
    """A stored image by its hash."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Model | None:
        if not value:
            return None
        try:
            return image_to_refer_to(hash=str(value))
        except HashUnknown:
            raise ValueError(_("No picture has this hash.")) from None

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        return value.pk if value is not None else ""


class Id(Widget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> uuid.UUID:
        try:
            return uuid.UUID(str(value))
        except ValueError:
            raise ValueError(_("“%(value)s” is no id.") % {"value": value}) from None


class Number(DecimalWidget):
    """A decimal number, refused in words."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> Decimal | None:
        try:
            return super().clean(value, row, **kwargs)
        except ArithmeticError:
            raise ValueError(_("“%(value)s” is no number.") % {"value": value}) from None


class Whole(IntegerWidget):
    """A whole number, refused in words."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> int | None:
        try:
            return super().clean(value, row, **kwargs)
        except (ArithmeticError, ValueError):
            raise ValueError(_("“%(value)s” is no whole number.") % {"value": value}) from None
