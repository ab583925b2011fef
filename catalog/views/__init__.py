"""The catalogue over HTTP."""

from .pins import PinViewSet
from .records import RecordViewSet

__all__ = ["PinViewSet", "RecordViewSet"]
