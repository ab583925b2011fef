"""Devices and their enrolment codes, for those who run the shop."""

from typing import Any
from urllib.parse import urljoin, urlsplit

import segno
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from adminpages import Page

from . import contacts
from .events import FAILED, Event
from .hosts import lan_address
from .models import Device, DeviceQuerySet, EnrolmentCode, Scoped, SecurityEvent
from .rights import WORTH, lacking, may_give
from .services import make_code, revoke, tell_of
from .wording import SCOPE_NAMES, said_about, said_by

SCOPE_FIELDS = {"upload": "may_upload", "manage": "may_manage", "history": "may_read_history"}


class ScopedForm(ModelForm):
    """A form in which ``giver`` gives scopes, which it could do without a device. What was given may stay."""

    giver: Any = None

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        for scope, name in SCOPE_FIELDS.items():
            if name in self.changed_data and self.cleaned_data.get(name) and not may_give(self.giver, scope):
                missing = ", ".join(sorted(lacking(self.giver, WORTH[scope])))
                said = _("You can't give what you don't have: %(permissions)s.")
                self.add_error(name, ValidationError(said, code="not_yours", params={"permissions": missing}))
        return cleaned


class ScopedAdmin(Page):
    form = ScopedForm

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.giver = request.user
        return form


class ScopesColumn:
    """The column of both lists that says what a device may do."""

    @display(description=_("scopes"), label=True)
    def scopes(self, row: Scoped) -> list[str]:
        return [capfirst(str(SCOPE_NAMES[scope])) for scope in row.scopes]


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("active", _("Active")), ("revoked", _("Revoked"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Device]) -> QuerySet[Device]:
        if self.value() in ("active", "revoked"):
            return queryset.filter(revoked_at__isnull=self.value() == "active")
        return queryset


@admin.register(Device)
class DeviceAdmin(ScopesColumn, ScopedAdmin):
    list_display = ("name", "scopes", "last_contact", "state", "created_at", "certificate_expires_at")
    list_filter = (StateFilter, "may_upload", "may_manage")
    search_fields = ("name", "id", "certificate_fingerprint")
    readonly_fields = (
        "history_of",
        "id",
        "last_seen",
        "created_at",
        "revoked_at",
        "certificate_fingerprint",
        "certificate_expires_at",
    )
    fields = ("name", "may_upload", "may_manage", *readonly_fields)
    actions = ("revoke_chosen",)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A device comes by an enrolment code: its page makes one."""
        return redirect("admin:devices_enrolmentcode_add")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("devices.add_enrolmentcode")

    @display(description=_("last contact"), ordering="last_seen")
    def last_contact(self, device: Device) -> Any:
        if device.last_seen is None:
            return _("Never")
        if device.revoked_at is None and contacts.is_connected(device, now=timezone.now()):
            return format_html('<span class="is-connected">● {}</span>', _("connected"))
        seen = date_format(timezone.localtime(device.last_seen), "DATETIME_FORMAT")
        return format_html('<span class="is-away">○ {}</span>', _("since {when}").format(when=seen))

    @display(description=_("state"), label={"active": "success", "revoked": "danger"})
    def state(self, device: Device) -> tuple[str, Any]:
        return ("revoked", _("Revoked")) if device.revoked_at else ("active", _("Active"))

    def save_model(self, request: HttpRequest, obj: Device, form: ModelForm, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if set(SCOPE_FIELDS.values()) & set(form.changed_data):
            tell_of(Event.SCOPES_CHANGED, obj)

    def delete_model(self, request: HttpRequest, obj: Device) -> None:
        tell_of(Event.DEVICE_DELETED, obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Device]) -> None:
        for device in queryset:
            tell_of(Event.DEVICE_DELETED, device)
        super().delete_queryset(request, queryset)

    @admin.action(description=_("Revoke the chosen devices"), permissions=["change"])
    def revoke_chosen(self, request: HttpRequest, queryset: DeviceQuerySet) -> None:
        count = revoke(devices=queryset)
        said = ngettext("{count} device has lost its access.", "{count} devices have lost their access.", count)
        self.message_user(request, said.format(count=count))


@admin.register(EnrolmentCode)
class EnrolmentCodeAdmin(ScopesColumn, ScopedAdmin):
    list_display = ("created_at", "scopes", "state", "expires_at", "device", "created_by")
    list_filter = ("may_upload", "may_manage", "created_at")
    list_select_related = ("device", "created_by")
    search_fields = ("device__name", "created_by__username")
    fields = ("may_upload", "may_manage", "may_read_history")

    def has_change_permission(self, request: HttpRequest, obj: EnrolmentCode | None = None) -> bool:
        return False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The code is shown once, right after it is saved: there is one way to save it."""
        one_way = {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().add_view(request, form_url, {**one_way, **(extra_context or {})})

    @display(description=_("state"), label={"waiting": "info", "used": "success", "expired": "warning"})
    def state(self, row: EnrolmentCode) -> tuple[str, Any]:
        if row.used_at:
            return "used", _("Used")
        return ("waiting", _("Waiting")) if row.expires_at > timezone.now() else ("expired", _("Expired"))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.device_view)
        return [path("<int:code_id>/device/", view, name="devices_enrolmentcode_device"), *super().get_urls()]

    def device_view(self, request: HttpRequest, code_id: int) -> HttpResponse:
        """``{"name"}`` of the device that came by this code, null before: the page that shows the code asks."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        code = get_object_or_404(EnrolmentCode.objects.select_related("device"), pk=code_id)
        return JsonResponse({"name": code.device.name if code.device else None})

    def save_model(self, request: HttpRequest, obj: EnrolmentCode, form: ModelForm, change: bool) -> None:
        obj.shown_once = make_code(row=obj, by=request.user)  # type: ignore[attr-defined,arg-type]

    def response_add(
        self, request: HttpRequest, obj: EnrolmentCode, post_url_continue: str | None = None
    ) -> HttpResponse:
        # The answer to the POST itself shows the code: so it is in no session, no address and no log.
        code = obj.shown_once  # type: ignore[attr-defined]
        server = server_address(request)
        terminal = urljoin(server, reverse("terminal"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("New enrolment code"),
            "opts": self.opts,
            "row": obj,
            "code": code,
            "terminal": terminal,
            "qr": mark_safe(segno.make(f"{terminal}#enrol={code}").svg_inline(scale=5, border=4, light="#fff")),  # noqa: S308
            "scopes": [SCOPE_NAMES[scope] for scope in obj.scopes],
            "server": server,
            "enroll": urljoin(server, reverse("device-enroll")),
            "device": reverse("admin:devices_enrolmentcode_device", args=[obj.pk]),
        }
        return TemplateResponse(request, "admin/devices/enrolmentcode/shown_once.html", context)


def server_address(request: HttpRequest) -> str:
    """The address of the page, by which another machine can reach this one as well: not ``localhost``."""
    here = urlsplit(request.build_absolute_uri("/"))
    address = lan_address()
    if here.hostname not in ("localhost", "127.0.0.1", "::1") or address is None:
        return here.geturl()
    return f"{here.scheme}://{address}:{here.port}/" if here.port else f"{here.scheme}://{address}/"


# Each has to be here: of another the list would show the short name.
COLORS = {event.value: "danger" if event in FAILED else None for event in Event}


class EventFilter(admin.SimpleListFilter):
    title = _("what")
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("failed", _("Failed tries")), *Event.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SecurityEvent]) -> QuerySet[SecurityEvent]:
        if self.value() == "failed":
            return queryset.filter(event__in=FAILED)
        return queryset.filter(event=self.value()) if self.value() in Event.values else queryset


@admin.register(SecurityEvent)
class SecurityEventAdmin(Page):
    list_display = ("at", "what", "by", "address", "concerning")
    list_filter = (EventFilter, "at")
    search_fields = ("who", "address", "request_id")
    fields = ("at", "happened", "by", "address", "request_id", "concerning")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: SecurityEvent | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SecurityEvent | None = None) -> bool:
        return False

    @display(description=_("what"), ordering="event", label=COLORS)
    def what(self, row: SecurityEvent) -> tuple[str, Any]:
        return row.event, dict(Event.choices).get(row.event, row.event)

    @display(description=_("what"))
    def happened(self, row: SecurityEvent) -> str:
        return str(row)

    @display(description=_("who"), ordering="who")
    def by(self, row: SecurityEvent) -> str:
        return said_by(row.who)

    @display(description=_("about"))
    def concerning(self, row: SecurityEvent) -> str:
        return said_about(row.about)
