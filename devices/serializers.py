"""The shapes of ``/api/devices``."""

from datetime import UTC
from typing import Any

from rest_framework import serializers

from refusals.fields import FlagField, TextField
from refusals.serializers import StrictSerializer

SCOPES = ["read", "upload", "manage", "history"]


class EnrollSerializer(StrictSerializer):
    code = serializers.CharField(max_length=64, help_text="As shown in admin; case and dashes don't matter.")
    name = TextField(max_length=100, help_text="How people will know the device.")
    cookie = FlagField(
        default=False, help_text="For browsers: the token comes as an HttpOnly cookie instead of in the body."
    )


class EnrolledSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    token = serializers.CharField(required=False, help_text="Shown this once; absent with a cookie.")
    scopes = serializers.ListField(child=serializers.ChoiceField(SCOPES))


class DeviceSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(SCOPES))
    last_seen = serializers.DateTimeField(allow_null=True, default_timezone=UTC)


class TokenSerializer(serializers.Serializer[Any]):
    token = serializers.CharField(required=False, help_text="Shown this once; absent with a cookie.")
