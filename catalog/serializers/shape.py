"""How a wire shape is made of a model: fields by its columns, ids for its relations."""

from collections.abc import Iterator, Mapping
from copy import copy
from functools import cache, cached_property
from typing import Any

from django.db import models as fields
from django.utils.translation import get_language
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from catalog.models import base
from refusals.fields import FlagField, TextField
from refusals.serializers import StrictSerializer

from .fields import (
    AmountField,
    ColorField,
    IdField,
    IdListField,
    ImageHashField,
    TimeOfDayField,
    WholeNumberField,
)

MANY_LINKS = 500

# The ranges of PostgreSQL's columns. SQLite would take more; a number that only one of them takes is a trap.
RANGES: dict[type, tuple[int, int]] = {
    fields.SmallIntegerField: (-(2**15), 2**15 - 1),
    fields.PositiveSmallIntegerField: (0, 2**15 - 1),
    fields.IntegerField: (-(2**31), 2**31 - 1),
    fields.PositiveIntegerField: (0, 2**31 - 1),
}


def values_of(shape: Any, data: Any, *, partial: bool = False) -> dict[str, Any]:
    """What a client sent, by field. Raises REST framework's ValidationError.

    Making the fields of a shape takes longer than reading any body with them: they are made once.
    """
    reader = copy(_reader(shape, partial, get_language()))
    reader.initial_data = data
    reader.is_valid(raise_exception=True)
    return dict(reader.validated_data)


def fields_of(shape: Any) -> Mapping[str, serializers.Field[Any, Any, Any, Any]]:
    """The fields of a shape by name, made once."""
    fields: Mapping[str, Any] = _reader(shape, False, get_language()).fields
    return fields


@cache
def _reader(shape: Any, partial: bool, language: str | None) -> Any:
    """A serializer to copy. REST framework keeps texts in the ``language`` in which it first says them."""
    reader = shape(data={}, partial=partial)
    for made_once in ("fields", "validators", "writable", "known"):
        getattr(reader, made_once, None)
    return reader


# Fields by their model fields, ids for relations; uniqueness and constraints are the model's business. A comment, since
# OpenAPI publishes docstrings.
class ShapeSerializer(StrictSerializer, serializers.ModelSerializer[Any]):
    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {
        fields.CharField: TextField,
        fields.TextField: TextField,
        fields.BooleanField: FlagField,
        fields.TimeField: TimeOfDayField,
        fields.UUIDField: IdField,
        fields.DecimalField: AmountField,
        **dict.fromkeys(RANGES, WholeNumberField),
        base.ColorField: ColorField,
    }

    id = IdField(required=False)

    @cached_property
    def writable(self) -> list[serializers.Field[Any, Any, Any, Any]]:
        return [field for field in self.fields.values() if not field.read_only]

    @property
    def _writable_fields(self) -> list[serializers.Field[Any, Any, Any, Any]]:
        # To ask each field whether a PATCH has left it out would take most of the time of reading one.
        given = getattr(self, "initial_data", None)
        if self.partial and isinstance(given, dict):
            return [field for field in self.writable if field.field_name in given]
        return self.writable

    def run_validators(self, value: Any) -> None:
        if self.validators:  # REST framework would go through all fields first
            super().run_validators(value)

    def build_standard_field(self, field_name: str, model_field: Any) -> tuple[type[Any], dict[str, Any]]:
        kind, kwargs = super().build_standard_field(field_name, model_field)
        if bounds := RANGES.get(type(model_field)):
            kwargs["min_value"] = max(kwargs.get("min_value", bounds[0]), bounds[0])
            kwargs["max_value"] = min(kwargs.get("max_value", bounds[1]), bounds[1])
        if "validators" in kwargs:
            kwargs["validators"] = [v for v in kwargs["validators"] if not isinstance(v, UniqueValidator)]
        return kind, kwargs

    def build_relational_field(self, field_name: str, relation_info: Any) -> tuple[type[Any], dict[str, Any]]:
        if relation_info.to_many:
            return IdListField, {"required": False, "max_length": MANY_LINKS}
        field = relation_info.model_field
        kind = IdField if isinstance(field.target_field, fields.UUIDField) else ImageHashField
        return kind, {"allow_null": True, "required": False} if field.null else {}

    def get_unique_together_constraints(self, model: type[fields.Model]) -> Iterator[Any]:
        # DRF would look for duplicates by its own reading of the constraints; the verbs ask the constraints.
        return iter(())

    class Meta:
        fields: tuple[str, ...] = ()


# The shape of rows that travel inside a record, as a list.
class ChildSerializer(ShapeSerializer):
    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        # A row is always given whole. In a PATCH of its record, DRF would let required fields pass.
        lacking = [name for name, field in self.fields.items() if field.required and name not in attrs]
        if lacking:
            raise serializers.ValidationError(
                {name: self.fields[name].error_messages["required"] for name in lacking}, "required"
            )
        return attrs
