"""What all pages of the catalogue have in common."""

import logging
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.widgets import get_select2_language
from django.core.exceptions import ValidationError
from django.db import OperationalError, models
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from import_export.admin import ImportExportModelAdmin
from unfold.admin import ModelAdmin, TabularInline
from unfold.contrib.import_export.forms import ImportForm, SelectableFieldsExportForm

import adminpages
from catalog.models.base import ColorField
from catalog.resources import kind_of
from catalog.transactions import Contended, is_contention, run_in_transaction
from images.services import image_url

from .sheets import Sheet, sheet_of
from .widgets import ColorWidget

logger = logging.getLogger(__name__)

Page = Callable[..., HttpResponse]


def in_a_transaction(page: Page) -> Page:
    """A page whose POST is one transaction, tried once more when another writer was in the way.

    A form is checked and then saved, and another writer may break a constraint in between. The second try finds that
    in its check, and the manager reads the form's own words.
    """

    @wraps(page)
    def guarded(admin: ModelAdmin, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return page(admin, request, *args, **kwargs)
        try:
            return run_in_transaction(partial(page, admin, request, *args, **kwargs))
        except Contended:
            reason = in_the_way()
        except ValidationError:
            reason = _("Nothing was changed: the request named records by something that is no id.")
        messages.error(request, reason)
        return HttpResponseRedirect(request.get_full_path())

    return guarded


def in_the_way() -> str:
    """What a manager reads when another writer was in the way twice: it says what to do, as an API needn't."""
    return _("Nothing was saved: somebody else is changing the same. Try again.")


class RecordForm(forms.ModelForm):
    """A form that may also write columns for which it has no field of that name."""

    derived: frozenset[str] = frozenset()


class ExportForm(SelectableFieldsExportForm):
    """Offers the columns under the names that the pages use."""

    def _get_field_label(self, resource: Any, field_name: str) -> str:
        field = resource._meta.model._meta.get_field(field_name)
        return capfirst(getattr(field, "verbose_name", None) or field.related_model._meta.verbose_name_plural)


class CatalogueAdmin(adminpages.Page, ImportExportModelAdmin):
    """Lists, forms, CSV and XLSX of one kind of record. ``sheet`` is what is special about its CSV and XLSX.

    Saving writes the columns that were changed on the page and no others: a page that was opened before
    a till marked something as sold out doesn't undo that.
    """

    sheet = Sheet
    form = RecordForm
    import_form_class = ImportForm
    export_form_class = ExportForm
    formfield_overrides = {ColorField: {"widget": ColorWidget}}
    list_per_page = 50
    list_filter_submit = True
    warn_unsaved_form = True
    save_on_top = False

    def __init__(self, model: type[models.Model], admin_site: AdminSite) -> None:
        super().__init__(model, admin_site)
        self.kind = kind_of(model)
        self.resource_classes = [sheet_of(self.kind, self.sheet)]

    @property
    def media(self) -> forms.Media:
        """With the translations of Select2: the theme loads the English words only."""
        folder, words = "admin/js/vendor/select2", f"i18n/{get_select2_language()}.js"
        ordered = (f"{folder}/select2.full.js", f"{folder}/{words}", "admin/js/jquery.init.js", "catalog/select2.js")
        return super().media + forms.Media(js=ordered)

    changeform_view = in_a_transaction(ModelAdmin.changeform_view)
    delete_view = in_a_transaction(ModelAdmin.delete_view)

    @in_a_transaction
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, extra_context)

    def export_action(self, request: HttpRequest) -> HttpResponse:
        try:
            return super().export_action(request)
        except IncorrectLookupParameters:  # its list answers these by itself
            return HttpResponseRedirect(
                reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist") + "?e=1"
            )

    def add_data_read_fail_error_to_form(self, form: forms.Form, e: Exception) -> None:
        logger.info("a sheet could not be read", exc_info=e)
        form.add_error(
            "import_file", _("This file can't be read in the format that was chosen. Is it CSV (UTF-8) or XLSX?")
        )

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            return super().process_import(request, **kwargs)
        except Contended:
            messages.error(request, in_the_way())
            return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_import"))

    def process_dataset(self, *args: Any, **kwargs: Any) -> Any:
        """The rows of a sheet: one transaction, tried once more when another writer was in the way."""

        def attempt() -> Any:
            result = super(CatalogueAdmin, self).process_dataset(*args, **kwargs)
            for _number, errors in result.row_errors():  # where it keeps what the database said
                for row in errors:
                    if isinstance(row.error, OperationalError) and is_contention(row.error):
                        raise row.error
            return result

        return run_in_transaction(attempt)

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> forms.Field | None:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and not db_field.is_relation:
            # The page carries what it showed, so that "changed" means changed on the page.
            field.show_hidden_initial = True
        return field

    def get_changelist_formset(self, request: HttpRequest, **kwargs: Any) -> Any:
        """The cells of a list that can be edited, each with the name of its column: it has no label beside it."""
        formset = super().get_changelist_formset(request, **kwargs)
        for field in formset.form.base_fields.values():
            field.widget.attrs["aria-label"] = capfirst(field.label)
        return formset

    def save_model(self, request: HttpRequest, obj: models.Model, form: forms.ModelForm, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
        elif form.changed_data:
            columns = {field.name for field in self.opts.concrete_fields}
            written = columns & {*form.changed_data, *getattr(form, "derived", ()), "updated_at"}
            obj.save(update_fields=written)

    def save_related(
        self, request: HttpRequest, form: forms.ModelForm, formsets: list[forms.BaseModelFormSet], change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        inside = {child.model for child in self.kind.resource.children}
        if change and any(formset.model in inside and formset.has_changed() for formset in formsets):
            form.instance.save(update_fields=["updated_at"])  # they are part of it

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Without the rows that only link two records: Django has no better name for one than its number."""
        found, counts, *rest = super().get_deleted_objects(objs, request)
        links = [model._meta for model in apps.get_models(include_auto_created=True) if model._meta.auto_created]
        begins = tuple(f"{capfirst(link.verbose_name)}: " for link in links)
        for link in links:
            counts.pop(link.verbose_name_plural, None)
        return without(found, begins), counts, *rest


def without(found: list[Any], begins: tuple[str, ...]) -> list[Any]:
    """``found``, a list of texts and of such lists, without the texts that begin like one of ``begins``."""
    kept = [without(item, begins) if isinstance(item, list) else item for item in found]
    return [item for item in kept if item != [] and not (isinstance(item, str) and item.startswith(begins))]


class Rows(TabularInline):
    """Child records as rows of a table, without the way to other pages."""

    extra = 0
    show_change_link = False
    hide_title = True


def how_many(model: type[models.Model], link: str) -> Coalesce:
    """How many rows of ``model`` point to the listed row by ``link``; keeps the list's order, as a join wouldn't."""
    rows = model._default_manager.filter(**{link: models.OuterRef("pk")}).order_by().values(link)
    count = models.Subquery(rows.annotate(count=models.Count("pk")).values("count"))
    return Coalesce(count, 0, output_field=models.IntegerField())


def swatch(color: str) -> SafeString:
    """A colour for a list; a dash for none."""
    if not color:
        return format_html("{}", "–")
    return format_html('<span class="swatch" style="background:{}" title="{}"></span>', color, color)


def thumbnail(hash: str | None) -> SafeString:
    """A small image for a list, or a placeholder of the same size."""
    if not hash:
        return format_html('<span class="thumbnail none material-symbols-outlined">{}</span>', "image")
    return format_html('<img class="thumbnail" src="{}?w=160" alt="" loading="lazy">', image_url(hash))
