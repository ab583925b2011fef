"""Django's middleware, where ours differs: proxies, compression, language, refusals, and a short way for status."""

from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.middleware.locale import LocaleMiddleware
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin

from devices import contacts, proxies
from devices.identity import bearer_token
from devices.models import token_digest
from refusals import Refusal
from syncing import log
from syncing.codings import takes_gzip
from syncing.views import status

from . import problems

Handler = Callable[[HttpRequest], HttpResponseBase]

SMALLEST = 1024  # bytes; below it the headers outweigh the gain


class ProxyMiddleware(MiddlewareMixin):
    """Believes what a trusted proxy says of its client. It is the first that looks at the client."""

    def process_request(self, request: HttpRequest) -> None:
        proxies.believe(request)


class BodilessMiddleware(MiddlewareMixin):
    """Takes length and type off a 204 and a 304: a cache would take a 304's length for that of what it keeps."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.status_code in (204, 304):
            for name in ("Content-Type", "Content-Length"):
                response.headers.pop(name, None)
        return response


class CompressionMiddleware(GZipMiddleware):
    """Django's, except for pictures (compressed already), small answers, and clients that refuse gzip by ``q=0``."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if is_picture(response):
            return response
        if isinstance(response, HttpResponse) and len(response.content) < SMALLEST:
            return response
        if not takes_gzip(request.headers.get("Accept-Encoding", "")):
            patch_vary_headers(response, ["Accept-Encoding"])
            return response
        request.META["HTTP_ACCEPT_ENCODING"] = "gzip"  # Django knows it in small letters only
        return super().process_response(request, response)


class LanguageMiddleware(LocaleMiddleware):
    """Django's, except for what is the same in every language: ``Vary`` would split caches for nothing."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        # A 304 has no type any more to be known by.
        is_same = is_picture(response) or request.path.startswith(("/api/image/", "/terminal/"))
        return response if is_same else super().process_response(request, response)


class StatusMiddleware:
    """Answers ``GET /api/sync/status`` of a device by one statement, without session, CSRF and REST framework.

    Every terminal asks at every reconnect. A request without a valid token goes on to the view, which explains the
    refusal. So does one with cookies, because middlewares behind this one may have to replace a cookie.
    """

    path = "/api/sync/status"

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        asked = request.path_info == self.path and request.method == "GET" and not request.META.get("HTTP_COOKIE")
        if asked and (token := bearer_token(request)):
            try:
                found = log.heads_for(token_hash=token_digest(token))
            except (OperationalError, InterfaceError) as error:  # the view would wait for the database once more
                return problems.answer(error, {})  # type: ignore[return-value]  # it has an answer to these
            if found is not None:
                device_id, heads = found
                contacts.note(device_id)
                response = status(request, heads)
                response.headers["Allow"] = "GET, HEAD, OPTIONS"
                return response
        return self.get_response(request)


class RefusalMiddleware(MiddlewareMixin):
    """Answers with a problem when a view outside of REST framework raises a Refusal."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return problems.problem(exception) if isinstance(exception, Refusal) else None


def is_picture(response: HttpResponseBase) -> bool:
    return response.headers.get("Content-Type", "").startswith("image/")
