"""The catalogue over HTTP."""

from .pins import PinViewSet
from .records import RecordViewSet
from .shop import ShopView

__all__ = ["PinViewSet", "RecordViewSet", "ShopView"]
