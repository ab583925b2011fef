"""Fields that take the type that JSON has for a value, and nothing else that REST framework would read as one."""

from typing import Any
from uuid import UUID

from rest_framework import serializers


class TextField(serializers.CharField):
    """Text alone: a barcode that came as a number would have lost its leading zeros, or its last digits."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class FlagField(serializers.BooleanField):
    """``true`` or ``false``: "no", 0 and null are mistakes of who sends them, and mean different things to each."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class UUIDField(serializers.UUIDField):
    """A UUID as text; a number isn't one."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)
