"""The pages of devices, with how far each is behind."""

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

from . import positions
from .cursors import Cursor, UnreadableCursor
from .models import Position

# devices doesn't know of sync, so its page is made complete here.
admin.site.unregister(Device)


@admin.register(Device)
class FollowingDeviceAdmin(DeviceAdmin):
    # Their types name a length.
    list_display = (*DeviceAdmin.list_display[:3], "lag", *DeviceAdmin.list_display[3:])  # type: ignore[assignment]
    readonly_fields = (*DeviceAdmin.readonly_fields, "behind", "confirmed", "reached_at")  # type: ignore[assignment]
    fields = (*DeviceAdmin.fields, "behind", "confirmed", "reached_at")  # type: ignore[assignment]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return positions.with_heads(super().get_queryset(request))

    @display(description=_("lag"), label={"none": "success", "some": "warning", "all": "danger"})
    def lag(self, device: Any) -> Any:
        if (position := position_of(device)) is None:
            return None
        behind = positions.behind(position.cursor, Cursor.parse(device.heads))
        if behind is None:
            return "all", _("refetches everything")
        if behind == 0:
            return "none", _("up to date")
        said = ngettext("{count} change behind", "{count} changes behind", behind)
        return "some", said.format(count=behind)

    @display(description=_("lag"), empty_value="–")
    def behind(self, device: Any) -> Any:
        """The same on a device's own page, where a label would be shown as what it is made of."""
        found = self.lag(device)
        return found and found[1]

    @display(description=_("confirmed"), empty_value="–")
    def confirmed(self, device: Any) -> str | None:
        """The versions that it has, and behind each that is older the one there is."""
        position = position_of(device)
        try:
            has = Cursor.parse(position.cursor).versions if position else {}
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
        position = position_of(device)
        return date_format(localtime(position.reached_at), "DATETIME_FORMAT") if position else None


def position_of(device: Any) -> Position | None:
    """None when it never followed the stream."""
    return getattr(device, "position", None)
