"""The records that terminals hold, one module a subject."""

from .edits import Edit
from .floor import DiningTable, Zone
from .pricing import PriceRule
from .printing import PrintDestination
from .products import Attribute, AttributeOption, Category, Product, Tag
from .staff import Employee, Role

__all__ = [
    "Attribute",
    "AttributeOption",
    "Category",
    "DiningTable",
    "Edit",
    "Employee",
    "PriceRule",
    "PrintDestination",
    "Product",
    "Role",
    "Tag",
    "Zone",
]
