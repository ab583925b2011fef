"""What all pages of the catalogue have in common."""

from typing import Any

from django import forms
from django.apps import apps
from django.contrib.admin import AdminSite
from django.contrib.admin.widgets import get_select2_language
from django.db import models
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from unfold.admin import ModelAdmin, TabularInline

from catalog.models.base import ColorField
from catalog.resources import kind_of
from images.services import image_url

from .contention import in_a_transaction
from .history import History, with_values
from .sheets import SheetPages
from .widgets import ColorWidget

LAST_POSITION = 2**31 - 1


class RecordForm(forms.ModelForm):
    """A form that may also write columns for which it has no field of that name."""

    derived: frozenset[str] = frozenset()


class CatalogueAdmin(SheetPages):
    """Lists, forms and sheets of one kind of record.

    Saving writes the columns that were changed on the page and no others: a page that was opened before
    a till marked something as sold out doesn't undo that.
    """

    form = RecordForm
    formfield_overrides = {ColorField: {"widget": ColorWidget}}
    list_per_page = 50
    kept_for_the_next: tuple[str, ...] = ()  # fields that "Save and add another" fills in again
    list_filter_submit = True
    warn_unsaved_form = True
    save_on_top = False

    def __init__(self, model: type[models.Model], admin_site: AdminSite) -> None:
        super().__init__(model, admin_site)
        self.kind = kind_of(model)

    @property
    def media(self) -> forms.Media:
        """With the translations of Select2: the theme loads the English words only."""
        folder, words = "admin/js/vendor/select2", f"i18n/{get_select2_language()}.js"
        ordered: tuple[str, ...] = (
            f"{folder}/select2.full.js",
            f"{folder}/{words}",
            "admin/js/jquery.init.js",
            "catalog/select2.js",
        )
        ordered += ("catalog/edits.js",)
        return super().media + forms.Media(js=ordered)

    changeform_view = in_a_transaction(ModelAdmin.changeform_view)
    delete_view = in_a_transaction(ModelAdmin.delete_view)

    @in_a_transaction
    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, extra_context)

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

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new record stands behind all others, unless the address says where."""
        initial = super().get_changeform_initial_data(request)
        if "position" in {field.name for field in self.opts.concrete_fields}:
            last = self.model._default_manager.aggregate(last=models.Max("position"))["last"]
            initial.setdefault("position", 0 if last is None else min(last + 1, LAST_POSITION))
        return initial

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        answer = super().response_add(request, obj, post_url_continue)
        kept = {name: getattr(obj, self.opts.get_field(name).attname) for name in self.kept_for_the_next}
        if "_addanother" in request.POST and isinstance(answer, HttpResponseRedirect) and kept:
            joint = "&" if "?" in answer.url else "?"
            return HttpResponseRedirect(f"{answer.url}{joint}{urlencode(kept)}")
        return answer

    def history(self, key: str) -> History:
        return History(self.model, self.kind.name, super().history(key), key)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return with_values(super().construct_change_message(request, form, formsets, add), form)

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


def thumbnail(hash: str | None, of: object) -> SafeString:
    """A small image for a list, or a placeholder of the same size; ``of``: what it shows."""
    if not hash:
        icon = '<span role="img" aria-label="{}" class="thumbnail none material-symbols-outlined">{}</span>'
        return format_html(icon, of, "image")
    return format_html('<img class="thumbnail" src="{}?w=160" alt="{}" loading="lazy">', image_url(hash), of)
