"""The opaque cursor of a stream: an epoch and the version reached in each of the stream's resources."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

# An epoch and the versions of every resource fit many times. A longer text isn't ours and isn't read.
LONGEST = 2000
LARGEST_VERSION = 2**63 - 1


class UnreadableCursor(ValueError):
    """The text is no cursor that this server made."""


@dataclass(frozen=True)
class Cursor:
    epoch: UUID
    versions: Mapping[str, int]

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        """Thousands of streams may stand at one cursor: its text is made once."""
        return f"{self.epoch.hex}:" + ",".join(f"{name}.{version}" for name, version in self.versions.items())

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """The cursor that ``text`` names; raises UnreadableCursor."""
        head, colon, tail = text.partition(":")
        if not colon or len(text) > LONGEST or len(head) != 32 or not text.isascii():
            raise UnreadableCursor
        versions = {}
        for part in tail.split(",") if tail else []:
            name, _, version = part.partition(".")
            if not name or not version.isdigit() or int(version) > LARGEST_VERSION:
                raise UnreadableCursor
            versions[name] = int(version)
        try:
            return cls(UUID(hex=head), versions)
        except ValueError:
            raise UnreadableCursor from None
