"""Shapes of the ten resources: what a client may send, and in which order it reads the fields back.

Answers are not made here: the wire shape comes from ``syncing.registry``, so that an object looks the same in
a list, in a snapshot and on the stream. Ids stay ids: whether they exist is for the verbs in ``services`` to say.
"""

import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models as fields
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from . import models
from .filters import CANONICAL_ID
from .models import base as models_base
from .models.staff import PIN

TIME_OF_DAY = re.compile(r"\A[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?\Z")
WHOLE_NUMBER = re.compile(r"\A[+-]?[0-9]{1,40}(\.0{1,40})?\Z")
PLAIN_NUMBER = re.compile(r"\A[+-]?[0-9]{1,40}(\.[0-9]{1,40})?\Z")
MANY_LINKS = 500
MANY_OPTIONS = 200

# The ranges of PostgreSQL's columns. SQLite would take more; a number that only one of them takes is a trap.
RANGES: dict[type, tuple[int, int]] = {
    fields.SmallIntegerField: (-(2**15), 2**15 - 1),
    fields.PositiveSmallIntegerField: (0, 2**15 - 1),
    fields.IntegerField: (-(2**31), 2**31 - 1),
    fields.PositiveIntegerField: (0, 2**31 - 1),
}


class IdField(serializers.UUIDField):
    """A UUID as text with its dashes; nothing else that Python would take for one."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not CANONICAL_ID.match(data):
            self.fail("invalid", value=data)
        return UUID(data)


class IdListField(serializers.ListField):
    """The other ends of a many-to-many field; order and repetitions mean nothing."""

    child = IdField()


class ImageHashField(serializers.RegexField):
    """The name of a stored image: 64 lower-case hexadecimal digits, or null."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"\A[0-9a-f]{64}\Z", **kwargs)


class WholeNumberField(serializers.IntegerField):
    """A whole number, as text or as a JSON number; "1_0" and digits of other scripts are refused."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str) and not WHOLE_NUMBER.match(data.strip()):
            self.fail("invalid")
        return super().to_internal_value(data)


class AmountField(serializers.DecimalField):
    """A plain decimal number, as text or as a JSON number; "1e3", "1_000" and "NaN" are refused."""

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or (isinstance(data, str) and not PLAIN_NUMBER.match(data.strip())):
            self.fail("invalid")
        return super().to_internal_value(data) + 0  # "-0" would stay below zero for ever


class TextField(serializers.CharField):
    """Text alone: a barcode that came as a number would have lost its leading zeros, or its last digits."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class TimeOfDayField(serializers.TimeField):
    """A time on the shop's clock; one with an offset would mean another moment and is refused."""

    def to_internal_value(self, value: Any) -> dt.time:
        if isinstance(value, str) and not TIME_OF_DAY.match(value):
            self.fail("invalid", format="hh:mm[:ss[.uuuuuu]]")
        return super().to_internal_value(value)


class ColorField(TextField):
    """``#rrggbb`` or nothing; kept in lower case."""

    def to_internal_value(self, data: Any) -> str:
        return super().to_internal_value(data).lower()


class PinField(TextField):
    """4 to 8 digits as text (a number would lose its leading zeros); null takes the PIN away."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validators=[PIN], trim_whitespace=False, **kwargs)


class ShapeSerializer(serializers.ModelSerializer[Any]):
    """Fields by their model fields, ids for relations; uniqueness and constraints are the model's business."""

    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {
        fields.CharField: TextField,
        fields.TextField: TextField,
        fields.TimeField: TimeOfDayField,
        fields.UUIDField: IdField,
        fields.DecimalField: AmountField,
        **dict.fromkeys(RANGES, WholeNumberField),
        models_base.ColorField: ColorField,
    }

    id = IdField(required=False)

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

    def get_field_names(self, declared_fields: Any, info: Any) -> Any:
        # What a PATCH leaves out is left alone; making its fields would take most of the time of reading the rest.
        names = super().get_field_names(declared_fields, info)
        given = getattr(self, "initial_data", None)
        return [name for name in names if name in given] if self.partial and isinstance(given, dict) else names

    def get_unique_together_constraints(self, model: type[fields.Model]) -> Iterator[Any]:
        # DRF would look for duplicates by its own reading of the constraints; the verbs ask the constraints.
        return iter(())

    class Meta:
        fields: tuple[str, ...] = ()


class ProductSerializer(ShapeSerializer):
    class Meta:
        model = models.Product
        fields = (
            "id",
            "name",
            "short_name",
            "kitchen_name",
            "sku",
            "barcode",
            "description",
            "price",
            "price_type",
            "unit",
            "tax_rate",
            "color",
            "category",
            "tags",
            "attributes",
            "print_destinations",
            "image",
            "position",
            "is_active",
            "is_sold_out",
            "updated_at",
        )


class CategorySerializer(ShapeSerializer):
    class Meta:
        model = models.Category
        fields = (
            "id",
            "name",
            "color",
            "position",
            "parent",
            "is_active",
            "print_destinations",
            "updated_at",
        )


class TagSerializer(ShapeSerializer):
    class Meta:
        model = models.Tag
        fields = ("id", "name", "color", "kind", "updated_at")


class OptionSerializer(ShapeSerializer):
    class Meta:
        model = models.AttributeOption
        fields = ("id", "name", "price_change", "is_default", "is_sold_out", "position")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        # An option is always given whole; a PATCH of its attribute would let the name pass.
        if "name" not in attrs:
            raise serializers.ValidationError({"name": self.fields["name"].error_messages["required"]}, "required")
        return attrs


class AttributeSerializer(ShapeSerializer):
    options = OptionSerializer(many=True, required=False, max_length=MANY_OPTIONS)  # type: ignore[call-arg]

    class Meta:
        model = models.Attribute
        fields = (
            "id",
            "name",
            "choice",
            "min",
            "max",
            "free",
            "is_required",
            "position",
            "options",
            "updated_at",
        )


class ZoneSerializer(ShapeSerializer):
    class Meta:
        model = models.Zone
        fields = ("id", "name", "position", "updated_at")


class DiningTableSerializer(ShapeSerializer):
    class Meta:
        model = models.DiningTable
        fields = (
            "id",
            "zone",
            "name",
            "seats",
            "shape",
            "x",
            "y",
            "width",
            "height",
            "rotation",
            "is_active",
            "updated_at",
        )


class EmployeeSerializer(ShapeSerializer):
    pin = PinField(write_only=True, required=False, allow_null=True, help_text=_("4 to 8 digits; null takes it away."))

    class Meta:
        model = models.Employee
        fields = ("id", "name", "code", "role", "is_active", "updated_at", "pin")


class RoleSerializer(ShapeSerializer):
    permission_codes = serializers.ListField(child=TextField(max_length=60), required=False, max_length=200)

    class Meta:
        model = models.Role
        fields = ("id", "name", "permission_codes", "discount_limit", "updated_at")


class PriceRuleSerializer(ShapeSerializer):
    weekdays = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=7),
        required=False,
        max_length=7,
        help_text=_("1 is Monday, 7 is Sunday; none means every day."),
    )

    class Meta:
        model = models.PriceRule
        fields = (
            "id",
            "name",
            "adjustment",
            "value",
            "scope",
            "category",
            "tag",
            "product",
            "zone",
            "weekdays",
            "time_from",
            "time_to",
            "valid_from",
            "valid_to",
            "priority",
            "is_stackable",
            "is_active",
            "updated_at",
        )


class PrintDestinationSerializer(ShapeSerializer):
    class Meta:
        model = models.PrintDestination
        fields = ("id", "name", "kind", "address", "copies", "fallback", "is_active", "updated_at")


class PinSerializer(serializers.Serializer[Any]):
    pin = PinField()


class MistakeSerializer(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="Such as `options.0.name`; empty when it concerns several.")
    code = serializers.CharField()
    detail = serializers.CharField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457; `code` is stable."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    errors = MistakeSerializer(many=True, required=False)  # type: ignore[assignment]  # a field, no property
