"""One row for each stored picture; the row is the lock of its bytes."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

HASH = RegexValidator(r"\A[0-9a-f]{64}\Z", _("An image is named by 64 lower-case hexadecimal digits."))


class Image(models.Model):
    """A picture in normal form, named by the SHA-256 of its bytes.

    ``storing`` → bytes → ``stored``; when nothing refers to it any more ``sweeping`` → bytes gone → row gone.
    References are taken to ``stored`` rows only.
    """

    class Status(models.TextChoices):
        STORING = "storing", _("storing")
        STORED = "stored", _("stored")
        SWEEPING = "sweeping", _("sweeping")

    hash = models.CharField(_("hash"), max_length=64, primary_key=True, validators=[HASH])
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

    class Meta:
        verbose_name = _("image")
        verbose_name_plural = _("images")
        ordering = ["-created_at", "hash"]
        indexes = [models.Index(fields=["status", "wanted_at"], name="image_by_status_and_wanted")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["storing", "stored", "sweeping"]), name="image_status_is_known"
            ),
            models.CheckConstraint(condition=Q(width__gte=1, height__gte=1, size__gte=1), name="image_is_not_empty"),
        ]

    def __str__(self) -> str:
        return self.hash[:12]
