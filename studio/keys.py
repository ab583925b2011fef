"""Under which key the bytes of a picture lie in the cloud store, and what a key says. Pure."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}
CONTENT_TYPES = {extension: content_type for content_type, extension in EXTENSIONS.items()}
FORM = re.compile(r"images/([1-9][0-9]{0,18})/(0|[1-9][0-9]{0,14})_([0-9a-f]{64})\.(jpg|png|webp)", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True)
class Key:
    """``str()`` is the key: ``images/{user}/{created, ms}_{sha256}.{ext}``."""

    user: int
    created_ms: int  # since 1970
    sha256: str
    extension: str

    def __str__(self) -> str:
        return f"images/{self.user}/{self.created_ms}_{self.sha256}.{self.extension}"

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[self.extension]


def key_of(*, user: int, created: datetime, sha256: str, content_type: str) -> Key:
    """Raises ``KeyError`` for a content type that isn't kept: only JPEG, PNG and WebP are."""
    return Key(user, (created - EPOCH) // MILLISECOND, sha256, EXTENSIONS[content_type])


def parsed(text: str) -> Key | None:
    """The key that ``text`` is, None for anything that isn't exactly of our form."""
    found = FORM.fullmatch(text)
    if found is None:
        return None
    user, created_ms, sha256, extension = found.groups()
    return Key(int(user), int(created_ms), sha256, extension)
