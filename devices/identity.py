"""Who is asking: a device by token or certificate, or staff by session. For views, and for what isn't Django's.

Something was shown and nobody is let in by it: that is a Refusal. Nothing was shown: that is None.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, ClassVar, Literal
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from refusals import Refusal

from . import contacts, proxies
from .models import Device, scopes_of, token_digest

FIRST_COOKIE = "redcoral_device"
COOKIE = f"{FIRST_COOKIE}{settings.COOKIE_SUFFIX}"  # two servers on one host share no cookies
STAFF_SCOPES = frozenset({"read", "upload"})  # model permissions say what staff may write of the catalogue

# The same as ``Device.objects.active()``, by hand: every request begins with one of these, and to build the query would
# take longer than all else that is done to let a caller in.
WITH_DIGEST = """
SELECT id, name, token_hash, certificate_fingerprint, may_upload, may_manage, history_of_id
FROM devices_device WHERE token_hash = %s AND revoked_at IS NULL
"""
WITH_FINGERPRINT = """
SELECT id, name, token_hash, certificate_fingerprint, may_upload, may_manage, history_of_id
FROM devices_device WHERE certificate_fingerprint = %s AND revoked_at IS NULL
"""
# For a statement that reads something else as well. Its caller notes the contact.
ID_WITH_DIGEST = "SELECT id FROM devices_device WHERE token_hash = %s AND revoked_at IS NULL"


class NotAuthenticated(Refusal):
    status, code = 401, "not_authenticated"
    detail = _("Show a device token or log in.")


class TokenInvalid(Refusal):
    status, code = 401, "invalid_token"
    detail = _("This device token is wrong, was replaced or was revoked.")


class CertificateInvalid(Refusal):
    """A proxy has verified the certificate, so its authority is ours."""

    status, code = 401, "invalid_certificate"
    detail = _("This client certificate belongs to no device, or to one that was revoked.")


class NotStaff(Refusal):
    status, code = 403, "forbidden"
    detail = _("This login has no access to the API.")


@dataclass(frozen=True, slots=True)
class Caller:
    """A device or a member of the staff who is let in. It is handed on instead of a request."""

    kind: Literal["device", "staff"]
    id: str
    name: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class DeviceCaller(Caller):
    """``request.user`` in views. ``presented`` says what the device showed."""

    presented: Literal["bearer", "cookie", "certificate"]
    token_hash: str = field(repr=False)
    fingerprint: str | None = None  # of its certificate, whatever it showed
    history_of: int | None = None  # the manager whose history it reads, while that manager is active staff

    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False
    is_active: ClassVar[bool] = True
    is_staff: ClassVar[bool] = False
    is_superuser: ClassVar[bool] = False

    @property
    def pk(self) -> str:
        return self.id


def identify(request: HttpRequest) -> Caller | None:
    """Who is asking: bearer token, else device cookie, staff session, certificate; None when nothing was shown.

    Raises TokenInvalid, CertificateInvalid and NotStaff. Reads one row of devices, or the session and its user; writes
    nothing. It doesn't check CSRF, which has to be checked before a write of a caller whose browser shows a cookie or
    certificate by itself (devices.authentication does).
    """
    return identify_device(request) or identify_staff(request)


def identify_device(request: HttpRequest) -> DeviceCaller | None:
    """The device whose token or certificate the request shows. Raises TokenInvalid and CertificateInvalid.

    A bearer token decides alone. A cookie may be left over from a device that was revoked, and a browser shows its
    certificate without being told to: when one of these is wrong and the same browser has a login, the login counts.
    """
    token = bearer_token(request)
    if token is not None:
        caller = _caller(WITH_DIGEST, token_digest(token), "bearer")
        if caller is None:
            raise TokenInvalid
        return caller
    cookie, fingerprint = cookie_of(request), proxies.certificate_shown(request)
    if cookie is not None and (caller := _caller(WITH_DIGEST, token_digest(cookie), "cookie")):
        return caller
    if (cookie is None and fingerprint is None) or session_user(request) is not None:
        return None
    if fingerprint is None:
        raise TokenInvalid
    caller = _caller(WITH_FINGERPRINT, fingerprint, "certificate")
    if caller is None:
        raise CertificateInvalid
    return caller


def cookie_of(request: HttpRequest) -> str | None:
    """The token in the device cookie. Under its first name it may be older than the server's own; `me` renews it."""
    return request.COOKIES.get(COOKIE, request.COOKIES.get(FIRST_COOKIE))


def _caller(query: str, value: str, presented: Literal["bearer", "cookie", "certificate"]) -> DeviceCaller | None:
    """The device that ``query`` finds with ``value``, if there is one. Notes the contact."""
    with connection.cursor() as cursor:
        row = cursor.execute(query, [value]).fetchone()
    if row is None:
        return None
    pk, name, token_hash, certificate, may_upload, may_manage, history_of = row
    device_id = as_uuid(pk)
    contacts.note(device_id)
    return DeviceCaller(
        kind="device",
        id=str(device_id),
        name=name,
        scopes=frozenset(scopes_of(upload=may_upload, manage=may_manage, history=history_of is not None)),
        presented=presented,
        token_hash=token_hash,
        fingerprint=certificate,
        history_of=history_of,
    )


def as_uuid(value: UUID | str) -> UUID:
    """An id that was read by plain SQL. SQLite keeps it as text."""
    return value if isinstance(value, UUID) else UUID(value)


def identify_staff(request: HttpRequest) -> Caller | None:
    """The staff member who is logged in. Raises NotStaff."""
    user = session_user(request)
    if user is None:
        return None
    if not getattr(user, "is_staff", False):
        raise NotStaff
    return Caller(kind="staff", id=str(user.pk), name=user.get_username(), scopes=STAFF_SCOPES)


def session_user(request: HttpRequest) -> AbstractBaseUser | None:
    """The active user of the Django session, staff or not."""
    user: AbstractBaseUser | AnonymousUser | None = getattr(request, "user", None)
    return user if isinstance(user, AbstractBaseUser) and user.is_active else None


def bearer_token(request: HttpRequest) -> str | None:
    """The token of ``Authorization: Bearer``, ``""`` when that header is malformed, None when there is none.

    Another scheme isn't meant for us: it may be a proxy's Basic, say.
    """
    words = request.META.get("HTTP_AUTHORIZATION", "").split()
    if not words or words[0].lower() != "bearer":
        return None
    return words[1] if len(words) == 2 else ""


def still_welcome(callers: Collection[Caller]) -> set[str]:
    """The ids of those ``callers`` that would still be let in: one query for devices, one for staff.

    When one of several callers of a device has shown a token that was replaced, none of the device's callers is in the
    answer. Those with the right token come back.
    """
    devices = [caller for caller in callers if isinstance(caller, DeviceCaller)]
    user_ids = {caller.id for caller in callers if caller.kind == "staff"}
    welcome: set[str] = set()
    if devices:
        rows = Device.objects.active().filter(pk__in={UUID(caller.id) for caller in devices})
        valid = {row.pk: row for row in rows.only("token_hash", "certificate_fingerprint")}
        refused = {caller.id for caller in devices if not _is_valid(caller, valid.get(UUID(caller.id)))}
        welcome |= {str(pk) for pk in valid} - refused
    if user_ids:
        staff = get_user_model()._default_manager.filter(pk__in=user_ids, is_active=True, is_staff=True)
        welcome |= {str(pk) for pk in staff.values_list("pk", flat=True)}
    return welcome


def _is_valid(caller: DeviceCaller, device: Device | None) -> bool:
    """Whether what ``caller`` showed is still that of ``device``."""
    if device is None:
        return False
    if caller.presented == "certificate":
        return caller.fingerprint == device.certificate_fingerprint
    return caller.token_hash == device.token_hash


def request_from_scope(scope: Mapping[str, Any]) -> HttpRequest:
    """A request for ``identify`` from an ASGI scope: method, path, headers, cookies, session, user; no body.

    The session is read when it is first looked at, which has to happen in a thread.
    """
    # Query and type of the body aren't needed here, and some of them would make Django's constructor fail.
    headers = [header for header in scope["headers"] if header[0] != b"content-type"]
    request = ASGIRequest({"method": "GET", **scope, "query_string": b"", "headers": headers}, BytesIO())
    proxies.believe(request)
    SessionMiddleware(never_called).process_request(request)
    AuthenticationMiddleware(never_called).process_request(request)
    return request


def never_called(request: HttpRequest) -> HttpResponse:
    """A ``get_response`` for middleware of which only ``process_request`` or ``process_view`` is called."""
    raise AssertionError("only the request's half of this middleware is used")
