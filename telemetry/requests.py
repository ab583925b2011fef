"""Which request something belongs to: an id from the proxy or a new one, in answers, log lines, tasks and streams."""

import re
from contextvars import ContextVar
from uuid import uuid4

HEADER = "X-Request-ID"
IN_SCOPE = "redcoral.request_id"  # of ASGI
GOOD = re.compile(r"\A[\w.:-]{1,64}\Z", re.ASCII)
current: ContextVar[str] = ContextVar("request id", default="")


def taken(given: str) -> str:
    """``given`` when it can be an id, else a new one."""
    return given if GOOD.match(given) else uuid4().hex
