"""Who really asks behind a proxy; compression and language, each only where it means something."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.middleware.locale import LocaleMiddleware
from django.utils.cache import patch_vary_headers

from devices import proxies
from syncing.codings import takes_gzip

Handler = Callable[[HttpRequest], HttpResponseBase]

SMALLEST = 1024  # bytes; below it the headers outweigh the gain


class ProxyMiddleware:
    """Believes what a trusted proxy says of its client; the first of all, since the others ask about the client."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        proxies.believe(request)
        return self.get_response(request)


class CompressionMiddleware(GZipMiddleware):
    """Django's, except for pictures (compressed already), small answers, and who refuses gzip by ``q=0``."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if is_picture(response):
            return response
        if isinstance(response, HttpResponse) and len(response.content) < SMALLEST:
            return response
        if not takes_gzip(request.headers.get("Accept-Encoding", "")):
            patch_vary_headers(response, ["Accept-Encoding"])
            return response
        return super().process_response(request, response)


class LanguageMiddleware(LocaleMiddleware):
    """Django's, except that a picture is the same in every language: ``Vary`` would split caches for nothing."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        # A 304 has no type any more to be known by.
        is_of_picture = is_picture(response) or request.path.startswith("/api/image/")
        return response if is_of_picture else super().process_response(request, response)


def is_picture(response: HttpResponseBase) -> bool:
    return response.headers.get("Content-Type", "").startswith("image/")
