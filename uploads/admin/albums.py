"""Albums: how far each is, and the page that fills them."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Case, Count, IntegerField, OuterRef, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display

from catalog.admin.base import thumbnail
from uploads import reconciliation, services
from uploads.models import Album, Photo

from .base import link_to, picture_of, try_again
from .sending import SendingAdmin

NEEDY = (Photo.Status.FAILED, Photo.Status.PENDING, Photo.Status.PROCESSING)


def photos_in(status: str) -> Coalesce:
    """How many photos of the row's album are in a state, from the index alone."""
    found = Photo.objects.filter(album=OuterRef("pk"), status=status).order_by().values("album")
    return Coalesce(Subquery(found.annotate(count=Count("pk")).values("count")), 0, output_field=IntegerField())


@admin.register(Album)
class AlbumAdmin(SendingAdmin):
    list_display = ("cover", "name", "pending", "processing", "ready", "failed", "photos", "created_at")
    list_display_links = ("cover", "name")
    search_fields = ("name",)
    date_hierarchy = "created_at"
    readonly_fields = ("pending", "processing", "ready", "failed", "photos", "pictures", "created_at", "id")
    fields = ("name", *readonly_fields)
    SHOWN = 60  # pictures on the page of an album
    actions = ("reconcile_selected",)
    buttons: ClassVar = {"reconcile_now": _("Reconcile now"), "retry_failed": _("Try the failed ones again")}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Album]:
        counts = {f"{status}_count": photos_in(status) for status in Photo.Status.values}
        ready = Photo.objects.filter(album=OuterRef("pk"), status=Photo.Status.READY).order_by()
        return super().get_queryset(request).annotate(**counts, cover_hash=Subquery(ready.values("image")[:1]))

    @display(description="")
    def cover(self, album: Any) -> SafeString:
        return thumbnail(album.cover_hash, album)

    @display(description=_("pending"))
    def pending(self, album: Any) -> int:
        return int(album.pending_count)

    @display(description=_("processing"))
    def processing(self, album: Any) -> int:
        return int(album.processing_count)

    @display(description=_("ready"))
    def ready(self, album: Any) -> int:
        return int(album.ready_count)

    @display(description=_("failed"))
    def failed(self, album: Any) -> int:
        return int(album.failed_count)

    @display(description=_("photos"))
    def photos(self, album: Album) -> SafeString:
        url = reverse("admin:uploads_photo_changelist")
        return format_html('<a href="{}?album__id__exact={}">{}</a>', url, album.pk, _("Show"))

    @display(description=_("pictures"))
    def pictures(self, album: Album) -> SafeString:
        """The first photos, those that need help before the others."""
        rank = Case(
            *(When(status=status, then=place) for place, status in enumerate(("failed", "pending", "processing"))),
            default=3,
        )
        shown = album.photos.order_by(rank, "-created_at", "pk")[: self.SHOWN]
        cells = (
            (link_to(photo), photo.filename, photo.status, photo.get_status_display(), picture_of(photo))
            for photo in shown
        )
        return format_html(
            '<span class="album-pictures">{}</span>',
            format_html_join("", '<a href="{}" title="{}" class="is-{}" aria-label="{}">{}</a>', cells),
        )

    def retry_failed(self, request: HttpRequest, album_id: UUID) -> None:
        failed = Photo.objects.filter(album=album_id, status=Photo.Status.FAILED)
        try_again(request, failed.order_by("created_at", "pk").values_list("pk", flat=True))

    def reconcile_now(self, request: HttpRequest, album_id: UUID) -> None:
        self.reconcile(request, [album_id])

    @action(description=_("Reconcile now"), permissions=["change"])
    def reconcile_selected(self, request: HttpRequest, queryset: QuerySet[Album]) -> None:
        self.reconcile(request, queryset.values_list("pk", flat=True))

    def reconcile(self, request: HttpRequest, album_ids: Any) -> None:
        total = reconciliation.Counts()
        for album_id in album_ids:
            total += reconciliation.reconcile_album(album_id=album_id, now=timezone.now())
        text = _(
            "%(checked)d checked: %(requeued)d queued again, %(cleaned)d cleaned, "
            "%(skipped)d left as they are, %(unknown)d could not be told."
        ) % vars(total)
        messages.warning(request, text) if total.unknown else messages.success(request, text)

    def delete_model(self, request: HttpRequest, obj: Album) -> None:
        services.delete_album(album_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Album]) -> None:
        for album_id in queryset.values_list("pk", flat=True):
            services.delete_album(album_id=album_id)
