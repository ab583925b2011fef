"""The views of benchmarks/sync/bare.py."""

import json

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from catalog.models import Product
from syncing.models import SyncedResource


def versions(request: HttpRequest) -> HttpResponse:
    return JsonResponse(dict(SyncedResource.objects.values_list("name", "version")))


def product(request: HttpRequest, id: str) -> HttpResponse:
    """What no PATCH can do without: the row is locked, changed and committed."""
    with transaction.atomic():
        found = Product.objects.select_for_update().get(pk=id)
        found.position = json.loads(request.body)["position"]
        found.save()
    return JsonResponse({"id": id, "position": found.position})


urlpatterns = [
    path("versions", versions),
    path("products/<uuid:id>", product),
    path("livez", lambda request: HttpResponse("ok")),
]
