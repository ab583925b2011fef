"""Who is asking: a device by its token, or staff by their session. For every door, also outside Django."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, ClassVar, Literal
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from . import contacts
from .models import Device, token_digest

COOKIE = "redcoral_device"
STAFF_SCOPES = frozenset({"read", "upload"})  # what they may write of the catalogue, model permissions say


class Unwelcome(PermissionError):
    """Somebody asked, but not somebody we let in. ``status``, ``code`` and ``detail`` are those of the wire."""

    status: ClassVar[int]
    code: ClassVar[str]
    detail: ClassVar[Any]  # for a person, lazily translated


class TokenInvalid(Unwelcome):
    """The device token is wrong, was replaced or was revoked."""

    status, code = 401, "invalid_token"
    detail = _("This device token is wrong, was replaced or was revoked.")


class NotStaff(Unwelcome):
    """This login has no access to the server's interfaces."""

    status, code = 403, "forbidden"
    detail = _("This login has no access to the API.")


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who is let in; what travels through the house instead of a request."""

    kind: Literal["device", "staff"]
    id: str
    name: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class DeviceCaller(Caller):
    """A device; ``request.user`` in views. ``presented`` says how it showed its token."""

    presented: Literal["bearer", "cookie"]
    token_hash: str = field(repr=False)

    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False
    is_active: ClassVar[bool] = True
    is_staff: ClassVar[bool] = False
    is_superuser: ClassVar[bool] = False

    @property
    def pk(self) -> str:
        return self.id


def identify(request: HttpRequest) -> Caller | None:
    """Who is asking: bearer token, else device cookie, else staff session; None when nothing was shown.

    Raises TokenInvalid and NotStaff. Reads one row of devices, or the session and its user; writes nothing.
    Doesn't check CSRF: who lets a cookie write has to (devices.authentication does).
    """
    return identify_device(request) or identify_staff(request)


def identify_device(request: HttpRequest) -> DeviceCaller | None:
    """The device whose token the request shows. Raises TokenInvalid.

    A bearer token decides alone. A cookie may be left over from a terminal page that was revoked: it steps
    back when the same browser has a login.
    """
    presented: Literal["bearer", "cookie"] = "bearer"
    token = bearer_token(request)
    if token is None:
        presented = "cookie"
        token = request.COOKIES.get(COOKIE)
    if token is None:
        return None
    digest = token_digest(token)
    device = Device.objects.with_digest(digest).first()
    if device is None:
        if presented == "cookie" and session_user(request) is not None:
            return None
        raise TokenInvalid
    contacts.note(device.id)
    return DeviceCaller(
        kind="device",
        id=str(device.id),
        name=device.name,
        scopes=frozenset(device.scopes),
        presented=presented,
        token_hash=digest,
    )


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

    Another scheme (a proxy's Basic, say) isn't meant for us.
    """
    words = request.META.get("HTTP_AUTHORIZATION", "").split()
    if not words or words[0].lower() != "bearer":
        return None
    return words[1] if len(words) == 2 else ""


def still_welcome(callers: Collection[Caller]) -> set[str]:
    """The ids of those ``callers`` that would still be let in: one query for devices, one for staff.

    Where one of several callers of a device shows a replaced token, none of them is: the right one comes back.
    """
    device_ids = {UUID(caller.id) for caller in callers if caller.kind == "device"}
    shown = {(caller.id, caller.token_hash) for caller in callers if isinstance(caller, DeviceCaller)}
    user_ids = {caller.id for caller in callers if caller.kind == "staff"}
    welcome: set[str] = set()
    if device_ids:
        devices = Device.objects.active().filter(pk__in=device_ids)
        valid = {str(pk): token_hash for pk, token_hash in devices.values_list("pk", "token_hash")}
        welcome |= valid.keys() - {pk for pk, token_hash in shown if token_hash != valid.get(pk)}
    if user_ids:
        staff = get_user_model()._default_manager.filter(pk__in=user_ids, is_active=True, is_staff=True)
        welcome |= {str(pk) for pk in staff.values_list("pk", flat=True)}
    return welcome


def request_from_scope(scope: Mapping[str, Any]) -> HttpRequest:
    """A request for ``identify`` from an ASGI scope: method, path, headers, cookies, session, user; no body.

    The session is read when it is first looked at, which has to happen in a thread.
    """
    # The query isn't needed here, and one that isn't UTF-8 would make Django's constructor fail.
    request = ASGIRequest({"method": "GET", **scope, "query_string": b""}, BytesIO())
    SessionMiddleware(never_called).process_request(request)
    AuthenticationMiddleware(never_called).process_request(request)
    return request


def never_called(request: HttpRequest) -> HttpResponse:
    """What middleware wants to be made with, where only its first half is asked."""
    raise AssertionError("only the request's half of this middleware is used")
