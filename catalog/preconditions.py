"""The ETag that names the bytes of an object, and what a client may demand before it writes."""

from dataclasses import dataclass
from hashlib import sha256

from django.utils.http import parse_etags
from django.utils.translation import gettext_lazy as _

from refusals import Refusal


class PreconditionFailed(Refusal):
    status, code = 412, "precondition_failed"
    detail = _("The object isn't the one that you know; read it again.")


def etag(body: bytes) -> str:
    """The strong validator of ``body``, with its quotes."""
    return f'"{sha256(body).hexdigest()[:32]}"'


@dataclass(frozen=True)
class Precondition:
    """``If-Match`` and ``If-None-Match`` of a request; None where the header is missing.

    Weak and strong are not told apart: compression puts ``W/`` before the very ETag that we sent.
    """

    match: tuple[str, ...] | None = None
    none_match: tuple[str, ...] | None = None

    @classmethod
    def of(cls, *, match: str | None, none_match: str | None) -> "Precondition":
        """From the text of both headers; a header that names no ETag at all matches nothing."""
        return cls(_etags(match), _etags(none_match))

    def check(self, body: bytes | None) -> None:
        """Raises PreconditionFailed unless ``body`` (None: no such object) is what the client demands."""
        current = etag(body) if body is not None else None
        if self.match is not None and not _names(self.match, current):
            raise PreconditionFailed
        if self.none_match is not None and _names(self.none_match, current):
            raise PreconditionFailed

    def is_fresh(self, current: str) -> bool:
        """Whether the client holds ``current`` already, so that a GET is answered by 304."""
        return self.none_match is not None and _names(self.none_match, current)


def _etags(header: str | None) -> tuple[str, ...] | None:
    return None if header is None else tuple(tag.removeprefix("W/") for tag in parse_etags(header))


def _names(etags: tuple[str, ...], current: str | None) -> bool:
    return current is not None and ("*" in etags or current in etags)
