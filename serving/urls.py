"""Addresses for those who run the server."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import MethodNotAllowed

from refusals import Refusal

from .metrics import metrics
from .probes import livez, readyz


class OnlyRead(Refusal):
    status, code = 405, "method_not_allowed"


def only_read(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """``view`` for GET and HEAD. It changes nothing, so no other method needs Django's check against forgery."""

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if request.method in ("GET", "HEAD"):
            return view(request)
        raise OnlyRead(str(MethodNotAllowed(str(request.method)).detail), headers={"Allow": "GET, HEAD"})

    return guarded


urlpatterns = [
    path("livez", only_read(livez), name="livez"),
    path("readyz", only_read(readyz), name="readyz"),
    path("metrics", only_read(metrics), name="metrics"),
]
