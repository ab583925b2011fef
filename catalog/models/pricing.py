"""Happy hours and surcharges: rules that a till applies by its own clock in the shop's time zone."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from .base import Record


def weekdays_are_iso(value: object) -> None:
    """A list of different ISO weekdays: 1 is Monday, 7 is Sunday."""
    if not isinstance(value, list) or not all(type(day) is int and 1 <= day <= 7 for day in value):
        raise ValidationError(_("Weekdays are numbers from 1 (Monday) to 7 (Sunday), each once."))
    if len(set(value)) != len(value):
        raise ValidationError(_("Weekdays are numbers from 1 (Monday) to 7 (Sunday), each once."))


class PriceRule(Record):
    """``value`` is the new price (set), percent of it (percentage) or money added (amount); below zero is cheaper."""

    class Adjustment(models.TextChoices):
        SET = "set", _("Set the price")
        PERCENTAGE = "percentage", _("Percentage")
        AMOUNT = "amount", _("Amount")

    class Scope(models.TextChoices):
        ALL = "all", _("Everything")
        CATEGORY = "category", _("Category")
        TAG = "tag", _("Tag")
        PRODUCT = "product", _("Product")
        ZONE = "zone", _("Zone")

    name = models.CharField(_("name"), max_length=100)
    adjustment = models.CharField(_("adjustment"), max_length=10, choices=Adjustment, default=Adjustment.PERCENTAGE)
    value = models.DecimalField(
        _("value"), max_digits=10, decimal_places=2, help_text=_("Below zero makes it cheaper.")
    )
    scope = models.CharField(_("scope"), max_length=8, choices=Scope, default=Scope.ALL)
    category = models.ForeignKey("catalog.Category", models.PROTECT, verbose_name=_("category"), null=True, blank=True)
    tag = models.ForeignKey("catalog.Tag", models.PROTECT, verbose_name=_("tag"), null=True, blank=True)
    product = models.ForeignKey("catalog.Product", models.PROTECT, verbose_name=_("product"), null=True, blank=True)
    zone = models.ForeignKey("catalog.Zone", models.PROTECT, verbose_name=_("zone"), null=True, blank=True)
    weekdays = models.JSONField(
        _("weekdays"),
        default=list,
        blank=True,
        validators=[weekdays_are_iso],
        help_text=_("1 is Monday, 7 is Sunday; none means every day."),
    )
    time_from = models.TimeField(_("from (time)"), null=True, blank=True)
    time_to = models.TimeField(
        _("to (time)"), null=True, blank=True, help_text=_("Earlier than the start: it passes midnight.")
    )
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_to = models.DateField(_("valid to"), null=True, blank=True, help_text=_("This day included."))
    priority = models.IntegerField(_("priority"), default=0)
    is_stackable = models.BooleanField(_("stackable"), default=False)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("price rule")
        verbose_name_plural = _("price rules")
        ordering = ["-priority", "name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(scope="all", category=None, tag=None, product=None, zone=None)
                | Q(scope="category", category__isnull=False, tag=None, product=None, zone=None)
                | Q(scope="tag", category=None, tag__isnull=False, product=None, zone=None)
                | Q(scope="product", category=None, tag=None, product__isnull=False, zone=None)
                | Q(scope="zone", category=None, tag=None, product=None, zone__isnull=False),
                name="price_rule_has_the_target_of_its_scope",
                violation_error_message=_("Name the target of the scope, and no other."),
            ),
            models.CheckConstraint(
                condition=Q(adjustment__in=["percentage", "amount"]) | Q(adjustment="set", value__gte=0),
                name="price_rule_sets_no_negative_price",
                violation_error_message=_("A price can't be set below zero."),
            ),
            models.CheckConstraint(
                condition=~Q(adjustment="percentage") | Q(value__gte=-100),
                name="price_rule_takes_at_most_everything_off",
                violation_error_message=_("At most 100 percent can be taken off."),
            ),
            models.CheckConstraint(
                condition=Q(time_from=None, time_to=None) | Q(time_from__isnull=False, time_to__isnull=False),
                name="price_rule_window_has_both_ends",
                violation_error_message=_("A time window needs both its start and its end."),
            ),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_to=None) | Q(valid_to__gte=F("valid_from")),
                name="price_rule_ends_after_it_starts",
                violation_error_message=_("The rule ends before it starts."),
            ),
        ]

    def __str__(self) -> str:
        return self.name
