"""Fields that take what a JSON client means, and nothing else that Python would take for it."""

import datetime as dt
import re
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import make_password
from rest_framework import serializers
from rest_framework.fields import empty

from catalog.filters import CANONICAL_ID
from catalog.models.staff import PIN
from images.blobs import HASH
from refusals.fields import TextField

TIME_OF_DAY = re.compile(r"\A[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?\Z")
WHOLE_NUMBER = re.compile(r"\A[+-]?[0-9]{1,40}(\.0{1,40})?\Z")
PLAIN_NUMBER = re.compile(r"\A[+-]?[0-9]{1,40}(\.[0-9]{1,40})?\Z")


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
        super().__init__(HASH.pattern, **kwargs)


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


class NewPinField(PinField):
    """A PIN that is to be kept. Its value is the hash to store, ``""`` for none.

    Hashing takes a third of a second, on purpose. So it is done while the body is read, when nothing is locked.
    """

    most_of_a_batch = 50  # a proxy waits a minute for an answer

    def run_validation(self, data: Any = empty) -> str:
        pin = super().run_validation(data)
        return make_password(pin) if pin else ""
