"""Every error is an RFC 9457 problem: ``{"type","title","status","code","detail"[,"errors"]}``.

Rooms raise a ``Refusal``, which knows its status, code and detail; what Django and REST framework raise themselves gets
its code here. docs/errors.md lists every code.
"""

import logging
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import orjson
from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied, ValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views import defaults
from rest_framework import exceptions

from refusals import DatabaseUnavailable, Refusal, type_of
from telemetry import requests

logger = logging.getLogger(__name__)

# DRF's own codes, in our words.
CODES = {
    "parse_error": "malformed_body",
    "authentication_failed": "invalid_token",
    "permission_denied": "forbidden",
    "error": "server_error",
}


class Problem(HttpResponse):
    """The response that is a problem; ``more`` are members beside the usual ones."""

    reason = ""  # what happened, in English, for the log

    def __init__(
        self, status: int, code: str, detail: str | Promise, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        members = {
            "type": type_of(code),
            "title": HTTPStatus(status).phrase,
            "status": status,
            "code": code,
            "detail": str(detail),
            **more,
        }
        if request_id := requests.current.get():
            members["request_id"] = request_id
        self.code = code  # for the log
        super().__init__(orjson.dumps(members), status=status, content_type="application/problem+json", headers=headers)


class Invalid(Refusal):
    status, code = 400, "invalid"
    detail = _("The request has wrong values; errors names each.")


def problem(refusal: Refusal) -> Problem:
    """``refusal`` as the answer to a request."""
    said = Problem(refusal.status, refusal.code, refusal.detail, headers=refusal.headers, **refusal.members)
    said.reason = refusal.reason
    return said


def answer(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's exception handler: ``error`` as a problem, or None for a bug (which becomes a 500 and is logged)."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, OperationalError | InterfaceError):
        logger.error("The database failed a request", exc_info=error)
        return problem(DatabaseUnavailable())
    elif isinstance(error, ValidationError):
        error = Invalid(errors=list(mistakes(error)))
    elif isinstance(error, exceptions.ValidationError):
        error = Invalid(errors=list(flatten(error.get_full_details())))
    if isinstance(error, Refusal):
        return problem(error)
    if not isinstance(error, exceptions.APIException):
        return None
    code, challenge = str(error.get_codes()), getattr(error, "auth_header", None)
    headers = {"WWW-Authenticate": challenge} if challenge else {}
    # Not DRF's Response: the view's renderer may be for YAML or a page.
    return Problem(error.status_code, CODES.get(code, code), str(error.detail), headers=headers)


def mistakes(error: ValidationError) -> Iterator[dict[str, str]]:
    """The messages of Django's error as ``{"field","code","detail"}``; the field is empty for what concerns several."""
    by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    for name, found in by_field.items():
        field = "" if name == NON_FIELD_ERRORS else name
        for one in found:
            yield from ({"field": field, "code": one.code or "invalid", "detail": text} for text in one.messages)


def flatten(details: Any, path: str = "") -> Iterator[dict[str, str]]:
    """DRF's nested details as ``{"field","code","detail"}``; a field inside a list is ``options.0.name``."""
    if isinstance(details, Mapping) and set(details) == {"message", "code"}:
        field = path.removesuffix(".non_field_errors") if path != "non_field_errors" else ""
        yield {"field": field, "code": str(details["code"]), "detail": str(details["message"])}
    elif isinstance(details, Mapping):
        for key, inner in details.items():
            yield from flatten(inner, f"{path}.{key}" if path else str(key))
    else:
        for index, inner in enumerate(details):
            leaf = isinstance(inner, Mapping) and set(inner) == {"message", "code"}
            yield from flatten(inner, path if leaf else f"{path}.{index}")


def is_api(request: HttpRequest) -> bool:
    return request.path == "/api" or request.path.startswith("/api/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    page: Any = defaults.bad_request(request, exception)
    if is_api(request):
        page = Problem(400, "bad_request", _("The request can't be read."))
    page.reason = str(exception)
    return page


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return Problem(403, "forbidden", _("You may not do this."))
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return Problem(404, "not_found", _("Nothing lives at this address."))
    return defaults.page_not_found(request, exception)


def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """``refusal`` as a problem, or as a page for a person."""
    if is_api(request) or "text/html" not in request.headers.get("Accept", ""):
        return problem(refusal)
    page = render(request, "refused.html", {"refusal": refusal}, status=refusal.status)
    for name, value in refusal.headers.items():
        page.headers[name] = value
    return page


def no_database(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("The database failed a request", exc_info=error)
    return refused(request, DatabaseUnavailable())


def server_error(request: HttpRequest) -> HttpResponse:
    error = sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):  # of a middleware: views never get so far with it
        return no_database(request, error)
    if is_api(request):
        return Problem(500, "server_error", _("The server failed; the failure is in its log."))
    return defaults.server_error(request)
