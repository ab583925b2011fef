"""Django's middleware, where ours differs: proxies, compression, language, refusals, and a short way for reconnects."""

import re
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin

from devices import contacts, proxies, trail
from devices.identity import bearer_token
from devices.models import token_digest
from refusals import InvalidParameter, Refusal
from refusals.unknown import refuse_unknown
from syncing import log
from syncing.codings import pack, takes_gzip
from syncing.views import DELTA_PARAMETERS, changes, status
from telemetry import counters, refused, requests

from . import problems

Handler = Callable[[HttpRequest], HttpResponseBase]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SMALLEST = 1024  # bytes; below it the headers outweigh the gain


class ProxyMiddleware(MiddlewareMixin):
    """Believes what a trusted proxy says of its client. It is the first that looks at the client."""

    def process_request(self, request: HttpRequest) -> None:
        proxies.believe(request)


class TrailMiddleware:
    """Knows the request while it is answered, for what is told of it (devices/trail.py); counts it, tells refusals.

    The answer says the request's id, which a proxy gave it or we did.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.perf_counter()
        token, id_token = trail.current.set(request), requests.current.set(trail.id_of(request))
        try:
            response = self.get_response(request)
            response.headers.setdefault(requests.HEADER, trail.id_of(request))
            if response.status_code >= 400:
                refused.tell(
                    method=str(request.method),
                    path=request.path,
                    status=response.status_code,
                    code=getattr(response, "code", ""),
                    who=trail.who_asks(request),
                    address=request.META.get("REMOTE_ADDR", ""),
                    reason=getattr(response, "reason", ""),
                )
                response._has_been_logged = True  # type: ignore[attr-defined]  # or Django says it once more
            count(request, response.status_code, time.perf_counter() - began)
            return response
        finally:
            trail.current.reset(token)
            requests.current.reset(id_token)


def count(request: HttpRequest, status: int, seconds: float) -> None:
    """By route, not by path: there are few of those."""
    match = request.resolver_match
    route = f"/{match.route}" if match else request.path if ShortWayMiddleware.path.fullmatch(request.path) else "none"
    method = request.method if request.method in METHODS else "other"
    if match is None and status == 404:
        route = "none"  # a name that somebody made up
    counters.add("requests", route=route, method=str(method), status=str(status))
    counters.add("request_seconds", seconds, route=route, method=str(method))


class SecureMiddleware(MiddlewareMixin):
    """Over https cookies are for https only, and a browser that came by it comes by it again (HSTS).

    So it is where https is configured, also when no trusted proxy says that the request was secure.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if settings.HTTPS or request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
            response.headers.setdefault("Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}")
        return response


class BodilessMiddleware(MiddlewareMixin):
    """Takes length and type off a 204 and a 304: a cache would take a 304's length for that of what it keeps."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.status_code in (204, 304):
            for name in ("Content-Type", "Content-Length"):
                response.headers.pop(name, None)
        return response


class CompressionMiddleware(GZipMiddleware):
    """Django's, except for pictures (compressed already), small answers, and clients that refuse gzip by ``q=0``.

    JSON is packed in an eighth of the time, and smaller. Django hides the length of pages by noise; JSON needs none: no
    page of another site makes a browser send its credentials, and a text of its choice, to the API.

    A 304 has no body to compress, and a 206 has a part of the bytes that its entity tag and its range speak of.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if is_picture(response) or response.status_code in (204, 206, 304):
            return response
        if isinstance(response, HttpResponse) and len(response.content) < SMALLEST:
            return response
        if not takes_gzip(request.META.get("HTTP_ACCEPT_ENCODING", "")):
            patch_vary_headers(response, ["Accept-Encoding"])
            return response
        if isinstance(response, HttpResponse) and response.headers.get("Content-Type") == "application/json":
            return packed(response)
        request.META["HTTP_ACCEPT_ENCODING"] = "gzip"  # Django knows it in small letters only
        return super().process_response(request, response)


SAME_IN_EVERY_LANGUAGE = ("/api/image/", "/terminal/", "/studio/app/", "/studio/sw.js")


class LanguageMiddleware(MiddlewareMixin):
    """The language that cookie or header ask for. Unlike Django's it looks for none in addresses, where we have none.

    What is the same in every language says nothing of it: ``Vary`` would split caches for nothing.
    """

    def process_request(self, request: HttpRequest) -> None:
        translation.activate(translation.get_language_from_request(request))
        request.LANGUAGE_CODE = translation.get_language()

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        # A 304 has no type any more to be known by.
        if not (is_picture(response) or request.path.startswith(SAME_IN_EVERY_LANGUAGE)):
            patch_vary_headers(response, ["Accept-Language"])
            response.headers.setdefault("Content-Language", translation.get_language())
        return response


class ShortWayMiddleware:
    """Answers what every terminal asks when it reconnects, where things stand and what changed, by its bearer token.

    One statement reads who asks and where things stand; session, CSRF and REST framework have no part in it. A request
    without a valid token goes on to the view, which explains the refusal, and so does one with a parameter that there
    isn't. One with cookies does, because middlewares behind this one may have to replace a cookie.
    """

    path = re.compile(r"/api/sync/(?:status|(?P<resource>[^/]+)/changes)")

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        asked = self.path.fullmatch(request.path_info)
        if asked and request.method == "GET" and not request.META.get("HTTP_COOKIE"):
            token, known = bearer_token(request), DELTA_PARAMETERS if asked["resource"] else ()
            is_plain = request.GET.keys() <= set(known)
            response = self.answer(request, token_digest(token), asked["resource"]) if token and is_plain else None
            if response is not None:
                response.headers["Allow"] = "GET, HEAD, OPTIONS"
                return response
        return self.get_response(request)

    def answer(self, request: HttpRequest, token_hash: str, resource: str | None) -> HttpResponse | None:
        try:
            found = log.heads_for(token_hash=token_hash)
            if found is None:
                return None
            device_id, heads = found
            contacts.note(device_id)
            return status(request, heads) if resource is None else changes(request, resource, heads)
        except (OperationalError, InterfaceError, Refusal) as error:  # the view would ask the database once more
            return problems.answer(error, {})


class ParametersMiddleware(MiddlewareMixin):
    """Refuses a parameter that the view doesn't have; ``parameters`` of a view of the API are those of its GET."""

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if not request.META.get("QUERY_STRING") or not hasattr(view, "cls") or is_of(view.cls, "drf_spectacular"):
            return None
        methods = getattr(view, "actions", None) or dir(view.cls)
        if str(request.method).lower() not in methods:
            return None  # the view says 405
        made_with = {"parameters": getattr(view.cls, "parameters", ()), **view.initkwargs}
        known = made_with["parameters"] if request.method in ("GET", "HEAD") else ()
        try:
            refuse_unknown(request.GET, known)
        except InvalidParameter as refusal:
            return problems.problem(refusal)
        return None


class RefusalMiddleware(MiddlewareMixin):
    """Answers when a view outside of REST framework raises a Refusal, or has no database."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, OperationalError | InterfaceError):
            return problems.no_database(request, exception)
        return problems.refused(request, exception) if isinstance(exception, Refusal) else None


def is_of(kind: type, library: str) -> bool:
    return kind.__module__.startswith(f"{library}.")


def packed(response: HttpResponse) -> HttpResponse:
    """The same, gzipped. Its entity tag becomes a weak one: in another coding it is other bytes."""
    patch_vary_headers(response, ["Accept-Encoding"])
    if response.has_header("Content-Encoding"):
        return response
    response.content = pack(response.content)
    response.headers["Content-Length"] = str(len(response.content))
    response.headers["Content-Encoding"] = "gzip"
    if response.headers.get("ETag", "").startswith('"'):
        response.headers["ETag"] = f"W/{response.headers['ETag']}"
    return response


def is_picture(response: HttpResponseBase) -> bool:
    return response.headers.get("Content-Type", "").startswith("image/")
