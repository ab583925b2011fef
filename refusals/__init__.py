"""How every room says no: an exception that knows how the wire and a person are told.

The domain raises it where the reason is known. ``config.problems`` renders it for the API and for the stream,
the admin shows ``str(refusal)``. Nobody catches one only to say the same in other words. docs/errors.md lists
every code.
"""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Refusal(Exception):
    """The request can't be done, and asking in the same way again doesn't help, unless ``retry_after`` says when."""

    status: int  # of HTTP
    code: str  # stable, for programs
    detail: str | Promise  # for a person, lazily translated: what is wrong and what to do
    retry_after: int | None = None  # seconds
    reason = ""  # what happened, in English, for the log

    def __init__(
        self, detail: str | Promise | None = None, *, headers: Mapping[str, str] | None = None, **members: Any
    ) -> None:
        """``detail`` replaces that of the class; ``members`` are added to the problem's own (``by``, ``errors``)."""
        super().__init__()
        if detail is not None:
            self.detail = detail
        self.headers = dict(headers or {})
        if self.status == 401:  # HTTP wants each to say how a caller may show who it is
            self.headers.setdefault("WWW-Authenticate", "Bearer")
        if self.retry_after is not None:
            self.headers.setdefault("Retry-After", str(self.retry_after))
        self.members = members

    def __str__(self) -> str:
        return str(self.detail)


def type_of(code: str) -> str:
    """The ``type`` of a problem: where the server itself shows what docs/errors.md says of ``code``."""
    return f"/api/errors#{code}"


class InvalidParameter(Refusal):
    """A parameter of the query has a value that it can't have."""

    status, code = 400, "invalid_parameter"


class DatabaseUnavailable(Refusal):
    """It is restarting, say, or another writer has held SQLite for long. Nothing was written: asking again is right."""

    status, code, retry_after = 503, "database_unavailable", 2
    detail = _("The database doesn't answer just now; ask again soon.")
