"""Spending: every request that may have cost money, with sums by day and login."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from studio.models import Call

from .base import LookedAt

COLORS = {"open": "warning", "answered": "success", "refused": "info", "unanswered": "danger"}
DAYS_AND_LOGINS = 31


@admin.register(Call)
class CallAdmin(LookedAt):
    list_display = ("opened_at", "username", "provider", "model", "state", "outcome", "price", "day")
    list_filter = ("status", "provider", "username", "day")
    search_fields = ("username", "request_id", "model")
    list_before_template = "studio/sums.html"
    fields = (
        *("username", "provider", "model", "status", "outcome", "price", "day", "opened_at", "closed_at", "request_id"),
        *("usage", "item"),
    )

    @display(description=_("status"), label=COLORS)
    def state(self, call: Call) -> tuple[str, str]:
        return call.status, call.get_status_display()

    def changelist_view(self, request: HttpRequest, extra_context: Mapping[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "sums": sums()})


def sums() -> list[dict[str, Any]]:
    """Calls by day and login, the newest days first: how many, and how many of them may have cost money."""
    may_cost = Q(status__in=[Call.Status.ANSWERED, Call.Status.UNANSWERED, Call.Status.OPEN])
    by: Any = Call.objects.order_by("-day", "username").values("day", "username")
    return list(by.annotate(calls=Count("pk"), counted=Count("pk", filter=may_cost))[:DAYS_AND_LOGINS])
