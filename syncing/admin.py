"""The admin's pages of devices, with the lag of each."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from devices.admin import DeviceAdmin
from devices.models import Device

from .cursors import Cursor, UnreadableCursor
from .lag import changes_behind, with_heads
from .models import DeliveredVersions

# The room of devices doesn't know of sync: its page is completed here.
admin.site.unregister(Device)


@admin.register(Device)
class DeviceWithLagAdmin(DeviceAdmin):
    # The ignores: the parent's types name a length.
    list_display = (*DeviceAdmin.list_display[:3], "lag", *DeviceAdmin.list_display[3:])  # type: ignore[assignment]
    readonly_fields = (*DeviceAdmin.readonly_fields, "behind", "confirmed", "reached_at")  # type: ignore[assignment]
    fields = (*DeviceAdmin.fields, "behind", "confirmed", "reached_at")  # type: ignore[assignment]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_heads(super().get_queryset(request))

    @display(description=_("lag"), label={"none": "success", "some": "warning", "all": "danger"})
    def lag(self, device: Any) -> Any:
        if (delivered := delivered_to(device)) is None:
            return None
        behind = changes_behind(delivered.cursor, Cursor.parse(device.heads))
        if behind is None:
            return "all", _("refetches everything")
        if behind == 0:
            return "none", _("up to date")
        said = ngettext("{count} change behind", "{count} changes behind", behind)
        return "some", said.format(count=behind)

    @display(description=_("lag"), empty_value="–")
    def behind(self, device: Any) -> Any:
        """The lag on a device's own page, which would show the pair of ``lag`` as it is, and not as a label."""
        found = self.lag(device)
        return found and found[1]

    @display(description=_("confirmed"), empty_value="–")
    def confirmed(self, device: Any) -> str | None:
        """The versions that the device has; behind each that is older than the head, the head."""
        delivered = delivered_to(device)
        try:
            has = Cursor.parse(delivered.cursor).versions if delivered else {}
        except UnreadableCursor:
            return None
        heads = Cursor.parse(device.heads).versions
        said = [
            f"{name} {has[name]}" + (f" / {heads[name]}" if has[name] != heads[name] else "")
            for name in has
            if name in heads
        ]
        return ", ".join(said) or None

    @display(description=_("as of"), empty_value="–")
    def reached_at(self, device: Any) -> Any:
        delivered = delivered_to(device)
        return date_format(localtime(delivered.reached_at), "DATETIME_FORMAT") if delivered else None


def delivered_to(device: Any) -> DeliveredVersions | None:
    """None when it never followed the stream."""
    return getattr(device, "delivered", None)
