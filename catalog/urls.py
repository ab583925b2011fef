"""Addresses of this room, under /api/."""

from typing import Any

from django.urls import URLPattern, path

from devices.authentication import MayRead

from . import views
from .serializers import PinSerializer

MANY: dict[str, Any] = {"get": "list", "post": "create"}
ONE: dict[str, Any] = {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}

urlpatterns: list[URLPattern] = [
    path(
        "employees/<str:id>/verify_pin",
        views.EmployeeViewSet.as_view(
            {"post": "verify_pin"}, permission_classes=(MayRead,), serializer_class=PinSerializer
        ),
        name="verify_pin",
    )
]
for address, view in (
    ("products", views.ProductViewSet),
    ("categories", views.CategoryViewSet),
    ("tags", views.TagViewSet),
    ("attributes", views.AttributeViewSet),
    ("zones", views.ZoneViewSet),
    ("dining-tables", views.DiningTableViewSet),
    ("employees", views.EmployeeViewSet),
    ("roles", views.RoleViewSet),
    ("price-rules", views.PriceRuleViewSet),
    ("print-destinations", views.PrintDestinationViewSet),
):
    urlpatterns += [
        path(address, view.as_view(MANY), name=f"{view.resource_name}-list"),
        path(f"{address}/<str:id>", view.as_view(ONE), name=f"{view.resource_name}-detail"),
    ]
