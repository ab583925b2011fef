"""Addresses of this room, under /api/."""

from collections.abc import Iterator

from django.urls import URLPattern, path

from . import models, resources, views
from .resources import Kind

MANY = {"get": "list", "post": "create"}
ONE = {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}


def addresses(kind: Kind) -> Iterator[URLPattern]:
    """The addresses of the objects of ``kind``: all of them, many writes at once, and each by its id."""
    yield path(kind.address, views.RecordViewSet.of(kind, MANY), name=f"{kind.name}-list")
    yield path(f"{kind.address}/batch", views.BatchViewSet.of(kind, {"post": "batch"}), name=f"{kind.name}-batch")
    yield path(f"{kind.address}/<str:id>", views.RecordViewSet.of(kind, ONE), name=f"{kind.name}-detail")


urlpatterns: list[URLPattern] = [
    path("shop", views.ShopView.as_view(), name="shop"),
    path(
        "employees/<str:id>/verify_pin",
        views.PinViewSet.of(resources.kind_of(models.Employee), {"post": "verify_pin"}),
        name="verify_pin",
    ),
    *(address for kind in resources.KINDS for address in addresses(kind)),
]
