"""What was done to records elsewhere than on their pages in the admin, for the history there."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Way(models.TextChoices):
    API = "api", _("API")
    IMPORT = "import", _("Import")
    PHOTO = "photo", _("Photo")
    STUDIO = "studio", _("Studio")


class Edit(models.Model):
    """One write of one record. It outlives the record, and is gone a year later (``catalog.edits``).

    ``changes`` is empty for a record that was made. Else each is a list: the name of a field and, unless it is a list
    or a secret, what it was and what it is, as JSON has it.
    """

    at = models.DateTimeField()
    kind = models.CharField(max_length=40)  # as in catalog/resources.py
    record = models.UUIDField()
    way = models.CharField(max_length=10, choices=Way.choices)
    who = models.CharField(max_length=200)  # the name of a login or device at that time, "" for a command
    about = models.CharField(max_length=200)  # the file of an import
    changes = models.JSONField(default=list)

    class Meta:
        indexes = (
            models.Index(fields=["record", "at"], name="edit_by_record"),
            models.Index(fields=["at"], name="edit_by_time"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.record} {self.at:%Y-%m-%d %H:%M:%S}"
