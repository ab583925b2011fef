"""Where tickets and receipts come out."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from .base import Record


class PrintDestination(Record):
    class Kind(models.TextChoices):
        KITCHEN = "kitchen", _("Kitchen")
        BAR = "bar", _("Bar")
        RECEIPT = "receipt", _("Receipt")

    name = models.CharField(_("name"), max_length=60)
    kind = models.CharField(_("kind"), max_length=7, choices=Kind, default=Kind.KITCHEN)
    address = models.CharField(
        _("address"),
        max_length=200,
        blank=True,
        default="",
        help_text=_("How a terminal reaches the printer, for example tcp://192.168.1.50:9100."),
    )
    copies = models.PositiveSmallIntegerField(
        _("copies"), default=1, validators=[MinValueValidator(1), MaxValueValidator(9)]
    )
    fallback = models.ForeignKey(
        "self",
        models.SET_NULL,
        verbose_name=_("fallback destination"),
        related_name="fallback_for",
        null=True,
        blank=True,
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("print destination")
        verbose_name_plural = _("print destinations")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="print_destination_name_is_unique",
                violation_error_message=_("There is a print destination of this name already."),
            ),
            models.CheckConstraint(condition=Q(copies__gte=1, copies__lte=9), name="copies_are_between_1_and_9"),
            models.CheckConstraint(
                condition=Q(fallback=None) | ~Q(fallback=F("id")),
                name="print_destination_is_not_its_own_fallback",
                violation_error_message=_("A print destination can't be its own fallback."),
            ),
        ]

    def __str__(self) -> str:
        return self.name
