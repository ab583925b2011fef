"""What a provider is asked, what it answers, and the six ways in which it doesn't. Pure: no settings, no rows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from math import isfinite
from typing import Protocol

MAX_PICTURE_BYTES = 25_000_000
LONGEST_DETAIL = 300  # characters of what a provider said


@dataclass(frozen=True)
class Subject:
    """What the picture is of: words for a label, in the language in which the catalogue has them."""

    name: str
    category: str = ""
    colour: str = ""  # of the category, as #rrggbb; another one is chosen by the name where it is none
    initials: str = ""  # made of the name where they are empty
    square: bool = False  # the picture is wanted with equal sides


@dataclass(frozen=True)
class Asked:
    """One request: ``source`` is the photo to improve, as JPEG in normal form; without it a picture is made anew."""

    prompt: str
    model: str = ""
    source: bytes | None = field(default=None, repr=False)
    subject: Subject = Subject("")


@dataclass(frozen=True)
class Answer:
    """A picture, as bytes in the provider's own format or as an address; exactly one of both."""

    data: bytes | None = field(default=None, repr=False)
    url: str = ""
    request_id: str = ""
    usage: Mapping[str, object] = field(default_factory=dict)  # as the provider counts it
    revised_prompt: str = ""

    def __post_init__(self) -> None:
        if (self.data is None) == (not self.url):
            raise ValueError("An answer has either bytes or an address.")


class NotAnswered(Exception):
    """The provider gave no picture. ``str()`` is for people: cleaned, at most 300 characters, without any key."""

    def __init__(self, detail: str = "", *, request_id: str = "", usage: Mapping[str, object] | None = None) -> None:
        super().__init__(cleaned(detail))
        self.request_id = cleaned(request_id)
        self.usage: Mapping[str, object] = usage or {}


class NotSent(NotAnswered):
    """The name isn't known, nobody listens there, or TLS failed: no byte of the request was sent, nothing is paid."""


class Busy(NotAnswered):
    """The provider refused for now and charges nothing; ``retry_after`` is in seconds, None where it named no time."""

    def __init__(self, detail: str = "", *, retry_after: float | None = None, request_id: str = "") -> None:
        super().__init__(detail, request_id=request_id)
        self.retry_after = retry_after


class Refused(NotAnswered):
    """The provider refused for good and charges nothing: key, credit, model or a field of the request is wrong."""


class PromptRefused(NotAnswered):
    """The provider's moderation refused the words or the photo, and charges nothing."""


class Unusable(NotAnswered):
    """The provider answered, and perhaps charged, but there is no picture in the answer."""


class Unanswered(NotAnswered):
    """Nobody knows whether the provider did the work and charged for it: the request was sent, the answer is lost."""


class Provider(Protocol):
    """A provider; a new one is a module with a class of this shape, and its name in `studio.providers`."""

    @property
    def name(self) -> str: ...

    @property
    def free(self) -> bool:
        """Asking never costs anything, so nothing is counted."""
        ...

    @property
    def improves(self) -> bool:
        """It takes a ``source``."""
        ...

    def ask(self, asked: Asked, deadline: float) -> Answer:
        """Asks once; nothing is repeated.

        ``deadline`` is a moment of ``time.monotonic()`` by which the whole answer is there. Raises one of `NotSent`,
        `Busy`, `Refused`, `PromptRefused`, `Unusable`, `Unanswered`, and nothing else.
        """
        ...


def storable(value: object, *, secret: str = "", depth: int = 20) -> object:
    """``value``, of a stranger's JSON, as every database stores it, with ``secret`` blotted out.

    Texts have no NUL and no half of a surrogate pair. A number that is none, and what lies deeper, becomes None.
    """
    if isinstance(value, str):
        text = value.replace("\0", "").encode(errors="ignore").decode()
        return text.replace(secret, "…") if secret else text
    if (isinstance(value, Mapping | list) and not depth) or (isinstance(value, float) and not isfinite(value)):
        return None
    kept = partial(storable, secret=secret, depth=depth - 1)
    if isinstance(value, Mapping):
        return {kept(name): kept(inner) for name, inner in value.items()}
    return list(map(kept, value)) if isinstance(value, list) else value


def cleaned(text: str, *, secret: str = "") -> str:
    """``text`` of a stranger as one line of printable characters, at most 300, with ``secret`` blotted out."""
    if secret:
        text = text.replace(secret, "…")
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    line = re.sub(r"\s+", " ", printable).strip()
    return line if len(line) <= LONGEST_DETAIL else line[: LONGEST_DETAIL - 1] + "…"
