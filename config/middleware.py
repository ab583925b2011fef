"""Who really asks behind a proxy; compression and language, each only where it means something."""

from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.middleware.locale import LocaleMiddleware

Handler = Callable[[HttpRequest], HttpResponseBase]

SMALLEST = 1024  # bytes; below it the headers outweigh the gain


class ProxyMiddleware:
    """Puts the client's address and scheme in the place of a trusted proxy's own.

    Behind one that isn't named in ``TRUSTED_PROXIES`` all clients look like one, which is safe but coarse: wrong
    enrolment codes of one till then lock enrolment for the whole shop. Only the last address counts, which the proxy
    itself has seen; the ones before are the client's word.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.META.get("REMOTE_ADDR") in settings.TRUSTED_PROXIES:
            client = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
            with suppress(ValueError):
                request.META["REMOTE_ADDR"] = str(ip_address(client))
            if request.META.get("HTTP_X_FORWARDED_PROTO") in ("http", "https"):
                request.META["wsgi.url_scheme"] = request.META["HTTP_X_FORWARDED_PROTO"]
        return self.get_response(request)


class CompressionMiddleware(GZipMiddleware):
    """Django's, except for pictures (compressed already) and small answers."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if is_picture(response):
            return response
        if isinstance(response, HttpResponse) and len(response.content) < SMALLEST:
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
