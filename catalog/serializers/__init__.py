"""The wire shape of each kind of record: what a client may send, and in which order it reads the fields back.

Answers are not made here: the wire shape comes from ``syncing.registry``, so that an object looks the same in
a list, in a snapshot and on the stream. Ids stay ids: whether they exist is for the verbs in ``services`` to say.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from catalog import models
from refusals.fields import TextField
from refusals.serializers import StrictSerializer

from .fields import NewPinField, PinField
from .shape import ChildSerializer, ShapeSerializer

MANY_OPTIONS = 200


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


class OptionSerializer(ChildSerializer):
    class Meta:
        model = models.AttributeOption
        fields = ("id", "name", "price_change", "is_default", "is_sold_out", "position")


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
    pin = NewPinField(
        source="pin_hash",
        write_only=True,
        required=False,
        allow_null=True,
        help_text=_("4 to 8 digits; null takes it away."),
    )

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


class PinSerializer(StrictSerializer):
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


class ShopSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    time_zone = serializers.CharField(help_text="A name of the IANA database, such as Europe/Madrid.")
    currency = serializers.CharField(help_text="Three letters of ISO 4217.")
