"""Bulk actions of the lists, each noted in the history of what it changed."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from .bulk import change_prices, changed_by, set_flag

SHOWN = 20


def note(page: admin.ModelAdmin, request: HttpRequest, changed: Sequence[Model], what: str) -> None:
    """Tell the manager how many were changed, and note ``what`` in the history of each."""
    author = request.user.pk
    if changed and author is not None:
        LogEntry.objects.log_actions(author, changed, CHANGE, change_message=what, single_object=False)
    count = len(changed)
    text = ngettext("%(count)d record was changed.", "%(count)d records were changed.", count) % {"count": count}
    page.message_user(request, text, messages.SUCCESS if count else messages.INFO)


@admin.action(description=gettext_lazy("Activate"), permissions=["change"])
def activate(page: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet) -> None:
    note(page, request, set_flag(records=queryset, flag="is_active", value=True), _("Activated."))


@admin.action(description=gettext_lazy("Deactivate"), permissions=["change"])
def deactivate(page: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet) -> None:
    note(page, request, set_flag(records=queryset, flag="is_active", value=False), _("Deactivated."))


@admin.action(description=gettext_lazy("Mark as sold out"), permissions=["change"])
def mark_sold_out(page: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet) -> None:
    note(page, request, set_flag(records=queryset, flag="is_sold_out", value=True), _("Marked as sold out."))


@admin.action(description=gettext_lazy("Mark as available"), permissions=["change"])
def mark_available(page: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet) -> None:
    note(page, request, set_flag(records=queryset, flag="is_sold_out", value=False), _("Marked as available."))


class PercentForm(forms.Form):
    percent = forms.DecimalField(
        label=gettext_lazy("Change by percent"),
        min_value=Decimal(-100),
        max_value=Decimal(1000),
        max_digits=6,
        decimal_places=2,
        help_text=gettext_lazy("10 makes them dearer by a tenth, -10 cheaper. Prices are rounded to cents."),
        widget=UnfoldAdminDecimalFieldWidget({"autofocus": True, "step": "0.01"}),
    )


@admin.action(description=gettext_lazy("Change price by percent …"), permissions=["change"])
def change_price(page: admin.ModelAdmin, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
    """Ask for the percentage, show what would come of it, then do it."""
    asked = "percent" in request.POST
    form = PercentForm(request.POST if asked else None)
    if asked and form.is_valid() and "apply" in request.POST:
        percent = form.cleaned_data["percent"]
        try:
            changed = change_prices(products=queryset, percent=percent)
        except ValidationError as error:
            form.add_error("percent", error)
        else:
            note(page, request, changed, _("Changed price by %(percent)s %%.") % {"percent": percent})
            return None
    percent = form.cleaned_data.get("percent") if asked and form.is_valid() else None
    shown = list(queryset.order_by("name")[:SHOWN])
    rows: list[dict[str, Any]] = [
        {"name": p.name, "price": p.price, "next": None if percent is None else changed_by(p.price, percent)}
        for p in shown
    ]
    across = request.POST.get("select_across") == "1"
    count = queryset.count()
    context = {
        **page.admin_site.each_context(request),
        "title": _("Change price by percent"),
        "opts": page.opts,
        "form": form,
        "rows": rows,
        "count": count,
        "more": count - len(rows),
        "ids": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "across": "1" if across else "0",
        "media": page.media + form.media,
    }
    return TemplateResponse(request, "admin/catalog/product/change_price.html", context)
