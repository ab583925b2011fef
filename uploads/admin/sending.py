"""The page on which a manager drops many photos at once; its script speaks to the public API."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.enums import ActionVariant

from normalform import CONTENT_TYPES, MAX_BYTES, TYPES

from .base import ReceivedAdmin
from .texts import REASONS, SENDING


class SendingAdmin(ReceivedAdmin):
    """A list with a button that leads to the page. Nothing is changed there before the manager confirms."""

    actions_list = ("send",)

    def has_send_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("uploads.add_photo"))

    @action(
        description=gettext_lazy("Upload photos"),
        permissions=["send"],
        icon="add_photo_alternate",
        variant=ActionVariant.PRIMARY,
    )
    def send(self, request: HttpRequest) -> HttpResponse:
        today = date_format(timezone.localdate(), "DATE_FORMAT")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Upload photos"),
            "album_name": _("Photos of %(date)s") % {"date": today},
            "accept": ",".join([*CONTENT_TYPES, *TYPES]),
            "facts": facts(),
        }
        return TemplateResponse(request, "uploads/send.html", context)


def facts() -> dict[str, Any]:
    """What the script needs to know."""
    return {
        "limit": MAX_BYTES,
        "types": TYPES,
        "texts": {name: str(text) for name, text in {**REASONS, **SENDING}.items()},
        "final": sorted(set(REASONS) - {"storage_unavailable"}),  # the same file fails again
        "photosPage": reverse("admin:uploads_photo_changelist") + "?album__id__exact=",
    }
