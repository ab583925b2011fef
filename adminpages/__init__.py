"""What every page of the admin has in common: it lists by what its own filters and links ask, and by nothing else."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import IncorrectLookupParameters, get_content_type_for_model
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, SEARCH_VAR
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.paginator import Paginator
from django.db import DataError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from .keys import OneOfMany, SomeOfMany, can_be_key, is_text

LONGEST_SEARCH, MOST_WORDS = 200, 10  # SQLite refuses long patterns and deep conditions
LONGEST_PARAMETER = 200
HISTORY_LINES = 100  # on a page
NO_KEY = _("Nothing was changed: the request named records by something that is no id.")


class List(ChangeList):
    """A list whose address reaches the database through its filters only.

    Django lets an address compare any column of the model by any lookup: ``?pin_hash__regex=`` would read a hash out,
    one question after the other, and a slow pattern stops SQLite.
    """

    full_result_count: int | None

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        for name in request.GET:
            asked = f"{name}={request.GET[name]}"
            if name != SEARCH_VAR and (len(asked) > LONGEST_PARAMETER or not is_text(asked)):
                raise IncorrectLookupParameters(name)
        super().__init__(request, *args, **kwargs)

    def get_ordering_field_columns(self) -> dict[int, str]:
        """The columns that the list is sorted by, for their arrows: none when what comes first is no column of it."""
        found = super().get_ordering_field_columns()
        first = str(next(iter(self.model_admin.ordering or self.lookup_opts.ordering), "")).removeprefix("-")
        shown = {self.get_ordering_field(column) for column in self.list_display}
        return found if ORDER_VAR in self.params or first in shown else {}

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
        except (OverflowError, DataError) as error:  # a time that is beyond the calendar in some other zone
            raise IncorrectLookupParameters from error
        if self.full_result_count is None and not (self.query or self.has_active_filters):
            self.full_result_count = self.result_count  # or the page would offer to show all of what it shows

    def get_filters(self, request: HttpRequest) -> Any:
        try:
            found = super().get_filters(request)
        except (ValueError, OverflowError) as error:  # of a day that no calendar has
            raise IncorrectLookupParameters from error
        linked = self.model_admin.linked
        if self.date_hierarchy and f"{self.date_hierarchy}__year" in self.filter_params:  # its bounds take the place
            linked |= {f"{self.date_hierarchy}__gte", f"{self.date_hierarchy}__lt"}
        if left := found[2].keys() - linked:  # what no filter took
            raise DisallowedModelAdminLookup(f"Filtering by {', '.join(left)} isn't allowed.")
        return found


class Page(ModelAdmin):
    """The base of all pages. ``linked`` names what links to its list ask for beside its filters."""

    linked: frozenset[str] = frozenset()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return List

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """As Django's, also with an empty ``_to_field``."""
        return super().get_object(request, object_id, from_field or None)

    def response_action(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """As Django's, when what is chosen can be keys at all."""
        if all(can_be_key(self.model, key) for key in request.POST.getlist(ACTION_CHECKBOX_NAME)):
            return super().response_action(request, *args, **kwargs)
        messages.error(request, NO_KEY)
        return HttpResponseRedirect(request.get_full_path())

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = OneOfMany(db_field, self.admin_site, using=kwargs.get("using"))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = SomeOfMany(db_field, self.admin_site, using=kwargs.get("using"))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What was done to an object, the newest first."""
        shown = Paginator(self.history(unquote(object_id)), HISTORY_LINES)
        page = shown.get_page(request.GET.get(PAGE_VAR, 1))
        own = {
            "action_list": page,
            "page_range": shown.get_elided_page_range(page.number),
            "pagination_required": shown.num_pages > 1,
        }
        return super().history_view(request, object_id, {**own, **(extra_context or {})})

    def history(self, key: str) -> Any:
        """The entries of the object with this key, in a sequence or queryset, the newest first."""
        entries = LogEntry.objects.filter(object_id=key, content_type=get_content_type_for_model(self.model))
        return entries.select_related("user").order_by("-action_time", "-pk")

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        found, counts, needed, protected = super().get_deleted_objects(objs, request)
        return found, counts, {capfirst(str(name)) for name in needed}, protected

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What the address of a new form fills in, without what its fields can't hold."""
        return {
            name: value
            for name, value in super().get_changeform_initial_data(request).items()
            if self.can_hold(name, value)
        }

    def can_hold(self, name: str, value: Any) -> bool:
        try:
            field = self.opts.get_field(name)
            for one in value if isinstance(value, list) else [value]:
                (field.target_field if field.is_relation else field).to_python(one)
        except (FieldDoesNotExist, AttributeError, ValidationError, ValueError, TypeError, OverflowError):
            return False
        return all(map(is_text, value if isinstance(value, list) else [value]))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """Also of the fields that complete what is typed. A longer text is cut, as nobody types one."""
        words = "".join(filter(is_text, search_term[:LONGEST_SEARCH])).split()[:MOST_WORDS]
        return super().get_search_results(request, queryset, " ".join(words))
