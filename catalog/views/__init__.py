"""The catalogue over HTTP."""

from .records import (
    AttributeViewSet,
    CategoryViewSet,
    DiningTableViewSet,
    EmployeeViewSet,
    PriceRuleViewSet,
    PrintDestinationViewSet,
    ProductViewSet,
    RoleViewSet,
    TagViewSet,
    ZoneViewSet,
)

__all__ = [
    "AttributeViewSet",
    "CategoryViewSet",
    "DiningTableViewSet",
    "EmployeeViewSet",
    "PriceRuleViewSet",
    "PrintDestinationViewSet",
    "ProductViewSet",
    "RoleViewSet",
    "TagViewSet",
    "ZoneViewSet",
]
