"""The pictures that are stored, for those who look after the shop. They come and go by themselves."""

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminImageFieldWidget

from images.blobs import StorageUnavailable
from images.models import Image
from images.normalize import MAX_BYTES, ImageRefused, TooLarge
from images.references import references, referrers
from images.services import add_image, image_url

MOST_REFERRERS = 20  # that a page lists for each model


class UploadForm(forms.ModelForm):
    file = forms.FileField(
        label=_("Picture"),
        help_text=_("JPEG, PNG, WebP, AVIF, TIFF, BMP, GIF or HEIC, at most 25 MB and 50 megapixels."),
        widget=UnfoldAdminImageFieldWidget(attrs={"accept": "image/*,.heic,.heif,.avif,.tif,.tiff"}),
    )

    class Meta:
        model = Image
        fields = ()


@admin.register(Image)
class ImageAdmin(ModelAdmin):
    list_display = ("thumbnail", "__str__", "measures", "weight", "used_by", "state", "created_at")
    list_display_links = ("thumbnail", "__str__")
    list_filter = (("status", ChoicesDropdownFilter),)
    search_fields = ("hash__startswith",)
    search_help_text = _("The beginning of the hash")
    ordering = ("-created_at", "hash")
    list_per_page = 50
    shown = ("picture", "hash", "measures", "weight", "state", "users", "encoder", "created_at", "wanted_at")

    def has_change_permission(self, request: HttpRequest, obj: Image | None = None) -> bool:
        return False  # nothing ever changes under a hash

    def has_delete_permission(self, request: HttpRequest, obj: Image | None = None) -> bool:
        return False  # what nothing refers to goes after a grace period

    def get_form(
        self, request: HttpRequest, obj: Image | None = None, change: bool = False, **kwargs: Any
    ) -> type[forms.ModelForm]:
        if obj is None:
            kwargs["form"] = UploadForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Image | None = None) -> Sequence[str]:
        return ("file",) if obj is None else self.shown

    def get_readonly_fields(self, request: HttpRequest, obj: Image | None = None) -> Sequence[str]:
        return () if obj is None else self.shown

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        # Here, because Django's own view is one transaction, and storing a picture commits in between.
        adding = request.method == "POST" and object_id is None and self.has_add_permission(request)
        if adding and (file := request.FILES.get("file")) is not None:
            return self.take_in(request, file)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def take_in(self, request: HttpRequest, file: Any) -> HttpResponse:
        try:
            if file.size > MAX_BYTES:
                raise TooLarge
            added = add_image(data=file.read())
        except ImageRefused as refused:
            self.message_user(request, gettext(type(refused).__doc__ or refused.code), messages.ERROR)  # as in views
        except StorageUnavailable:
            self.message_user(request, _("The storage doesn't answer; try again."), messages.ERROR)
        else:
            said = _("The picture was added.") if added.created else _("This picture was there already.")
            self.message_user(request, said, messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:images_image_change", args=[added.image.pk]))
        return HttpResponseRedirect(reverse("admin:images_image_add"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Image]:
        """With the number of rows that refer to each image, whatever models they are of."""
        totals = []
        for relation in references():
            rows = referrers(relation, OuterRef("pk")).order_by().values(relation.field.name)
            numbers = rows.annotate(number=Count("pk")).values("number")
            totals.append(Coalesce(Subquery(numbers, output_field=IntegerField()), 0))
        return super().get_queryset(request).annotate(references=reduce(add, totals))

    @display(description=_("picture"))
    def thumbnail(self, image: Image) -> SafeString | str:
        if image.status != Image.Status.STORED:
            return "–"
        return format_html(
            '<img src="{}?w=160" alt="" loading="lazy" width="56" height="56" '
            'style="width:56px;height:56px;object-fit:cover;border-radius:8px">',
            image_url(image.hash),
        )

    @display(description=_("picture"))
    def picture(self, image: Image) -> SafeString | str:
        if image.status != Image.Status.STORED:
            return "–"
        return format_html(
            '<a href="{0}"><img src="{0}?w=640" alt="" style="max-width:100%;max-height:24rem;border-radius:8px"></a>',
            image_url(image.hash),
        )

    @display(description=_("pixels"), ordering="width")
    def measures(self, image: Image) -> str:
        return f"{image.width} × {image.height}"

    @display(description=_("size"), ordering="size")
    def weight(self, image: Image) -> str:
        return filesizeformat(image.size)

    @display(description=_("used by"), ordering="references")
    def used_by(self, image: Image) -> int:
        return image.references  # type: ignore[attr-defined]

    @display(
        description=_("status"),
        ordering="status",
        label={"stored": "success", "storing": "warning", "sweeping": "warning"},
    )
    def state(self, image: Image) -> tuple[str, Any]:
        return image.status, image.get_status_display()

    @display(description=_("used by"))
    def users(self, image: Image) -> SafeString | str:
        found = [
            (page(row), str(row)) for relation in references() for row in referrers(relation, image.pk)[:MOST_REFERRERS]
        ]
        links = format_html_join(", ", '<a href="{}" class="underline">{}</a>', found)
        return links or _("nothing: it goes {} days after it was last wanted").format(settings.IMAGE_GRACE_DAYS)


def page(row: Any) -> str:
    """The row's page in admin; "#" where it has none."""
    try:
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    except NoReverseMatch:
        return "#"
