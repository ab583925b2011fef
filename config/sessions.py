"""Django's sessions in the database, which end twelve hours after they were used last.

One that was used while the clock was ahead, and would last for longer, counts as used now.
"""

from contextlib import suppress
from copy import deepcopy
from datetime import timedelta
from typing import Any

from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.db import InternalError, OperationalError
from django.utils import timezone

from clocks.rows import SKEW
from images.identity import unless_busy

UNWRITABLE = OperationalError, InternalError  # locked, full, a file that is only read; a PostgreSQL in recovery
STEP = timedelta(minutes=15)  # a session is written so seldom that reading stays reading


class SessionStore(db.SessionStore):
    """Keys that no browser was ever given are turned away before they reach the database.

    A cookie can spell out a NUL byte, which PostgreSQL refuses with an error that Django doesn't catch.
    """

    as_it_was: dict[str, Any] | None = None  # what was loaded

    def load(self) -> Any:
        data = super().load()
        self.as_it_was = deepcopy(data)
        return data

    def save(self, must_create: bool = False) -> None:
        """As Django's. Whoever only reads needs no write: where none can be made, a later request moves the end."""
        if not must_create and dict(self.items()) == self.as_it_was:
            with suppress(*UNWRITABLE), unless_busy():
                self._save()
        else:
            self._save(must_create)

    def _save(self, must_create: bool = False) -> None:
        """As Django's, which takes a busy database for a session that was deleted meanwhile, and answers 400."""
        try:
            super().save(must_create)
        except UpdateError as error:
            if isinstance(error.__context__, UNWRITABLE):
                raise error.__context__ from None
            raise

    def _validate_session_key(self, key: str | None) -> bool:
        return super()._validate_session_key(key) and str(key).isalnum()  # type: ignore[misc]  # untyped, but Django's

    def _get_session_from_db(self) -> Any:
        found = super()._get_session_from_db()  # type: ignore[misc]
        if found is not None:
            left, whole = found.expire_date - timezone.now(), timedelta(seconds=self.get_session_cookie_age())
            self.modified = not whole - STEP <= left <= whole + SKEW  # saved: begins anew
        return found
