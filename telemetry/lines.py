"""What a line of the log looks like: times in UTC, the id of its request, and no address that somebody could use."""

import logging
import re
from datetime import UTC, datetime

import orjson

from . import requests

UPLOAD = re.compile(r"(/api/uploads/)[^\s\"'?]+")
SIGNED = re.compile(r"(X-Amz-(?:Signature|Credential|Security-Token)=)[^\s&\"']+", re.IGNORECASE)


def masked(text: str) -> str:
    """Without upload tokens and signatures: who has one may send a photo."""
    return SIGNED.sub(r"\1***", UPLOAD.sub(r"\1***", text))


def at(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Text(logging.Formatter):
    """A line for people."""

    def format(self, record: logging.LogRecord) -> str:
        request = requests.current.get()
        said = f"{at(record)} {record.levelname} {record.name}: {record.getMessage()}"
        said += f" request={request}" if request else ""
        for more in (self.formatException(record.exc_info) if record.exc_info else "", record.stack_info):
            said += f"\n{more}" if more else ""
        return masked(said)


class Json(logging.Formatter):
    """A line for programs: an object with ``at``, ``level``, ``logger``, ``message``, ``request_id``, ``error``."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": at(record),
            "level": record.levelname,
            "logger": record.name,
            "message": masked(record.getMessage()),
            "request_id": requests.current.get(),
            **getattr(record, "about", {}),
        }
        if record.exc_info:
            line["error"] = masked(self.formatException(record.exc_info))
        return orjson.dumps(line, default=str).decode()
