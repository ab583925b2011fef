"""What the search of the admin finds: pages by their titles, things by their names and numbers.

The theme's own view keeps what a user found for five minutes, as objects, in a cache that takes bytes.
"""

import time

from django.contrib import admin
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.dataclasses import SearchResult

from catalog.models import Category, DiningTable, Employee, Product
from devices.models import Device

from .dashboard import navigation

SEARCHED = {
    Product: "restaurant_menu",
    Category: "category",
    DiningTable: "table_restaurant",
    Employee: "badge",
    Device: "point_of_sale",
}
MOST_OF_A_KIND = 10


def search(request: HttpRequest) -> HttpResponse:
    """The list below the field of the search, ``s``."""
    words = request.GET.get("s", "").strip()
    if not words:
        return HttpResponse()
    began = time.monotonic()
    results = [*pages(request, words), *found(request, words)]
    shown = Paginator(results, max(len(results), 1))
    context = {
        "page_obj": shown,
        "results": shown.page(1),
        "page_counter": 0,
        "execution_time": time.monotonic() - began,
    }
    return TemplateResponse(request, "unfold/helpers/command_results.html", context, headers={"HX-Trigger": "search"})


def pages(request: HttpRequest, words: str) -> list[SearchResult]:
    """The entries of the sidebar with these words in their titles."""
    return [
        SearchResult(
            title=str(item["title"]), description=str(group["title"] or ""), link=item["link"], icon=item["icon"]
        )
        for group in navigation(request)
        for item in group["items"]
        if words.casefold() in str(item["title"]).casefold()
    ]


def found(request: HttpRequest, words: str) -> list[SearchResult]:
    """The records that this user may look at and ``words`` fit, as their own lists would find them."""
    results = []
    for model, icon in SEARCHED.items():
        page = admin.site.get_model_admin(model)
        if not page.has_view_permission(request):
            continue
        rows, _has_doubles = page.get_search_results(request, page.get_queryset(request), words)
        address = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
        results += [
            SearchResult(
                title=str(row),
                description=str(model._meta.verbose_name),
                link=reverse(address, args=[row.pk]),
                icon=icon,
            )
            for row in rows[:MOST_OF_A_KIND]
        ]
    return results
