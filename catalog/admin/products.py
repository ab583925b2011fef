"""Products, their categories and their tags."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import (
    AutocompleteSelectMultipleFilter,
    BooleanRadioFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
    RelatedDropdownFilter,
)
from unfold.decorators import display
from unfold.widgets import UnfoldAdminExpandableTextareaWidget

from catalog.models import Category, Product, Tag

from .actions import activate, change_price, deactivate, mark_available, mark_sold_out
from .base import CatalogueAdmin, RecordForm, how_many, swatch, thumbnail
from .product_image import Outcome, StoredImageField, store_photo


class ProductForm(RecordForm):
    """A product with its image."""

    image = StoredImageField(label=_("Picture"), required=False)
    derived = frozenset({"unit"})
    outcome: Outcome | None = None

    class Meta:
        model = Product
        fields = "__all__"
        widgets = {"description": UnfoldAdminExpandableTextareaWidget()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        image = self.fields.get("image")
        if isinstance(image, StoredImageField):
            image.prepare(current=self.instance.image_id or "", outcome=self.outcome)

    def add_prefix(self, field_name: str) -> str:
        # An input called "attributes" would hide the form element's property of that name from the theme's scripts,
        # which then leave the page blank.
        return super().add_prefix("option_groups" if field_name == "attributes" else field_name)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        # The page hides the unit unless sale is by weight; what it hides doesn't count.
        if cleaned is not None and cleaned.get("price_type") in {"fixed", "open"}:
            cleaned["unit"] = ""
        return cleaned


class HasImage(DropdownFilter):
    title = _("picture")
    parameter_name = "picture"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        return [("yes", _("With picture")), ("no", _("Without picture"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() in {"yes", "no"}:
            return queryset.filter(image__isnull=self.value() == "no")
        return queryset


@admin.register(Product)
class ProductAdmin(CatalogueAdmin):
    form = ProductForm
    list_display = ("picture", "name", "category", "price", "is_sold_out", "is_active", "sku")
    list_display_links = ("picture", "name")
    list_editable = ("price", "is_sold_out", "is_active")
    list_select_related = ("category",)
    list_filter = (
        ("category", RelatedDropdownFilter),
        ("tags", AutocompleteSelectMultipleFilter),
        ("is_active", BooleanRadioFilter),
        ("is_sold_out", BooleanRadioFilter),
        HasImage,
        ("price_type", ChoicesDropdownFilter),
    )
    search_fields = ("name", "short_name", "kitchen_name", "sku", "barcode")
    search_help_text = _("Name, short name, kitchen name, SKU or barcode")
    ordering = ("category__position", "category__name", "position", "name")
    autocomplete_fields = ("category", "tags", "attributes", "print_destinations")
    actions: tuple[Any, ...] = (activate, deactivate, mark_sold_out, mark_available, change_price)
    conditional_fields = {"unit": "price_type == 'weight'"}
    kept_for_the_next = ("category", "tax_rate")
    fieldsets = (
        (None, {"fields": ("name", "category", ("price", "tax_rate"), "price_type", "unit")}),
        (_("Picture"), {"fields": ("image", "description")}),
        (_("Availability"), {"fields": (("is_active", "is_sold_out"),)}),
        (_("Options and tags"), {"fields": ("attributes", "tags")}),
        (_("On the till"), {"fields": ("short_name", ("color", "position"))}),
        (_("In the kitchen"), {"fields": ("kitchen_name", "print_destinations")}),
        (_("Numbers"), {"fields": (("sku", "barcode"),)}),
    )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        photo = request.FILES.get("image-photo") if request.method == "POST" else None
        may_save = self.has_change_permission(request) if object_id else self.has_add_permission(request)
        if photo is not None and may_save:
            request.outcome = store_photo(photo)  # type: ignore[attr-defined]
        return super().changeform_view(request, object_id, form_url, extra_context)

    def get_form(
        self, request: HttpRequest, obj: Product | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.outcome = getattr(request, "outcome", None)
        return form

    @display(description=_("picture"))
    def picture(self, product: Product) -> SafeString:
        return thumbnail(product.image_id, product)


@admin.register(Category)
class CategoryAdmin(CatalogueAdmin):
    list_display = ("name", "parent", "color_swatch", "product_count", "position", "is_active")
    list_editable = ("position", "is_active")
    list_select_related = ("parent",)
    list_filter = (("is_active", BooleanRadioFilter), ("parent", RelatedDropdownFilter))
    search_fields = ("name",)
    autocomplete_fields = ("parent", "print_destinations")
    actions = (activate, deactivate)
    fieldsets = (
        (None, {"fields": ("name", "parent", "is_active")}),
        (_("On the till"), {"fields": (("color", "position"),)}),
        (_("In the kitchen"), {"fields": ("print_destinations",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        return super().get_queryset(request).annotate(products_in_it=how_many(Product, "category"))

    @display(description=_("products"), ordering="products_in_it")
    def product_count(self, category: Category) -> int:
        return category.products_in_it  # type: ignore[attr-defined]

    @display(description=_("colour"))
    def color_swatch(self, category: Category) -> SafeString:
        return swatch(category.color)


@admin.register(Tag)
class TagAdmin(CatalogueAdmin):
    list_display = ("name", "kind_label", "color_swatch", "product_count")
    list_filter = (("kind", ChoicesDropdownFilter),)
    search_fields = ("name",)
    fields = ("name", "kind", "color")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tag]:
        return super().get_queryset(request).annotate(products_with_it=how_many(Product.tags.through, "tag"))

    @display(
        description=_("kind"),
        ordering="kind",
        label={"menu": "info", "diet": "success", "allergen": "warning"},
    )
    def kind_label(self, tag: Tag) -> tuple[str, str]:
        return tag.kind, tag.get_kind_display()

    @display(description=_("products"), ordering="products_with_it")
    def product_count(self, tag: Tag) -> int:
        return tag.products_with_it  # type: ignore[attr-defined]

    @display(description=_("colour"))
    def color_swatch(self, tag: Tag) -> SafeString:
        return swatch(tag.color)
