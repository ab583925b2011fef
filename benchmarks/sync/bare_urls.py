"""The one view of benchmarks/sync/bare.py."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from syncing.models import SyncedResource


def versions(request: HttpRequest) -> HttpResponse:
    return JsonResponse(dict(SyncedResource.objects.values_list("name", "version")))


urlpatterns = [path("versions", versions), path("livez", lambda request: HttpResponse("ok"))]
