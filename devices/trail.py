"""What concerns who may do what is told: one line of JSON each by the logger ``redcoral.security``, and a row.

The line says what happened, who did it, from where, and in which request. Nothing in it is secret: no token, code, PIN
or password, and no name that was typed and is nobody's, since it may be a password in the wrong field.
"""

import logging
from contextvars import ContextVar
from datetime import timedelta
from typing import Any

import orjson
from django.http import HttpRequest
from django.utils import timezone

from clocks.rows import bring_back
from telemetry import requests

from .events import FAILED, ONLY_LOGGED, Event
from .models import SecurityEvent

logger = logging.getLogger("redcoral.security")
KEPT = timedelta(days=7)  # rows; the log is kept by whoever keeps logs
OURS = "redcoral.request_id"  # in META, where no header of a client can put it
current: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


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
        bring_back(SecurityEvent.objects.all(), now=now, at=timedelta())
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
