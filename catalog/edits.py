"""Who changed what of a record, from what to what, where no page of the admin notes it: by API, sheet, photo, studio.

Sheets and photos note it in their transaction. Writes of the API note it in memory, and a thread writes it within
seconds: a PATCH costs no statement more. A process that is killed in between loses that of its last seconds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from clocks.rows import bring_back
from devices.writebehind import WriteBehind

from . import rows
from .models import Edit
from .models.edits import Way as Way

KEPT = timedelta(days=365)
EVERY_SECONDS = 3.0
AT_ONCE = 1000  # rows of a statement
NAMES = 200  # characters of a name

Changes = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Author:
    """``who`` is the name of a login or a device, ``about`` that of an imported file."""

    way: Way
    who: str = ""
    about: str = ""


def write(author: Author, kind: str, done: Iterable[tuple[UUID | str, Changes]]) -> None:
    """Note what was ``done`` to records of ``kind``: the changes of each, none for one that was made."""
    _insert([_row(author, kind, record, changes) for record, changes in done])


def write_behind(author: Author, kind: str, done: Iterable[tuple[UUID | str, Changes]]) -> None:
    """As ``write``, after the commit, within seconds."""
    for record, changes in done:
        noted.note(next(numbers), _row(author, kind, record, changes))


def prune(*, now: datetime) -> None:
    """Forget what was done more than a year ago."""
    bring_back(Edit.objects.all(), now=now, at=timedelta())
    Edit.objects.filter(at__lt=now - KEPT).delete()


def _row(author: Author, kind: str, record: UUID | str, changes: Changes) -> dict[str, Any]:
    return {
        "at": datetime.now(UTC),
        "kind": kind,
        "record": UUID(str(record)),
        "way": author.way.value,
        "who": author.who[:NAMES],
        "about": author.about[:NAMES],
        "changes": changes,
    }


def _insert(given: Sequence[rows.Row]) -> None:
    for start in range(0, len(given), AT_ONCE):
        rows.insert(Edit, given[start : start + AT_ONCE])


def _write(noted: Mapping[int, rows.Row]) -> None:
    _insert(list(noted.values()))


numbers = count()
noted: WriteBehind[int, rows.Row] = WriteBehind("edits", _write, seconds=EVERY_SECONDS)
