"""The admin's first page and its way around: a few numbers, and links by subject."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from catalog import resources
from catalog.models import DiningTable, Employee, PriceRule, Product
from devices.events import FAILED, Event
from devices.models import SecurityEvent
from studio.models import Item
from uploads.models import Photo

# Heading → (application.Model, icon) of what isn't in catalog/resources.py. A model without a page is left out.
GROUPS: tuple[tuple[Any, tuple[tuple[str, str], ...]], ...] = (
    (
        _("Pictures and uploads"),
        (
            ("images.image", "image"),
            ("images.pass", "cleaning_services"),
            ("uploads.album", "photo_album"),
            ("uploads.photo", "add_a_photo"),
            ("studio.item", "auto_awesome"),
            ("studio.call", "payments"),
        ),
    ),
    (
        _("Devices"),
        (("devices.device", "point_of_sale"), ("devices.enrolmentcode", "key"), ("devices.securityevent", "policy")),
    ),
    (_("Back office"), (("auth.user", "person"), ("auth.group", "group"))),
)


def groups() -> Iterator[tuple[Any, list[tuple[type[Model], str]]]]:
    """Every heading of the sidebar with its entries, (model, icon)."""
    for group in resources.Group:
        yield group.label, [(kind.model, kind.icon) for kind in resources.KINDS if kind.group is group]
    for title, entries in GROUPS:
        yield title, [(apps.get_model(label), icon) for label, icon in entries]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar: every page that this user may look at."""
    shown = []
    home = {"title": _("Overview"), "icon": "dashboard", "link": reverse("admin:index")}
    terminal = {"title": _("Terminal"), "icon": "tablet_android", "link": reverse("terminal")}
    for title, entries in groups():
        pages = [(admin.site.get_model_admin(m), icon) for m, icon in entries if admin.site.is_registered(m)]
        items = [
            {"title": capfirst(page.opts.verbose_name_plural), "icon": icon, "link": link(page)}
            for page, icon in pages
            if page.has_view_permission(request)
        ]
        if items:
            shown.append({"title": title, "separator": True, "items": items})
    studio = {"title": _("Studio"), "icon": "auto_awesome", "link": reverse("studio")}
    return [{"title": None, "items": [home, terminal, studio]}, *shown]


def link(page: admin.ModelAdmin) -> str:
    return reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the first page: numbers with a link to what they count, as far as this user may see it."""
    context["title"] = _("Overview")
    context["cards"] = [
        {
            "title": title,
            "icon": icon,
            "number": number(),
            "href": reverse(f"admin:{page}_changelist") + query,
        }
        for permission, page, query, icon, title, number in CARDS
        if request.user.has_perm(permission)
    ]
    return context


def products(**condition: Any) -> Any:
    return lambda: Product.objects.filter(**condition).count()


CARDS: tuple[Any, ...] = (
    (
        "catalog.view_product",
        "catalog_product",
        "?is_active__exact=1",
        "restaurant_menu",
        _("Products on sale"),
        products(is_active=True),
    ),
    (
        "catalog.view_product",
        "catalog_product",
        "?is_sold_out__exact=1",
        "production_quantity_limits",
        _("Sold out"),
        products(is_sold_out=True),
    ),
    (
        "catalog.view_product",
        "catalog_product",
        "?picture=no",
        "hide_image",
        _("Without a picture"),
        products(image=None),
    ),
    (
        "uploads.view_photo",
        "uploads_photo",
        "?status__in=pending,processing",
        "add_a_photo",
        _("Photos on their way"),
        lambda: Photo.objects.filter(status__in=["pending", "processing"]).count(),
    ),
    (
        "studio.view_item",
        "studio_item",
        "?status__exact=failed",
        "auto_awesome",
        _("Pictures of the studio that failed"),
        lambda: Item.objects.filter(status=Item.Status.FAILED).count(),
    ),
    (
        "catalog.view_diningtable",
        "catalog_diningtable",
        "?is_active__exact=1",
        "table_restaurant",
        _("Tables"),
        lambda: DiningTable.objects.filter(is_active=True).count(),
    ),
    (
        "catalog.view_employee",
        "catalog_employee",
        "?is_active__exact=1",
        "badge",
        _("Employees"),
        lambda: Employee.objects.filter(is_active=True).count(),
    ),
    (
        "catalog.view_pricerule",
        "catalog_pricerule",
        "?is_active__exact=1",
        "percent",
        _("Active price rules"),
        lambda: PriceRule.objects.filter(is_active=True).count(),
    ),
    (
        "devices.view_securityevent",
        "devices_securityevent",
        "?event=failed",
        "policy",
        _("Failed logins, codes and PINs of the last day"),
        lambda: SecurityEvent.objects.filter(event__in=FAILED, at__gt=timezone.now() - timedelta(days=1)).count(),
    ),
    (
        "devices.view_securityevent",
        "devices_securityevent",
        "",
        "admin_panel_settings",
        _("Enrolments, revocations and changes of rights of the last day"),
        lambda: (
            SecurityEvent.objects.exclude(event__in=(*FAILED, Event.LOGIN))
            .filter(at__gt=timezone.now() - timedelta(days=1))
            .count()
        ),
    ),
)
