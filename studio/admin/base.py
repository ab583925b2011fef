"""What the pages of the studio have in common: they are looked at only."""

from typing import Any

from django.http import HttpRequest

from adminpages import Page


class LookedAt(Page):
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
