"""What providers over HTTP have in common: one POST, and which of the six outcomes its answer is.

Status and code decide, never the words of a message: those are for people only.
"""

import base64
import binascii
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn
from urllib.parse import urlsplit

import orjson

from studio import transport
from studio.providers.base import (
    MAX_PICTURE_BYTES,
    Busy,
    NotAnswered,
    NotSent,
    PromptRefused,
    Refused,
    Unanswered,
    Unusable,
    cleaned,
)  # fmt: skip

MAX_ANSWER_BYTES = 40_000_000
BUSY = frozenset({429, 500, 503, 529})
# 501 and 505 and what isn't a status of HTTP are here too: who doesn't know doesn't say that nothing was paid.
MAYBE_DONE = frozenset({408, *range(500, 600)}) - BUSY


@dataclass(frozen=True)
class Problem:
    """What a provider says of a request that it refused."""

    message: str = ""
    out_of_credit: bool = False  # a 429 that no waiting helps
    moderation: bool = False


@dataclass(frozen=True)
class Remote:
    """Where a provider is, and the key that opens it."""

    base: str
    key: str = field(default="", repr=False)

    def post(self, path: str, body: bytes, headers: Mapping[str, str], *, deadline: float) -> transport.Reply:
        """The answer, whatever its status. Raises `NotSent`, `Unanswered` and `Unusable`."""
        address = urlsplit(self.base.rstrip("/") + path)
        target = address.path + (f"?{address.query}" if address.query else "")
        try:
            connection = transport.connection_to(address, deadline=deadline)
            return transport.exchange(
                connection, "POST", target, headers=headers, body=body, deadline=deadline, most=MAX_ANSWER_BYTES
            )
        except transport.NotConnected as error:
            raise NotSent(f"The provider can't be reached ({error}).") from error
        except transport.Lost as error:
            raise Unanswered(f"The answer didn't come, or not all of it ({error}).") from error
        except transport.TooLarge as error:
            raise Unusable("The answer has more than 40 MB.") from error

    def said(self, text: object) -> str:
        """What the provider said, without the key, should it repeat it."""
        return cleaned(text, secret=self.key) if isinstance(text, str) else ""

    def refuse(self, reply: transport.Reply, problem: Problem, *, request_id: str) -> NoReturn:
        """Raises the outcome of an answer that isn't a success."""
        detail = self.said(problem.message) or f"The provider answered {reply.status}."
        kind: type[NotAnswered]
        if problem.moderation:
            kind = PromptRefused
        elif reply.status in BUSY and not problem.out_of_credit:
            raise Busy(detail, retry_after=retry_after(reply.headers), request_id=request_id)
        else:
            kind = Unanswered if reply.status in MAYBE_DONE else Refused
        raise kind(detail, request_id=request_id)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds from now, out of a number or a date."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text) if text.isdecimal() else parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, seconds)


def members(data: bytes) -> dict[str, Any]:
    """The JSON object in ``data``, empty where there is none.

    What is odd beside a picture that was paid for doesn't lose it: half a character, or a number that is none.
    """
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        try:
            found = json.loads(data.decode(errors="replace"))
        except (ValueError, RecursionError):
            return {}
    return found if isinstance(found, dict) else {}


def inner(value: object, name: str) -> dict[str, Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def rows(value: object, name: str) -> list[dict[str, Any]]:
    found = value.get(name) if isinstance(value, dict) else None
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def decoded(text: object) -> bytes | None:
    """Bytes out of strict base64, None for what isn't that, is empty, or has more than 25 MB."""
    if not isinstance(text, str) or len(text) > MAX_PICTURE_BYTES * 4 // 3 + 4:
        return None
    try:
        return base64.b64decode(text, validate=True) or None
    except (binascii.Error, ValueError):
        return None
