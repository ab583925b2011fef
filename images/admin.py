"""Stored images and passes of upkeep, for managers, who look at images and add them. Upkeep removes them by itself."""

from collections.abc import Sequence
from contextlib import suppress
from functools import reduce
from operator import add
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from adminpages import Page
from images.blobs import SUFFIXES, WIDTHS, BlobMissing, StorageUnavailable, blobs, derived_key
from images.models import Image, Pass
from images.normalize import ACCEPT, PictureRefused
from images.references import is_referred_to, references, referrers
from images.services import add_image, image_url
from images.upkeep.wording import said
from normalform import MAX_BYTES
from refusals import Refusal

MOST_REFERRERS = 20  # that a page lists for each model


class PicturesWidget(forms.FileInput):
    """A drop zone for many files, each sent in a request of its own; without scripts an input for many files."""

    template_name = "images/pictures.html"
    allow_multiple_selected = True

    class Media:
        js = ("images/dropzone.js", "images/pictures.js")

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"] |= {
            "accept": ACCEPT,
            "address": reverse("images"),
            "page": reverse("admin:images_image_change", args=["HASH"]),
            "limit": MAX_BYTES,
        }
        return context


class UploadForm(forms.ModelForm):
    file = forms.FileField(
        label=_("Pictures"),
        help_text=_(
            "JPEG, PNG, WebP, AVIF, TIFF, BMP, GIF or HEIC, each at most 25 MB and 64 megapixels (JPEG, HEIC: 108)."
        ),
        widget=PicturesWidget(),
    )

    class Meta:
        model = Image
        fields = ()


class Condition(DropdownFilter):
    title = _("condition")
    parameter_name = "condition"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        return [("damaged", _("Damaged")), ("unused", _("Shown by nothing"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        conditions: dict[Any, Q] = {"damaged": Q(damaged_at__isnull=False), "unused": ~is_referred_to()}
        return queryset.filter(conditions.get(self.value(), Q()))


@admin.register(Image)
class ImageAdmin(Page):
    list_display = ("thumbnail", "__str__", "measures", "weight", "used_by", "copies", "state", "created_at")
    list_display_links = ("thumbnail", "__str__")
    list_filter = (("status", ChoicesDropdownFilter), Condition)
    search_fields = ("hash__startswith",)
    search_help_text = _("The beginning of the hash")
    ordering = ("-created_at", "hash")
    list_per_page = 50
    details = (
        *("picture", "hash", "measures", "weight", "status", "users", "made_copies", "encoder"),
        *("created_at", "wanted_at", "unreferenced_since", "checked_at", "damaged_at"),
    )

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
        return ("file",) if obj is None else self.details

    def get_readonly_fields(self, request: HttpRequest, obj: Image | None = None) -> Sequence[str]:
        return () if obj is None else self.details

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        # Files are stored here, because Django's own view is one transaction, and storing an image commits in between.
        adding = request.method == "POST" and object_id is None and self.has_add_permission(request)
        if adding and (files := request.FILES.getlist("file")):
            return self.add_all(request, files)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def add_all(self, request: HttpRequest, files: list[Any]) -> HttpResponse:
        """Answers the form of a browser without scripts."""
        added = [image for file in files if (image := self.add_one(request, file)) is not None]
        if not added:
            return HttpResponseRedirect(reverse("admin:images_image_add"))
        if len(files) == 1:
            return HttpResponseRedirect(reverse("admin:images_image_change", args=[added[0].pk]))
        return HttpResponseRedirect(reverse("admin:images_image_changelist"))

    def add_one(self, request: HttpRequest, file: Any) -> Image | None:
        """Stores one file, and tells the user what became of it; None when it was refused."""
        added = None
        try:
            if file.size > MAX_BYTES:
                raise PictureRefused("too_large")
            added = add_image(data=file.read())
        except Refusal as refusal:
            level, said = messages.ERROR, str(refusal)
        else:
            level = messages.SUCCESS
            said = gettext("The picture was added.") if added.created else gettext("This picture was there already.")
        self.message_user(request, f"{file.name}: {said}", level)
        return added.image if added else None

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
        if not is_usable(image):
            return "–"
        return format_html(
            '<img src="{}?w=160" alt="{}" loading="lazy" width="56" height="56" '
            'style="width:56px;height:56px;object-fit:cover;border-radius:8px">',
            image_url(image.hash),
            image,
        )

    @display(description=_("picture"))
    def picture(self, image: Image) -> SafeString | str:
        if not is_usable(image):
            return "–"
        return format_html(
            '<a href="{0}"><img src="{0}?w=640" alt="{1}" '
            'style="max-width:100%;max-height:24rem;border-radius:8px"></a>',
            image_url(image.hash),
            gettext("Picture"),
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
        label={"stored": "success", "storing": "warning", "sweeping": "warning", "damaged": "danger"},
    )
    def state(self, image: Image) -> tuple[str, Any]:
        if image.damaged_at is not None:
            return "damaged", gettext("Damaged")
        return image.status, image.get_status_display()

    @display(description=_("narrower copies"))
    def copies(self, image: Image) -> SafeString | str:
        """Links to all derivatives that there can be; finding out which were made would ask the storage for each."""
        links = [(image_url(image.hash), width) for width in WIDTHS if width < image.width and is_usable(image)]
        return format_html_join(" · ", '<a href="{0}?w={1}" class="underline">{1}</a>', links) or "–"

    @display(description=_("narrower copies"))
    def made_copies(self, image: Image) -> SafeString | str:
        """The derivatives that were made, with their sizes."""
        made = []
        for width in WIDTHS if is_usable(image) else ():
            for format in SUFFIXES:
                with suppress(BlobMissing, StorageUnavailable):
                    size = blobs().stat(derived_key(image.hash, width, format)).size
                    made.append((image_url(image.hash), width, format, filesizeformat(size)))
        copy = '<a href="{0}?w={1}&format={2}"><img src="{0}?w={1}&format={2}" alt="" loading="lazy">{1} {2}, {3}</a>'
        if not made:
            return gettext("None yet: the first who asks has it made")
        return format_html('<div class="copies">{}</div>', format_html_join("", copy, made))

    @display(description=_("used by"))
    def users(self, image: Image) -> SafeString | str:
        found = [
            (page(row), str(row)) for relation in references() for row in referrers(relation, image.pk)[:MOST_REFERRERS]
        ]
        links = format_html_join(", ", '<a href="{}" class="underline">{}</a>', found)
        return links or _("nothing: it goes {} days after it was last wanted").format(settings.IMAGE_GRACE_DAYS)


@admin.register(Pass)
class PassAdmin(Page):
    """What upkeep did lately, read-only."""

    list_display = ("kind", "started_at", "took", "state", "what", "is_dry_run")
    list_filter = (("kind", ChoicesDropdownFilter), ("outcome", ChoicesDropdownFilter))
    fields = ("kind", "outcome", "what", "is_dry_run", "started_at", "ended_at")
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Pass | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Pass | None = None) -> bool:
        return False

    @display(description=_("seconds"))
    def took(self, row: Pass) -> str:
        return "–" if row.ended_at is None else f"{(row.ended_at - row.started_at).total_seconds():.1f}"

    @display(
        description=_("outcome"),
        ordering="outcome",
        label={
            "done": "success",
            "more": "info",
            "running": "warning",
            "too_much": "danger",
            "unavailable": "danger",
            "failed": "danger",
        },
    )
    def state(self, row: Pass) -> tuple[str, Any]:
        return row.outcome, row.get_outcome_display()

    @display(description=_("counts"))
    def what(self, row: Pass) -> str:
        return said(row.counts)


def is_usable(image: Image) -> bool:
    return image.status == Image.Status.STORED and image.damaged_at is None


def page(row: Any) -> str:
    """The row's page in admin; "#" where it has none."""
    try:
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    except NoReverseMatch:
        return "#"
