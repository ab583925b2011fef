"""What the search of the admin finds beside the names of pages: things by their names and numbers."""

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from unfold.dataclasses import SearchResult

from catalog.models import Category, DiningTable, Employee, Product
from devices.models import Device

SEARCHED = {
    Product: "restaurant_menu",
    Category: "category",
    DiningTable: "table_restaurant",
    Employee: "badge",
    Device: "point_of_sale",
}
MOST_OF_A_KIND = 10


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
