"""What one can do with albums and photos."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _

from catalog.edits import Author, Way
from catalog.models import Product
from catalog.services import show_image
from images.space import need_room
from refusals import Refusal

from .models import ALBUM_HOLDS, Album, Photo, Status, move
from .originals import drop_original, is_there, storage_needed
from .queueing import queue
from .quota import need_quota
from .senders import OPERATOR, Sender, SenderRevoked, name_of
from .targets import Target, target_for

REGISTERING_TRIES = 3  # each is undone by a deletion in between; three times is no accident


class Conflict(Refusal):
    status, code = 409, "conflict"
    detail = _("This id belongs to a photo with other data.")


class AlbumFull(Refusal):
    status, code = 409, "album_full"
    detail = _("This album holds as many photos as an album can; make another.")


class NotUploaded(Refusal):
    status, code = 409, "not_uploaded"
    detail = _("The photo's bytes aren't there; upload them first.")


@dataclass(frozen=True)
class Declaration:
    """What a client says about a photo that it is going to send."""

    filename: str
    content_type: str
    size: int
    sha256: str = ""
    product_id: UUID | None = None


@dataclass(frozen=True)
class Registered:
    photo: Photo
    upload: Target | None  # None when the photo needs no bytes any more


def create_album(*, name: str, album_id: UUID | None = None, sender: Sender = OPERATOR) -> Album:
    """A new album; the one of this id when there is one. Raises Conflict when that has another name or sender."""
    album_id = album_id or uuid4()
    album, created = Album.objects.get_or_create(pk=album_id, defaults={"name": name, **sender.columns})
    if not created and (album.name != name or not Album.objects.seen_by(sender).filter(pk=album_id).exists()):
        raise Conflict(_("This id belongs to an album of another name."))
    return album


def album(*, album_id: UUID, sender: Sender = OPERATOR) -> Album:
    """Raises Http404, also when ``sender`` may not see it."""
    return get_object_or_404(Album.objects.seen_by(sender), pk=album_id)


def photos_of(*, album_id: UUID, sender: Sender = OPERATOR) -> list[Photo]:
    """All photos of an album that ``sender`` sees, in the order in which they were registered. Raises Http404."""
    photos = Photo.objects.seen_by(sender).filter(album_id=album(album_id=album_id, sender=sender).pk)
    return list(photos.order_by("created_at", "pk"))


def photo(*, photo_id: UUID, sender: Sender = OPERATOR) -> Photo:
    """Raises Http404, also when ``sender`` may not see it."""
    return get_object_or_404(Photo.objects.seen_by(sender), pk=photo_id)


def counts(*, album_id: UUID) -> dict[str, int]:
    """How many photos of an album are in each state; every state is named."""
    found = dict(Photo.objects.filter(album_id=album_id).order_by().values_list("status").annotate(count=Count("pk")))
    return {status.value: found.get(status.value, 0) for status in Status}


def register_photo(
    *,
    album_id: UUID,
    photo_id: UUID | None,
    declaration: Declaration,
    now: datetime,
    sender: Sender = OPERATOR,
) -> Registered:
    """The photo of this id (a new one without) and, while it is pending, a fresh upload target.

    Raises Http404 for an album that ``sender`` doesn't see, ValidationError for an unknown product, AlbumFull,
    StorageFull, QuotaFull, and Conflict when the id has other data or another sender already.
    """
    photo_id = photo_id or uuid4()
    for attempt in range(1, REGISTERING_TRIES + 1):
        try:
            with transaction.atomic():
                photo = registered(
                    album_id=album_id, photo_id=photo_id, declaration=declaration, now=now, sender=sender
                )
            break
        except (IntegrityError, Photo.DoesNotExist):
            # A product, album or photo was deleted since it was looked up; or else the fault is ours.
            refuse_unknown(album_id=album_id, product_id=declaration.product_id, sender=sender)
            if attempt == REGISTERING_TRIES:
                raise
    if photo.status != Status.PENDING:
        return Registered(photo, None)
    return Registered(photo, target_for(photo, now=now))


def registered(*, album_id: UUID, photo_id: UUID, declaration: Declaration, now: datetime, sender: Sender) -> Photo:
    known = Photo.objects.filter(pk=photo_id).first()
    if known is None:
        need_room()
        need_quota(device_id=sender.device_id, size=declaration.size, now=now)
    wanted = declaration.product_id
    if known and wanted and known.product_id is None and not Product.objects.filter(pk=wanted).exists():
        declaration = replace(declaration, product_id=None)  # its product was deleted since
    refuse_unknown(album_id=album_id, product_id=declaration.product_id, sender=sender)
    closes = now + timedelta(seconds=settings.UPLOAD_WINDOW_SECONDS)
    if known is None and Photo.objects.filter(album_id=album_id).count() >= ALBUM_HOLDS:
        raise AlbumFull
    values = {**vars(declaration), "album_id": album_id}
    photo, created = Photo.objects.get_or_create(
        pk=photo_id,
        defaults={
            **values,
            **sender.columns,
            "upload_expires_at": closes,
            "created_at": now,
            "checked_at": now,
        },
    )
    if created:
        return photo
    if not Photo.objects.seen_by(sender).filter(pk=photo_id).exists() or any(
        getattr(photo, name) != value for name, value in values.items()
    ):
        raise Conflict
    # The window is wider before the target is given out: nothing is cleaned while it is open.
    if Photo.objects.pending().filter(pk=photo_id).update(upload_expires_at=closes):
        photo.upload_expires_at = closes
    photo.refresh_from_db(fields=["status"])
    return photo


@transaction.atomic
def give_product(*, photo_id: UUID, product_id: UUID) -> bool:
    """Lets a photo that was sent for no product be for this one, which shows it when, or as soon as, it is ready.

    False: the photo is gone, or is for a product by now.
    """
    Product.objects.select_for_update(no_key=True).filter(pk=product_id).first()  # as `pipeline.finish`, first of all
    photo = Photo.objects.select_for_update().filter(pk=photo_id, product=None).first()
    if photo is None:
        return False
    Photo.objects.filter(pk=photo_id).update(product=product_id)
    if photo.status == Status.READY and photo.image_id:
        show_image(product_id=product_id, hash=photo.image_id, author=Author(Way.PHOTO, name_of(photo)))
    return True


def refuse_unknown(*, album_id: UUID, product_id: UUID | None, sender: Sender) -> None:
    if not Album.objects.seen_by(sender).filter(pk=album_id).exists():
        raise Http404
    if product_id is not None and not Product.objects.filter(pk=product_id).exists():
        raise ValidationError({"product": ValidationError(_("There is no such product."), code="unknown_product")})


def request_processing(*, photo_id: UUID, now: datetime, sender: Sender = OPERATOR) -> Photo:
    """Have a photo made into an image, unless it is one or a worker is at it; a failed one begins anew.

    Raises Http404, NotUploaded, SenderRevoked, and StorageSilent when the storage can't say.
    """
    found = photo(photo_id=photo_id, sender=sender)
    if found.status in (Status.PROCESSING, Status.READY):
        return found
    if Photo.objects.filter(pk=photo_id).of_the_revoked().exists():
        raise SenderRevoked
    # With an error it isn't queued but backing off, and whoever asks need not wait for that.
    if found.is_queued(now=now) and not found.error:
        return found
    with storage_needed():
        there = is_there(found.key)
    if not there:
        # A worker that finishes meanwhile drops the original: then it isn't missing, it was used.
        if (found := photo(photo_id=photo_id)).status in (Status.PROCESSING, Status.READY):
            return found
        raise NotUploaded
    with transaction.atomic():
        if found.status == Status.FAILED:
            move(photo_id, Status.FAILED, Status.PENDING, now=now, attempts=0, error="", error_detail="")
            found = photo(photo_id=photo_id)
        queue(photos=[found], now=now)
    return photo(photo_id=photo_id)


def delete_photo(*, photo_id: UUID, sender: Sender = OPERATOR) -> None:
    """Remove a photo and its original, never an image; an unknown id is fine. Raises Http404 for another's photo.

    The record goes first: an original that the storage refuses to delete has no record then, and is found as
    an orphan. The other way round a crash would leave a record that promises bytes.
    """
    photo = Photo.objects.filter(pk=photo_id)
    if not photo.seen_by(sender).delete()[0] and photo.exists():
        raise Http404
    drop_original(photo_id)


def delete_album(*, album_id: UUID) -> None:
    """Remove an album with its photos and their originals."""
    photo_ids = list(Photo.objects.filter(album_id=album_id).values_list("pk", flat=True))
    Album.objects.filter(pk=album_id).delete()
    for photo_id in photo_ids:
        drop_original(photo_id)
