"""The studio in the admin: histories of all, what was spent, and pictures for many products at once."""

from .calls import CallAdmin
from .items import ItemAdmin
from .products import ProductWithStudioAdmin

__all__ = ["CallAdmin", "ItemAdmin", "ProductWithStudioAdmin"]
