"""The epoch: one row that names one continuous history, shared by all processes."""

from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from .models import Epoch


def begin() -> UUID:
    """Start a new history: every terminal refetches what it holds. Running processes notice within a second."""
    epoch = uuid4()
    Epoch.objects.update_or_create(id=1, defaults={"epoch": epoch, "since": timezone.now()})
    return epoch


def exists() -> bool:
    return Epoch.objects.exists()


def tables_exist() -> bool:
    """False while migrations of this application are taken back or not yet run."""
    return Epoch._meta.db_table in connection.introspection.table_names()
