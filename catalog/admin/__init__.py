"""The pages on which a manager maintains the catalogue."""

from . import accounts, floor, options, pricing, printing, products, staff

__all__ = ["accounts", "floor", "options", "pricing", "printing", "products", "staff"]
