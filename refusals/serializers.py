"""Bodies whose every key has to be known."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from rest_framework import serializers

from .unknown import mistakes


# Refuses a key that no field has. What is only read may be sent: an object can be PUT as it was read. A comment, since
# OpenAPI publishes docstrings.
class StrictSerializer(serializers.Serializer[Any]):
    @cached_property
    def known(self) -> frozenset[str]:
        return frozenset(self.fields)

    def to_internal_value(self, data: Any) -> Any:
        told = mistakes(data, self.known) if isinstance(data, Mapping) and not self.known.issuperset(data) else {}
        unknown = {name: [serializers.ErrorDetail(text, code="unknown")] for name, text in told.items()}
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if unknown and isinstance(error.detail, dict):
                raise serializers.ValidationError({**unknown, **error.detail}) from None
            raise
        if unknown:
            raise serializers.ValidationError(unknown)
        return values
