"""Roles and employees. A PIN goes in and never comes out."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from unfold.contrib.filters.admin import BooleanRadioFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanSwitchWidget

from catalog.models import Employee, Role
from catalog.models.staff import PIN

from .actions import activate, deactivate
from .base import CatalogueAdmin, RecordForm, how_many
from .widgets import WordsField

# Suggestions; a role may hold any other code that a terminal understands.
PERMISSION_CODES = (
    "order.open",
    "order.discount",
    "order.void",
    "order.refund",
    "order.reprint",
    "table.move",
    "product.sold_out",
    "drawer.open",
    "shift.close",
    "report.view",
)


class RoleForm(RecordForm):
    permission_codes = WordsField(
        label=_("Permission codes"),
        choices=[(code, code) for code in PERMISSION_CODES],
        required=False,
        show_hidden_initial=True,
        help_text=_("What a terminal lets this role do. Choose, or type a code and press Enter."),
    )

    class Meta:
        model = Role
        fields = "__all__"


@admin.register(Role)
class RoleAdmin(CatalogueAdmin):
    form = RoleForm
    list_display = ("name", "discount_limit", "code_count", "employee_count")
    search_fields = ("name",)
    fields = ("name", "discount_limit", "permission_codes")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Role]:
        return super().get_queryset(request).annotate(employees_in_it=how_many(Employee, "role"))

    @display(description=_("permissions"))
    def code_count(self, role: Role) -> int:
        return len(role.permission_codes)

    @display(description=_("employees"), ordering="employees_in_it")
    def employee_count(self, role: Role) -> int:
        return role.employees_in_it  # type: ignore[attr-defined]


class EmployeeForm(RecordForm):
    """An employee; ``pin`` is written and never shown."""

    derived = frozenset({"pin_hash"})
    pin = forms.CharField(
        label=_("New PIN"),
        required=False,
        validators=[PIN],
        widget=UnfoldAdminPasswordWidget(
            {"autocomplete": "new-password", "inputmode": "numeric", "minlength": 4, "maxlength": 8}
        ),
    )
    remove_pin = forms.BooleanField(label=_("Remove the PIN"), required=False, widget=UnfoldBooleanSwitchWidget())

    class Meta:
        model = Employee
        fields = ("name", "code", "role", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "pin" not in self.fields:  # a page to look at only
            return
        if self.instance.pin_hash:
            self.fields["pin"].help_text = _("A PIN is set. Leave this empty to keep it. 4 to 8 digits.")
        else:
            self.fields["pin"].help_text = _("No PIN is set. 4 to 8 digits.")

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if self.cleaned_data.get("remove_pin"):
            self.instance.set_pin(None)
        elif pin := self.cleaned_data.get("pin"):
            self.instance.set_pin(pin)
        return cleaned


@admin.register(Employee)
class EmployeeAdmin(CatalogueAdmin):
    form = EmployeeForm
    list_display = ("name", "code", "role", "pin_is_set", "is_active")
    list_editable = ("is_active",)
    list_select_related = ("role",)
    list_filter = (("role", RelatedDropdownFilter), ("is_active", BooleanRadioFilter))
    search_fields = ("name", "code")
    autocomplete_fields = ("role",)
    actions = (activate, deactivate)

    def get_fieldsets(self, request: HttpRequest, obj: Employee | None = None) -> Any:
        pin: tuple[str, ...] = ("pin", "remove_pin") if obj is not None and obj.pin_hash else ("pin",)
        groups: list[Any] = [(None, {"fields": ("name", "code", "role", "is_active")})]
        if self.has_change_permission(request, obj) or (obj is None and self.has_add_permission(request)):
            groups.append((_("PIN for the terminals"), {"fields": pin}))
        return groups

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[forms.ModelForm]:
        return super().get_changelist_form(request, **{"form": RecordForm, **kwargs})

    @method_decorator(sensitive_post_parameters("pin"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(request, *args, **kwargs)

    @display(description=_("PIN is set"), boolean=True)
    def pin_is_set(self, employee: Employee) -> bool:
        return bool(employee.pin_hash)
