"""What a client may ask of a list: exact values, words to search for, an order.

``catalog/resources.py`` says what is allowed; the queries and the OpenAPI parameters are made from it. A mistake is an
``InvalidParameter`` that names its parameter.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from refusals import InvalidParameter

CANONICAL_ID = re.compile(r"\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)
SMALL_NUMBER = re.compile(r"\A[0-9]{1,6}\Z")
TRUTH = {"true": True, "1": True, "false": False, "0": False}
LONGEST_SEARCH = 200  # characters; SQLite refuses very long patterns
MOST_WORDS = 10
MOST_VALUES = 100


def invalid(name: str, reason: str | Promise) -> InvalidParameter:
    """The refusal of the parameter ``name``."""
    errors = [{"field": name, "code": "invalid", "detail": str(reason)}]
    return InvalidParameter(_("A query parameter has a wrong value; errors names it."), errors=errors)


@dataclass(frozen=True)
class Filter:
    """One parameter: its text as a value, values as a condition, and how OpenAPI describes it."""

    parse: Callable[[str], Any]
    condition: Callable[[list[Any]], Q]
    schema: Mapping[str, Any]
    splits: bool = True  # whether "a,b" means either; in free text a comma is a comma
    has_null: bool = False  # whether "null" asks for those that have none


@dataclass(frozen=True)
class Listing:
    """How the objects of ``model`` are listed: filters and searched fields by name, the orders offered."""

    model: type[models.Model]
    filters: Sequence[str]
    search: Sequence[str]
    ordering: Sequence[str]
    default_order: Sequence[str]
    parameters: dict[str, Filter] = field(init=False)

    def __post_init__(self) -> None:
        made: dict[str, Filter] = {}
        for name in self.filters:
            of = self.model._meta.get_field(name)
            made[name] = filter_for(of)
            if of.many_to_many:
                made[name.removesuffix("s")] = made[name]
        object.__setattr__(self, "parameters", made)

    @property
    def known(self) -> tuple[str, ...]:
        """The names of all parameters of a list."""
        return ("limit", "cursor", "search", "ordering", *self.parameters)

    def chosen(self, query: Mapping[str, Sequence[str]]) -> Q:
        """The condition that the parameters in ``query`` (all values of each) put on the objects."""
        condition = Q()
        for name, offered in self.parameters.items():
            if name in query:
                condition &= offered.condition(list(_values(name, offered, query[name])))
        for text in query.get("search", ()):
            condition &= self._searched(text)
        return condition

    def _searched(self, text: str) -> Q:
        words = text.split()
        if len(text) > LONGEST_SEARCH or len(words) > MOST_WORDS:
            raise invalid("search", _("Search for at most 10 words and 200 characters."))
        if not _is_storable(text):
            raise invalid("search", _("Text without NUL and surrogates."))
        condition = Q()
        for word in words:
            condition &= Q(*((f"{name}__icontains", word) for name in self.search), _connector=Q.OR)
        return condition

    def order(self, text: str | None) -> tuple[str, ...]:
        """The fields to sort by, with "-" for descending; ``id`` comes last and makes the order total."""
        fields = tuple(text.split(",")) if text else tuple(self.default_order)
        plain = [name.removeprefix("-") for name in fields]
        allowed = {*self.ordering, "id"}
        if text and (len(set(plain)) != len(plain) or not set(plain) <= allowed):
            raise invalid("ordering", _("Order by: %s.") % ", ".join(sorted(allowed)))
        return fields if "id" in plain else (*fields, "id")


def limit(text: str | None, *, default: int, most: int) -> int:
    """How many objects a page has."""
    if text is None:
        return default
    if not SMALL_NUMBER.match(text) or not 1 <= int(text) <= most:
        raise invalid("limit", _("A number from 1 to %s.") % most)
    return int(text)


def filter_for(of: Any) -> Filter:
    """The filter that suits the model field ``of``."""
    if of.many_to_many:
        through, owner = of.remote_field.through, f"{of.m2m_field_name()}_id"
        other = f"{of.m2m_reverse_field_name()}_id"
        return Filter(
            _id,
            # Not a join, which would list an object once for each of its links.
            lambda ids: Q(pk__in=through._base_manager.filter(**{f"{other}__in": ids}).values(owner)),
            {"type": "string", "format": "uuid"},
        )
    if isinstance(of, models.BooleanField):
        return Filter(_truth, lambda values: _any(of, values), {"type": "boolean"})
    if of.choices:
        offered = [value for value, _label in of.choices]
        return Filter(_one_of(offered), lambda values: _any(of, values), {"type": "string", "enum": offered})
    if isinstance(of, models.UUIDField | models.ForeignKey):
        is_id = isinstance(of.target_field if isinstance(of, models.ForeignKey) else of, models.UUIDField)
        parse = _id if is_id else _text
        schema = {"type": "string", **({"format": "uuid"} if is_id else {})}
        if of.null and is_id:
            schema = {"type": "string", "pattern": "^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|null)$"}
        read = _or_null(parse) if of.null else parse
        return Filter(read, lambda values: _any(of, values), schema, has_null=of.null)
    return Filter(_text, lambda values: _any(of, values), {"type": "string"}, splits=False)


def _values(name: str, offered: Filter, texts: Sequence[str]) -> Iterable[Any]:
    parts = [part for text in texts for part in (text.split(",") if offered.splits else [text])]
    if len(parts) > MOST_VALUES:
        raise invalid(name, _("At most %s values.") % MOST_VALUES)
    for part in parts:
        try:
            yield offered.parse(part)
        except ValueError:
            raise invalid(name, _("Not a value that this can have.")) from None


def _any(of: Any, values: list[Any]) -> Q:
    condition = Q(**{f"{of.attname}__in": [value for value in values if value is not None]})
    return condition | Q(**{f"{of.attname}__isnull": True}) if None in values else condition


def _id(text: str) -> UUID:
    if not CANONICAL_ID.match(text):
        raise ValueError(text)
    return UUID(text)


def _truth(text: str) -> bool:
    if text.lower() not in TRUTH:
        raise ValueError(text)
    return TRUTH[text.lower()]


def _one_of(offered: Sequence[str]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in offered:
            raise ValueError(text)
        return text

    return parse


def _or_null(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: None if text == "null" else parse(text)


def _text(text: str) -> str:
    if not _is_storable(text):
        raise ValueError(text)
    return text


def _is_storable(text: str) -> bool:
    """Whether a database can compare with it: PostgreSQL has no NUL, and half a surrogate pair no encoding."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)
