"""Shapes of the studio's API."""

from typing import Any
from uuid import uuid4

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from images.serializers import HashField
from refusals.fields import FlagField, TextField, UUIDField
from refusals.serializers import StrictSerializer

from .models import Item
from .prompts import DEFAULT_STYLE, LONGEST, STYLES
from .services import Wish


class WishSerializer(StrictSerializer):
    id = UUIDField(required=False)
    prompt = TextField(max_length=LONGEST, required=False, allow_blank=True)
    model = TextField(max_length=100, required=False, allow_blank=True)
    product = UUIDField(required=False, allow_null=True)
    source = HashField(required=False, allow_null=True)  # type: ignore[assignment]  # DRF has an attribute of that name
    style = serializers.ChoiceField(choices=list(STYLES), required=False)  # type: ignore[assignment]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not any(attrs.get(name) for name in ("prompt", "product", "source")):
            missing = _("Words, a product or a photo are needed.")
            raise serializers.ValidationError({"prompt": [serializers.ErrorDetail(str(missing), code="required")]})
        return attrs

    def wish(self) -> tuple[Any, Wish]:
        """The id, made here when the client chose none, and what is asked for."""
        data = self.validated_data
        return data.get("id") or uuid4(), Wish(
            prompt=data.get("prompt", ""),
            product_id=data.get("product"),
            source=data.get("source"),
            style=data.get("style", DEFAULT_STYLE),
            model=data.get("model", ""),
        )


class FavoriteSerializer(StrictSerializer):
    favorite = FlagField()


class PlacingSerializer(StrictSerializer):
    product = UUIDField()


class ItemSerializer(serializers.Serializer[Any]):
    """One picture of a history. What isn't there yet is null."""

    id = serializers.UUIDField()
    prompt = serializers.CharField(allow_blank=True)
    model = serializers.CharField()
    image_url = serializers.CharField(allow_null=True)
    r2_key = serializers.CharField(allow_null=True)
    r2_url = serializers.CharField(allow_null=True)
    hash = HashField(allow_null=True)
    favorite = serializers.BooleanField()
    timestamp = serializers.DateTimeField()
    status = serializers.ChoiceField(choices=Item.Status.values)
    error = serializers.CharField(allow_null=True)
    kind = serializers.ChoiceField(choices=Item.Kind.values)
    style = serializers.ChoiceField(choices=list(STYLES))  # type: ignore[assignment]
    product = serializers.UUIDField(allow_null=True)
    source = HashField(allow_null=True)  # type: ignore[assignment]
    placed = serializers.BooleanField()
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    size = serializers.IntegerField(allow_null=True)
    content_type = serializers.CharField(allow_null=True)


class PageSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = ItemSerializer(many=True)


class ChangesSerializer(serializers.Serializer[Any]):
    epoch = serializers.UUIDField()
    version = serializers.IntegerField()
    head = serializers.IntegerField()
    owner = serializers.IntegerField()
    items = ItemSerializer(many=True)
    deleted = serializers.ListField(child=serializers.UUIDField())


class LeftSerializer(serializers.Serializer[Any]):
    you = serializers.IntegerField(allow_null=True)
    all = serializers.IntegerField(allow_null=True)


class StudioSerializer(serializers.Serializer[Any]):
    provider = serializers.CharField()
    model = serializers.CharField()
    edit_model = serializers.CharField()
    free = serializers.BooleanField()
    improves = serializers.BooleanField()
    price = serializers.CharField(allow_null=True)
    styles = serializers.ListField(child=serializers.CharField())
    left = LeftSerializer()
    ends_at = serializers.DateTimeField()
