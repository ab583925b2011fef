"""Happy hours and surcharges."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.formats import date_format, time_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import BooleanRadioFilter, ChoicesDropdownFilter
from unfold.decorators import display

from catalog.models import PriceRule

from .actions import activate, deactivate
from .base import CatalogueAdmin, RecordForm
from .widgets import WEEKDAYS, WeekdaysField

TARGETS = ("category", "tag", "product", "zone")


class PriceRuleForm(RecordForm):
    """A rule; the targets that its scope doesn't have are emptied, since the page hides them."""

    derived = frozenset(TARGETS)
    weekdays = WeekdaysField(label=_("Weekdays"), show_hidden_initial=True, help_text=_("None ticked means every day."))

    class Meta:
        model = PriceRule
        fields = "__all__"

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned is None or "scope" not in cleaned:
            return cleaned
        for target in TARGETS:
            if target != cleaned["scope"]:
                cleaned[target] = None
                self.errors.pop(target, None)
            elif cleaned.get(target) is None and target not in self.errors:
                self.add_error(target, gettext("Choose what the rule is for."))
        return cleaned


@admin.register(PriceRule)
class PriceRuleAdmin(CatalogueAdmin):
    form = PriceRuleForm
    list_display = ("name", "change", "target", "days", "window", "validity", "priority", "is_active")
    list_editable = ("priority", "is_active")
    list_select_related = TARGETS
    list_filter = (
        ("adjustment", ChoicesDropdownFilter),
        ("scope", ChoicesDropdownFilter),
        ("is_active", BooleanRadioFilter),
    )
    search_fields = ("name",)
    autocomplete_fields = TARGETS
    actions = (activate, deactivate)
    conditional_fields = {target: f"scope == '{target}'" for target in TARGETS}
    fieldsets = (
        (None, {"fields": ("name", "is_active")}),
        (_("What happens to the price"), {"fields": (("adjustment", "value"),)}),
        (_("For what"), {"fields": ("scope", *TARGETS)}),
        (
            _("When"),
            {
                "fields": ("weekdays", ("time_from", "time_to"), ("valid_from", "valid_to")),
                "description": _("By the clock of the shop. A window may pass midnight: 22:00 to 02:00."),
            },
        ),
        (_("Together with other rules"), {"fields": (("priority", "is_stackable"),)}),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name in TARGETS:
            # No shortcuts to other pages: the target is chosen, not made, while one thinks of prices.
            for shortcut in ("add", "change", "delete", "view"):
                setattr(field.widget, f"can_{shortcut}_related", False)
        return field

    @display(description=_("price"))
    def change(self, rule: PriceRule) -> str:
        if rule.adjustment == PriceRule.Adjustment.PERCENTAGE:
            return f"{rule.value.normalize():+f} %"
        return f"{rule.value:+.2f}" if rule.adjustment == PriceRule.Adjustment.AMOUNT else f"= {rule.value:.2f}"

    @display(description=_("for"))
    def target(self, rule: PriceRule) -> str:
        if rule.scope == PriceRule.Scope.ALL:
            return rule.get_scope_display()
        return f"{rule.get_scope_display()}: {getattr(rule, rule.scope)}"

    @display(description=_("weekdays"))
    def days(self, rule: PriceRule) -> str:
        if not rule.weekdays or len(rule.weekdays) == len(WEEKDAYS):
            return gettext("Every day")
        names = dict(WEEKDAYS)
        return ", ".join(str(names[day])[:3] for day in sorted(rule.weekdays))

    @display(description=_("time"))
    def window(self, rule: PriceRule) -> str:
        if rule.time_from is None or rule.time_to is None:
            return gettext("All day")
        return f"{time_format(rule.time_from, 'H:i')} – {time_format(rule.time_to, 'H:i')}"

    @display(description=_("valid"))
    def validity(self, rule: PriceRule) -> str:
        ends = [date_format(day, "SHORT_DATE_FORMAT") if day else "…" for day in (rule.valid_from, rule.valid_to)]
        return gettext("Always") if ends == ["…", "…"] else " – ".join(ends)
