"""Django's sessions in the database, with keys that no browser was ever given turned away before they reach it."""

from django.contrib.sessions.backends import db


class SessionStore(db.SessionStore):
    """A cookie can spell out a NUL byte, which PostgreSQL refuses with an error that Django doesn't catch."""

    def _validate_session_key(self, key: str | None) -> bool:
        return super()._validate_session_key(key) and str(key).isalnum()  # type: ignore[misc]  # untyped, but Django's
