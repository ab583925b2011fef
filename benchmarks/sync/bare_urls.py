"""The views of benchmarks/sync/bare.py. Each runs the statement of one of ours, made beforehand, and nothing else."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test.utils import CaptureQueriesContext
from django.urls import path

from catalog.models import Product
from catalog.resources import kind_of
from syncing import log, objects
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


def delta(request: HttpRequest) -> HttpResponse:
    since = int(request.GET["since"])
    return answer(log.changes_after(("product",), log.heads_of_all(), connection.vendor), [since, since + 1000, 1000])


def page(request: HttpRequest) -> HttpResponse:
    return answer(statement_of_page(), [])


@cache
def statement_of_page() -> str:
    kind = kind_of(Product)
    with CaptureQueriesContext(connection) as asked:
        objects.listed(kind.resource, Product.objects.order_by(*kind.listing.order(None))[:101])
    return str(asked[0]["sql"])


def answer(sql: str, values: Sequence[Any]) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return HttpResponse(",".join(row[-1] for row in cursor.fetchall() if row[-1]), content_type="application/json")


urlpatterns = [
    path("versions", versions),
    path("products/<uuid:id>", product),
    path("delta", delta),
    path("page", page),
    path("livez", lambda request: HttpResponse("ok")),
]
