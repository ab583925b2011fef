"""Shapes of albums and photos on the wire."""

from datetime import UTC
from typing import Any

from django.db import models
from rest_framework import serializers

from catalog.models import Product
from catalog.serializers.fields import WholeNumberField
from images.models import is_hash
from images.services import image_url
from normalform import CONTENT_TYPES, MAX_BYTES, content_type_of
from refusals.fields import TextField, UUIDField
from refusals.serializers import StrictSerializer

from .matching import WAYS, Match
from .models import Album, Photo
from .services import Declaration, counts

OCTETS = "application/octet-stream"  # what clients declare that know no type


class PhotoCountsSerializer(serializers.Serializer[dict[str, int]]):
    pending = serializers.IntegerField()
    processing = serializers.IntegerField()
    ready = serializers.IntegerField()
    failed = serializers.IntegerField()


class AlbumSerializer(StrictSerializer, serializers.ModelSerializer[Album]):
    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {models.CharField: TextField}

    id = UUIDField(required=False)
    counts = serializers.SerializerMethodField()

    class Meta:
        model = Album
        fields = ("id", "name", "counts")

    def get_counts(self, album: Album) -> PhotoCountsSerializer:
        return counts(album_id=album.pk)  # type: ignore[return-value]  # the annotation is the schema's


class ContentTypeField(serializers.ChoiceField):
    """A content type by any name that clients have for it; an empty one is left to the file's name."""

    def to_internal_value(self, data: Any) -> Any:
        if data == OCTETS:
            return ""
        return super().to_internal_value(content_type_of(data, "") if data and isinstance(data, str) else data)


class DeclarationSerializer(StrictSerializer):
    """What a client says about a photo before it sends it."""

    id = UUIDField(required=False, allow_null=True, default=None)
    filename = TextField(max_length=255)
    content_type = ContentTypeField(choices=CONTENT_TYPES, allow_blank=True)
    size = WholeNumberField(min_value=1, max_value=MAX_BYTES)
    sha256 = TextField(required=False, allow_blank=True, allow_null=True, default=None, validators=[is_hash])
    product = UUIDField(required=False, allow_null=True, default=None)

    def declaration(self) -> Declaration:
        values = self.validated_data
        return Declaration(
            filename=values["filename"],
            content_type=content_type_of(values["content_type"], values["filename"]),
            size=values["size"],
            sha256=values["sha256"] or "",
            product_id=values["product"],
        )


class TargetSerializer(serializers.Serializer[Any]):
    """Send the bytes by this method to this URL (absolute, or relative to the server) with these headers."""

    method = serializers.CharField()
    url = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())
    expires_at = serializers.DateTimeField(default_timezone=UTC)


class RegisteredSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="photo.id")
    status = serializers.ChoiceField(choices=Photo.Status.choices, source="photo.status")
    upload = TargetSerializer(
        allow_null=True, help_text="Null when the photo needs no bytes any more: go on with process."
    )


class PhotoStatusSerializer(serializers.ModelSerializer[Photo]):
    class Meta:
        model = Photo
        fields = ("id", "status")
        read_only_fields = fields


class PhotoSerializer(serializers.ModelSerializer[Photo]):
    hash = serializers.CharField(source="image_id", allow_null=True)
    url = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField(help_text="The code of the last failure; docs/errors.md lists them.")
    product = serializers.UUIDField(source="product_id", allow_null=True)
    created_at = serializers.DateTimeField(default_timezone=UTC)

    class Meta:
        model = Photo
        fields = ("id", "status", "hash", "url", "error", "attempts", "product", "created_at")
        read_only_fields = fields

    def get_url(self, photo: Photo) -> str | None:
        return image_url(photo.image_id) if photo.image_id else None

    def get_error(self, photo: Photo) -> str | None:
        return photo.error or None


class AlbumPhotoSerializer(PhotoSerializer):
    class Meta:
        model = Photo
        fields = (*PhotoSerializer.Meta.fields, "filename")
        read_only_fields = fields


class AlbumPhotosSerializer(serializers.Serializer[Any]):
    photos = AlbumPhotoSerializer(many=True)


class MatchingSerializer(StrictSerializer):
    """Names of files whose products are asked for, and by what a product may be found."""

    # Not trimmed: blanks belong to a name of a file, and count in its length.
    filenames = serializers.ListField(child=TextField(max_length=255, trim_whitespace=False), max_length=500)
    by = serializers.ListField(child=serializers.ChoiceField(choices=WAYS), default=list(WAYS), allow_empty=False)


class MatchedProductSerializer(serializers.ModelSerializer[Product]):
    image = serializers.CharField(source="image_id", allow_null=True)

    class Meta:
        model = Product
        fields = ("id", "name", "sku", "image")
        read_only_fields = fields


class MatchSerializer(serializers.Serializer[Match]):
    filename = serializers.CharField()
    product = MatchedProductSerializer(allow_null=True)
    by = serializers.ChoiceField(choices=WAYS, allow_null=True)


class MatchedSerializer(serializers.Serializer[Any]):
    matches = MatchSerializer(
        many=True, help_text="In the order of the names; product is null when none, or several, fit."
    )


class ReconciledSerializer(serializers.Serializer[Any]):
    checked = serializers.IntegerField()
    requeued = serializers.IntegerField()
    cleaned = serializers.IntegerField()
    skipped = serializers.IntegerField()
    unknown = serializers.IntegerField()
