"""Where guests sit: tables in zones."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from .base import Record

AT_LEAST_ONE = MinValueValidator(1)


class Zone(Record):
    name = models.CharField(_("name"), max_length=60)
    position = models.IntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("zone")
        verbose_name_plural = _("zones")
        ordering = ["position", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="zone_name_is_unique",
                violation_error_message=_("There is a zone of this name already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DiningTable(Record):
    """A table on the zone's plan; x, y, width and height are in plan units (1 unit = 1 cm), rotation in degrees."""

    class Shape(models.TextChoices):
        RECTANGLE = "rectangle", _("Rectangle")
        ROUND = "round", _("Round")

    zone = models.ForeignKey(Zone, models.PROTECT, verbose_name=_("zone"), related_name="tables")
    name = models.CharField(_("name"), max_length=30)
    seats = models.PositiveSmallIntegerField(_("seats"), default=4, validators=[AT_LEAST_ONE])
    shape = models.CharField(_("shape"), max_length=9, choices=Shape, default=Shape.RECTANGLE)
    x = models.IntegerField(_("x"), default=0)
    y = models.IntegerField(_("y"), default=0)
    width = models.PositiveIntegerField(_("width"), default=80, validators=[AT_LEAST_ONE])
    height = models.PositiveIntegerField(_("height"), default=80, validators=[AT_LEAST_ONE])
    rotation = models.SmallIntegerField(_("rotation"), default=0)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("dining table")
        verbose_name_plural = _("dining tables")
        ordering = ["zone__position", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                "zone",
                Lower("name"),
                name="table_name_is_unique_in_its_zone",
                violation_error_message=_("The zone has a table of this name already."),
            ),
            models.CheckConstraint(
                condition=Q(seats__gte=1, width__gte=1, height__gte=1), name="table_has_seats_and_a_size"
            ),
        ]

    def __str__(self) -> str:
        return self.name
