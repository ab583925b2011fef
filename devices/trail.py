"""What concerns who may do what is told: one line of JSON each by the logger ``redcoral.security``, and a row.

The line says what happened, who did it, from where, and in which request. Nothing in it is secret: no token, code, PIN
or password, and no name that was typed and is nobody's, since it may be a password in the wrong field.
"""

import logging
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import orjson
from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from telemetry import requests

from .models import SecurityEvent

logger = logging.getLogger("redcoral.security")
KEPT = timedelta(days=7)  # rows; the log is kept by whoever keeps logs
OURS = "redcoral.request_id"  # in META, where no header of a client can put it
current: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


class Event(models.TextChoices):
    LOGIN = "login", _("login")
    LOGIN_FAILED = "login_failed", _("failed login")
    LOGIN_THROTTLED = "login_throttled", _("login after too many tries")
    CODE_MADE = "code_made", _("enrolment code made")
    CODE_FAILED = "code_failed", _("wrong enrolment code")
    CODE_THROTTLED = "code_throttled", _("code after too many tries")
    ENROLLED = "enrolled", _("device enrolled")
    ROTATED = "rotated", _("token replaced")
    REVOKED = "revoked", _("device revoked")
    DEVICE_DELETED = "device_deleted", _("device deleted")
    SCOPES_CHANGED = "scopes_changed", _("scopes changed")
    PIN_FAILED = "pin_failed", _("wrong PIN")
    PIN_THROTTLED = "pin_throttled", _("PIN after too many tries")
    PERMISSIONS_CHANGED = "permissions_changed", _("permissions changed")
    PASSWORD_CHANGED = "password_changed", _("password changed")
    TOTP_CHANGED = "totp_changed", _("authenticator app given or taken")
    ACCOUNT_ADDED = "account_added", _("login added")
    ACCOUNT_DELETED = "account_deleted", _("login deleted")


FAILED = (Event.LOGIN_FAILED, Event.CODE_FAILED, Event.PIN_FAILED)
ONLY_LOGGED = (Event.LOGIN_THROTTLED, Event.CODE_THROTTLED, Event.PIN_THROTTLED)  # or a flood would fill the table


def tell(event: Event, *, who: str | None = None, **about: Any) -> None:
    """Log ``event``, and keep it for the admin. ``about`` says whom or what it concerns, in values that JSON has."""
    request, now = current.get(), timezone.now()
    line = {
        "at": now.isoformat(),
        "event": event.value,
        "who": who_asks(request) if who is None else who,
        "from": request.META.get("REMOTE_ADDR", "") if request else "",
        "request_id": id_of(request) if request else "",
        **about,
    }
    level = logging.WARNING if event in (*FAILED, *ONLY_LOGGED) else logging.INFO
    logger.log(level, "%s", orjson.dumps(line, default=str).decode())
    if event not in ONLY_LOGGED:
        SecurityEvent.objects.filter(at__lt=now - KEPT).order_by().delete()
        SecurityEvent.objects.create(
            at=now,
            event=event.value,
            who=str(line["who"])[:200],
            address=str(line["from"])[:200],
            request_id=line["request_id"],
            about=orjson.loads(orjson.dumps(about, default=str)),
        )


def who_asks(request: HttpRequest | None) -> str:
    """The login or device of ``request``; the operator without one, and "" for nobody that is known."""
    if request is None:
        return "operator"
    user: Any = getattr(request, "user", None)
    if not getattr(user, "is_authenticated", False):
        return ""
    return f"staff {user.get_username()}" if hasattr(user, "get_username") else f"device {user.id} {user.name}"


def id_of(request: HttpRequest) -> str:
    """The id that a proxy gave the request, else a new one; the same whenever it is asked for."""
    if OURS not in request.META:
        request.META[OURS] = requests.taken(request.META.get("HTTP_X_REQUEST_ID", ""))
    found: str = request.META[OURS]
    return found
