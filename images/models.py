"""One row for each image, which is the lock of its bytes; one for each pass of upkeep; and one for the storage."""

from typing import Self
from uuid import uuid4

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from images.blobs import HASH

is_hash = RegexValidator(HASH.pattern, _("An image is named by 64 lower-case hexadecimal digits."))


class ImageQuerySet(models.QuerySet["Image"]):
    def usable(self) -> Self:
        """Images that can be served and referred to: stored, and not known to be damaged."""
        return self.filter(status=Image.Status.STORED, damaged_at=None)


class Image(models.Model):
    """A JPEG in normal form, named by the SHA-256 of its bytes.

    ``storing`` → bytes → ``stored``; when nobody refers to it any more ``sweeping`` → bytes gone → row gone. Others
    may refer to usable rows only. An image whose bytes rotted or were lost stays ``stored``, with ``damaged_at``, until
    somebody uploads the same bytes again.
    """

    class Status(models.TextChoices):
        STORING = "storing", _("Storing")
        STORED = "stored", pgettext_lazy("state", "Stored")
        SWEEPING = "sweeping", _("Sweeping")

    hash = models.CharField(_("hash"), max_length=64, primary_key=True, validators=[is_hash])
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.STORING)
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    size = models.PositiveIntegerField(_("size"), help_text=_("In bytes."))
    encoder = models.CharField(
        _("encoder"),
        max_length=60,
        blank=True,
        default="",
        help_text=_("Empty: the bytes came in normal form."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    wanted_at = models.DateTimeField(
        _("wanted at"), help_text=_("Last time somebody stored it or asked for it; a sweep waits from here.")
    )
    unreferenced_since = models.DateTimeField(
        _("unreferenced since"), null=True, blank=True, help_text=_("When upkeep first saw that nothing shows it.")
    )
    checked_at = models.DateTimeField(
        _("checked at"), null=True, blank=True, help_text=_("Last time its bytes were compared with its name.")
    )
    damaged_at = models.DateTimeField(
        _("damaged at"), null=True, blank=True, help_text=_("Its bytes are lost until somebody adds it again.")
    )

    objects = ImageQuerySet.as_manager()

    class Meta:
        verbose_name = _("image")
        verbose_name_plural = _("images")
        ordering = ["-created_at", "hash"]
        indexes = [
            models.Index(fields=["status", "wanted_at"], name="image_by_status_and_wanted"),
            models.Index(fields=["checked_at", "hash"], name="image_by_checked"),
            models.Index(fields=["damaged_at"], name="image_by_damaged", condition=Q(damaged_at__isnull=False)),
            models.Index(
                fields=["unreferenced_since"],
                name="image_by_unreferenced",
                condition=Q(unreferenced_since__isnull=False),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["storing", "stored", "sweeping"]), name="image_status_is_known"
            ),
            models.CheckConstraint(condition=Q(width__gte=1, height__gte=1, size__gte=1), name="image_is_not_empty"),
        ]

    def __str__(self) -> str:
        return self.hash[:12]


class Storage(models.Model):
    """The storage that this database belongs to: one row, whose ``marker`` an object in that storage repeats."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    marker = models.UUIDField(_("marker"), default=uuid4)
    is_marked = models.BooleanField(_("marked"), default=False)
    machine = models.CharField(
        _("machine"),
        max_length=64,
        blank=True,
        default="",
        help_text=_("Whose disk holds it (images/machines.py). Empty: a bucket, or not known yet."),
    )

    class Meta:
        verbose_name = _("storage")
        verbose_name_plural = _("storage")
        constraints = [models.CheckConstraint(condition=Q(id=1), name="storage_is_one")]

    def __str__(self) -> str:
        return self.marker.hex


class Pass(models.Model):
    """One pass of upkeep: what it did, and where the next one goes on."""

    class Kind(models.TextChoices):
        SWEEP = "sweep", _("Sweep: what nothing shows any more")
        SCRUB = "scrub", _("Scrub: are the bytes still right?")
        ORPHANS = "orphans", _("Orphans: files without record, records without file")

    class Outcome(models.TextChoices):
        RUNNING = "running", _("Running, or died")
        DONE = "done", pgettext_lazy("state", "Done")
        MORE = "more", _("The next one goes on")
        TOO_MUCH = "too_much", _("Stopped: it would have touched too much")
        UNAVAILABLE = "unavailable", _("Stopped: the storage doesn't answer")
        FAILED = "failed", _("Failed")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome, default=Outcome.RUNNING)
    is_dry_run = models.BooleanField(_("dry run"), default=False, help_text=_("It only said what it would do."))
    started_at = models.DateTimeField(_("started at"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)
    counts = models.JSONField(_("counts"), default=dict)
    cursor = models.CharField(_("cursor"), max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("upkeep pass")
        verbose_name_plural = _("upkeep passes")
        ordering = ["-started_at", "-pk"]
        indexes = [models.Index(fields=["kind", "-started_at"], name="pass_by_kind_and_start")]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["sweep", "scrub", "orphans"]), name="pass_kind_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.started_at:%Y-%m-%d %H:%M})"
