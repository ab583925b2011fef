"""A sheet on its way in: looked at first, then taken. Long ones go to a worker, and the page may be left meanwhile.

The file waits under ``sheets/`` in the storage, which every process reaches. What the browser holds is a signed token
of its own session, never a path. How far a worker is stands in the cache: looking at a sheet writes nothing else.
"""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core import signing
from django.core.cache import cache
from django.utils import translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from catalog.edits import Author, Way
from catalog.resources import Kind, kind_named
from catalog.transactions import Contended
from images.blobs import BlobMissing, blobs

from .cells import Unreadable
from .checking import Progress, check
from .headings import layout_of
from .kinds import columns_of
from .reading import grid_of
from .summary import Summary

logger = logging.getLogger(__name__)

FOLDER = "sheets/"
SALT = "catalog.sheets"
KEPT = timedelta(days=1)
SECONDS = int(KEPT.total_seconds())
LONG_ROWS, LONG_BYTES = 1000, 1_000_000
SILENT_SECONDS = 150  # longer than a worker is silent while it works
ATTEMPTS = 3
OPERATOR = Author(Way.IMPORT)


class Gone(LookupError):
    """The sheet isn't there any more, or isn't of this session."""


@dataclass(frozen=True)
class Sheet:
    """A file that waits. ``order`` is that of its dates if it was chosen, ``session`` a browser's fingerprint."""

    key: str
    kind: str
    name: str
    order: str
    user: int
    session: str
    is_long: bool = False

    @property
    def token(self) -> str:
        return signing.dumps(asdict(self), salt=SALT, compress=True)

    @property
    def of(self) -> Kind:
        return kind_named(self.kind)


def fingerprint(session_key: str | None) -> str:
    return salted_hmac(SALT, session_key or "").hexdigest()[:16]


def keep(data: bytes, *, kind: Kind, name: str, order: str, user: int, session: str, is_long: bool) -> Sheet:
    sheet = Sheet(uuid4().hex, kind.name, name[:200], order, user, session, is_long)
    blobs().put(FOLDER + sheet.key, data, content_type="application/octet-stream")
    return sheet


def find(token: str, *, kind: Kind | None = None, session: str | None = None) -> Sheet:
    """The sheet of a token, and of this kind and session if they are given. Raises Gone."""
    try:
        sheet = Sheet(**signing.loads(token, salt=SALT, max_age=KEPT))
    except signing.BadSignature:
        raise Gone from None
    if (kind and kind.name != sheet.kind) or (session and session != sheet.session):
        raise Gone
    return sheet


def is_long(data: bytes, kind: Kind) -> bool:
    """Whether it would keep a page waiting. Raises Unreadable."""
    return len(data) > LONG_BYTES or len(grid_of(data, kind).rows) - 1 > LONG_ROWS


def left_out(data: bytes, kind: Kind) -> list[str]:
    """The headings that mean nothing here. Raises Unreadable."""
    return layout_of(grid_of(data, kind), columns_of(kind))[0].left_out


def look(data: bytes, kind: Kind, *, order: str = "", progress: Progress = lambda done, of: None) -> Summary:
    """What taking the sheet would do. Only reads. Raises Unreadable."""
    return check(kind, grid_of(data, kind), order=order, only_look=True, progress=progress).summary


def take(
    data: bytes, kind: Kind, *, order: str = "", progress: Progress = lambda done, of: None, author: Author = OPERATOR
) -> Summary:
    """Import the sheet, unless there are mistakes. Raises Unreadable, and Contended when others are in the way.

    The history of each record that it changes says that it was ``author``.
    """
    for attempt in range(ATTEMPTS):
        plan = check(kind, grid_of(data, kind), order=order, progress=progress)
        try:
            if not plan.summary.mistakes:
                plan.writes.save(author)
            return plan.summary
        except Contended:
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("the last attempt ends it")


def take_sheet(sheet: Sheet, *, progress: Progress = lambda done, of: None) -> Summary:
    """``take`` for a file that waits; the admin's list of recent actions has it. Raises Gone too."""
    login = get_user_model()._default_manager.filter(pk=sheet.user).first()
    author = Author(Way.IMPORT, login.get_username() if login else "", sheet.name)
    summary = take(contents(sheet), sheet.of, order=sheet.order, progress=progress, author=author)
    if login and not summary.mistakes:
        LogEntry.objects.create(
            user_id=login.pk,
            content_type=ContentType.objects.get_for_model(sheet.of.model),
            object_repr=sheet.name,
            action_flag=CHANGE,
            change_message=summary.sentence(),
        )
    return summary


def contents(sheet: Sheet) -> bytes:
    try:
        return blobs().read(FOLDER + sheet.key)
    except BlobMissing:
        raise Gone from None


def forget(sheet: Sheet) -> None:
    blobs().delete(FOLDER + sheet.key)


# --- In a worker ------------------------------------------------------------------------------------------------
def start(sheet: Sheet, *, saving: bool, send: Callable[..., Any]) -> None:
    """Let a worker do it; ``send`` sends a message. Raises what cache and broker raise when they are away."""
    _note(sheet, {"saving": saving, "done": 0, "of": 0, "ended": False})
    cache.set(_newest(sheet.user, sheet.kind), sheet.token.encode(), SECONDS)
    send(sheet.token, saving, translation.get_language())


def newest(user: int, kind: Kind) -> str | None:
    """The token of the user's last long sheet of this kind, as far as the cache knows."""
    try:
        token: bytes | None = cache.get(_newest(user, kind.name))
    except Exception:
        logger.exception("the cache doesn't answer; a sheet that a worker has can't be named")
        return None
    return token.decode() if token else None


def state(sheet: Sheet) -> dict[str, Any] | None:
    """How far the worker is: saving, done, of, ended, and summary or problem at the end; None when nobody knows."""
    kept: bytes | None = cache.get(_state(sheet))
    found: dict[str, Any] | None = json.loads(kept) if kept else None
    if found:
        found["silent"] = not found["ended"] and time.time() - found["at"] > SILENT_SECONDS
    return found


def work(*, token: str, saving: bool, language: str) -> None:
    """Look at a sheet or take it, in a worker, and note how far it is. A message may come twice."""
    sheet = find(token)
    if (known := state(sheet)) and known["ended"] and known["saving"] == saving:
        return
    found: dict[str, Any] = {"saving": saving, "done": 0, "of": 0, "ended": False}

    def progress(done: int, of: int) -> None:
        found.update(done=done, of=of)
        _note(sheet, found)

    with translation.override(language):
        problem = _("It was broken off, and nothing was stored. Try again.")
        try:
            if saving:
                summary = take_sheet(sheet, progress=progress)
            else:
                summary = look(contents(sheet), sheet.of, order=sheet.order, progress=progress)
            found["summary"], problem = summary.as_data(), ""
        except Unreadable as reason:
            problem = str(reason)
        except Contended:
            problem = _("Nothing was saved: somebody else is changing the same. Try again.")
        except Gone:
            problem = _("This file isn't here any more. Choose it again.")
        finally:
            found.update(ended=True, problem=problem)
            _note(sheet, found)
        if saving and not found.get("summary", {}).get("mistakes", 1):
            forget(sheet)


def sweep(*, now: datetime) -> None:
    """Remove the files that nobody took."""
    for blob in blobs().list(FOLDER):
        if blob.modified < now - KEPT:
            blobs().delete(blob.key)


def _note(sheet: Sheet, found: dict[str, Any]) -> None:
    # The cache keeps bytes: nothing that it hands back is run.
    cache.set(_state(sheet), json.dumps({**found, "at": time.time()}).encode(), SECONDS)


def _state(sheet: Sheet) -> str:
    return f"sheet-{sheet.key}"


def _newest(user: int, kind: str) -> str:
    return f"sheet-of-{user}-{kind}"
