"""The catalogue over HTTP."""

from .batches import BatchViewSet
from .pins import PinViewSet
from .records import RecordViewSet
from .shop import ShopView

__all__ = ["BatchViewSet", "PinViewSet", "RecordViewSet", "ShopView"]
