"""What can go wrong, as a tree: see ``posclient``'s docstring. The docstring of each class is its message."""

from collections.abc import Mapping
from typing import Any


class PosclientError(Exception):
    """Something in posclient failed. ``server``: the address that was asked, if one was."""

    server = ""

    def __str__(self) -> str:
        return super().__str__() or (type(self).__doc__ or "").splitlines()[0]


class InvalidHash(PosclientError, ValueError):
    """An image's name is the SHA-256 of its bytes: 64 lower-case hexadecimal digits."""


class NotConfigured(PosclientError):
    """This terminal isn't enrolled yet."""


class StorageFull(PosclientError, OSError):
    """The disk has no room for this."""


class ImageMissing(PosclientError, LookupError):
    """The server has no image of this hash."""


class PictureRefused(PosclientError, ValueError):
    """These bytes don't become a picture here; ``code`` says why, in the server's words."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


class ServerUnavailable(PosclientError):
    """No answer, or none that says anything: worth another try later.

    ``status`` is that of an answer (5xx, 429), None when there was none; ``retry_after`` the number of seconds that
    the server asked for, None when it didn't.
    """

    def __init__(self, detail: str = "", *, status: int | None = None, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.status, self.retry_after = status, retry_after


class Disconnected(ServerUnavailable):
    """This bridge is in the mode *disconnected*."""


class UnexpectedAnswer(ServerUnavailable):
    """What answered doesn't speak as our server does (a captive portal?), or the answer was damaged."""


class ImageDamaged(UnexpectedAnswer):
    """The bytes that came don't have the hash that they were asked by."""


class Refused(PosclientError):
    """The server answered, and said no: ``status``, ``code``, ``detail`` and all of its problem+json (``body``)."""

    def __init__(self, status: int, code: str, detail: str = "", body: Mapping[str, Any] | None = None) -> None:
        super().__init__(f"{status} {code}: {detail}" if detail else f"{status} {code}")
        self.status, self.code, self.detail, self.body = status, code, detail, dict(body or {})


class NotEnrolled(Refused):
    """The device token or certificate is wrong, was replaced or was revoked: a person has to enrol again."""


class NotAllowed(Refused):
    """This device may not do that: its scopes don't allow it."""
