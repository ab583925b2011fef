"""Who works here. A PIN is stored with a password hasher and never leaves the server, not even as a hash."""

from decimal import Decimal

from django.contrib.auth.hashers import check_password, make_password
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from .base import Record

PIN = RegexValidator(r"\A[0-9]{4,8}\Z", _("A PIN has 4 to 8 digits."))


def permission_codes_are_words(value: object) -> None:
    """A list of at most 200 different short strings."""
    if not isinstance(value, list) or not all(isinstance(code, str) and 0 < len(code) <= 60 for code in value):
        raise ValidationError(_("Permission codes are a list of short texts."))
    if len(value) > 200 or len(set(value)) != len(value):
        raise ValidationError(_("Name each permission code once, at most 200 of them."))


class Role(Record):
    name = models.CharField(_("name"), max_length=60)
    permission_codes = models.JSONField(
        _("permission codes"), default=list, blank=True, validators=[permission_codes_are_words]
    )
    discount_limit = models.DecimalField(
        _("discount limit"),
        max_digits=5,
        decimal_places=2,
        default=Decimal("0.00"),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
        help_text=_("In percent."),
    )

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="role_name_is_unique",
                violation_error_message=_("There is a role of this name already."),
            ),
            models.CheckConstraint(
                condition=Q(discount_limit__gte=0, discount_limit__lte=100),
                name="discount_limit_is_a_percentage",
                violation_error_message=_("A discount limit lies between 0 and 100 percent."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Employee(Record):
    name = models.CharField(_("name"), max_length=100)
    code = models.CharField(_("code"), max_length=30)
    role = models.ForeignKey(Role, models.PROTECT, verbose_name=_("role"), related_name="employees")
    is_active = models.BooleanField(_("active"), default=True)
    pin_hash = models.CharField(_("PIN"), max_length=128, blank=True, default="", editable=False)

    class Meta:
        verbose_name = _("employee")
        verbose_name_plural = _("employees")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                "code",
                name="employee_code_is_unique",
                violation_error_message=_("Another employee has this code."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def set_pin(self, pin: str | None) -> None:
        """Keep ``pin`` (4 to 8 digits, empty for none) as a hash; the caller saves."""
        if pin:
            PIN(pin)
        self.pin_hash = make_password(pin) if pin else ""

    def has_pin(self, pin: str) -> bool:
        """Whether ``pin`` is this employee's; takes about as long when there is none to compare with."""
        return check_password(pin, self.pin_hash or make_password(None))
