"""Shapes of the images' API."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from images.blobs import HASH, HASH_PATTERN
from images.models import Image
from images.services import image_url
from refusals.serializers import StrictSerializer

MOST_HASHES = 1000


class ImageSerializer(serializers.ModelSerializer[Image]):
    """A stored picture: where it is, and its measures in pixels and bytes."""

    filename = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta:
        model = Image
        fields = ("hash", "filename", "url", "width", "height", "size")
        read_only_fields = fields

    def get_filename(self, image: Image) -> str:
        return f"{image.hash}.jpg"

    def get_url(self, image: Image) -> str:
        return image_url(image.hash)


class UploadSerializer(StrictSerializer):
    file = serializers.FileField()


@extend_schema_field({"type": "string", "pattern": f"^{HASH_PATTERN}$"})
class HashField(serializers.Field[str, Any, str, Any]):
    default_error_messages = {"invalid": _("An image is named by 64 lower-case hexadecimal digits.")}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not HASH.match(data):
            self.fail("invalid")
        return data

    def to_representation(self, value: str) -> str:
        return value


class WantedSerializer(StrictSerializer):
    hashes = serializers.ListField(child=HashField(), max_length=MOST_HASHES)


class MissingSerializer(serializers.Serializer[Any]):
    missing = serializers.ListField(child=HashField())
