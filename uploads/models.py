"""Albums and their photos on the way in: the state machine and its one mover."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from images.models import is_hash
from normalform import CONTENT_TYPES, MAX_BYTES

from .senders import Sent, SentQuerySet

ORIGINALS = "originals/"  # the beginning of their keys
ALBUM_HOLDS = 2000  # photos; one reconciliation of an album stays a matter of seconds
MAX_ATTEMPTS = 5  # of workers at one photo
# A worker's time for one photo; the task is killed when it ends. So when a lease ran out, no worker has the photo.
LEASE = timedelta(seconds=60)
FIRST_BACKOFF = timedelta(seconds=5)
LONGEST_BACKOFF = FIRST_BACKOFF * 4 ** (MAX_ATTEMPTS - 2)  # before the last attempt


class Album(Sent):
    """Photos that came together, for instance those of one afternoon."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("name"), max_length=200)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects = SentQuerySet.as_manager()

    class Meta:
        verbose_name = _("album")
        verbose_name_plural = _("albums")
        ordering = ["-created_at", "id"]
        indexes = [models.Index(fields=["-created_at"], name="album_by_creation")]

    def __str__(self) -> str:
        return self.name


class PhotoQuerySet(SentQuerySet):
    def pending(self) -> "PhotoQuerySet":
        return self.filter(status=Photo.Status.PENDING)

    def older_than(self, age: timedelta, *, now: datetime) -> "PhotoQuerySet":
        return self.filter(created_at__lte=now - age)

    def unqueued(self, *, now: datetime) -> "PhotoQuerySet":
        """Those that no message is under way for, as far as the rows tell."""
        return self.filter(Q(queued_until=None) | Q(queued_until__lte=now))

    def abandoned(self, *, now: datetime) -> "PhotoQuerySet":
        """Those whose worker's lease ran out."""
        return self.filter(status=Photo.Status.PROCESSING, lease_expires_at__lte=now)


class Photo(Sent):
    """What a client sends, on its way to becoming an image.

    ``pending → processing → ready | failed``; back to ``pending`` when a worker gives it back, when its lease runs
    out, or when a failed one is retried. Only `move` changes the state; docs/uploads.md has the drawing.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("Pending")
        PROCESSING = "processing", pgettext_lazy("state", "Processing")
        READY = "ready", pgettext_lazy("state", "Ready")
        FAILED = "failed", _("Failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # The index by album and status serves this key too.
    album = models.ForeignKey(Album, models.CASCADE, verbose_name=_("album"), related_name="photos", db_index=False)
    product = models.ForeignKey(
        "catalog.Product",
        models.SET_NULL,
        verbose_name=_("product"),
        related_name="photos",
        null=True,
        blank=True,
        help_text=_("Shows the image once it is ready."),
    )
    image = models.ForeignKey(
        "images.Image", models.PROTECT, verbose_name=_("image"), related_name="photos", null=True, blank=True
    )

    filename = models.CharField(_("file name"), max_length=255)
    content_type = models.CharField(_("content type"), max_length=20, choices=[(name, name) for name in CONTENT_TYPES])
    size = models.PositiveIntegerField(
        _("size"), validators=[MinValueValidator(1), MaxValueValidator(MAX_BYTES)], help_text=_("In bytes.")
    )
    sha256 = models.CharField(
        "SHA-256",
        max_length=64,
        blank=True,
        default="",
        validators=[is_hash],
        help_text=_("Of the original; or empty."),
    )

    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.PENDING, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, editable=False)
    error = models.CharField(
        _("error"),
        max_length=40,
        blank=True,
        default="",
        editable=False,
        help_text=_("Code of the last failure."),
    )
    error_detail = models.TextField(_("what happened"), max_length=500, blank=True, default="", editable=False)
    lease = models.UUIDField(_("lease"), null=True, editable=False)
    lease_expires_at = models.DateTimeField(_("lease expires at"), null=True, editable=False)
    queued_until = models.DateTimeField(
        _("queued until"), null=True, editable=False, help_text=_("Nobody queues it again before.")
    )
    upload_expires_at = models.DateTimeField(
        _("upload expires at"),
        editable=False,
        help_text=_("When the last upload target that was given out closes."),
    )

    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    checked_at = models.DateTimeField(
        _("checked at"),
        default=timezone.now,
        editable=False,
        help_text=_("By reconciliation; until then, when it was made. The longest unchecked comes first."),
    )
    processing_at = models.DateTimeField(_("last taken by a worker at"), null=True, editable=False)
    ready_at = models.DateTimeField(_("ready at"), null=True, editable=False)
    failed_at = models.DateTimeField(_("last failed at"), null=True, editable=False)

    objects = PhotoQuerySet.as_manager()

    class Meta:
        verbose_name = _("photo")
        verbose_name_plural = _("photos")
        ordering = ["-created_at", "id"]
        indexes = [
            models.Index(fields=["-created_at"], name="photo_by_creation"),
            models.Index(fields=["album", "status"], name="photo_by_album_and_status"),
            # Reconciliation costs what is under way, however many photos are ready.
            models.Index(
                fields=["checked_at", "created_at"], name="photo_pending_by_check", condition=Q(status="pending")
            ),
            # The oldest one, without reading past all that are ready.
            models.Index(fields=["created_at"], name="photo_pending_by_creation", condition=Q(status="pending")),
            # What a device has waiting is asked for each photo that it registers.
            models.Index(fields=["device"], name="photo_waiting_by_device", condition=~Q(status="ready")),
            models.Index(
                fields=["lease_expires_at"],
                name="photo_processing_by_lease",
                condition=Q(status="processing"),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["pending", "processing", "ready", "failed"]),
                name="photo_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(status="processing", lease__isnull=False, lease_expires_at__isnull=False)
                | ~Q(status="processing") & Q(lease=None, lease_expires_at=None),
                name="photo_has_a_lease_exactly_while_processing",
            ),
            models.CheckConstraint(
                condition=Q(status="ready", image__isnull=False) | ~Q(status="ready") & Q(image=None),
                name="photo_has_an_image_exactly_when_ready",
            ),
            models.CheckConstraint(
                condition=Q(queued_until=None) | Q(status="pending"),
                name="photo_is_queued_only_while_pending",
            ),
            models.CheckConstraint(
                condition=~Q(status="failed", error="") & ~(Q(status="ready") & ~Q(error="")),
                name="photo_says_why_it_failed_and_nothing_when_ready",
            ),
            models.CheckConstraint(
                condition=~Q(status="processing", processing_at=None)
                & ~Q(status="ready", ready_at=None)
                & ~Q(status="failed", failed_at=None),
                name="photo_knows_since_when_it_is_in_its_state",
            ),
            models.CheckConstraint(
                condition=Q(ready_at=None) | Q(status="ready"),
                name="photo_that_was_ready_stays_ready",
            ),
            models.CheckConstraint(
                condition=Q(status="pending") | Q(attempts__gte=1),
                name="photo_was_attempted_once_it_left_pending",
            ),
            models.CheckConstraint(
                condition=Q(error_detail="") | ~Q(error=""),
                name="photo_explains_no_error_that_it_does_not_have",
            ),
            models.CheckConstraint(condition=~Q(filename=""), name="photo_has_a_file_name"),
            models.CheckConstraint(condition=Q(size__gte=1, size__lte=MAX_BYTES), name="photo_size_is_allowed"),
            models.CheckConstraint(condition=Q(content_type__in=CONTENT_TYPES), name="photo_content_type_is_allowed"),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def key(self) -> str:
        """Where its original is stored. It follows from the id, so a key is recorded before it is handed out."""
        return original_key(self.pk)

    def is_queued(self, *, now: datetime) -> bool:
        return self.queued_until is not None and self.queued_until > now


def original_key(photo_id: uuid.UUID) -> str:
    return f"{ORIGINALS}{photo_id}"


Status = Photo.Status
MOVES = {
    (Status.PENDING, Status.PROCESSING),
    (Status.PROCESSING, Status.PENDING),
    (Status.PROCESSING, Status.READY),
    (Status.PROCESSING, Status.FAILED),
    (Status.FAILED, Status.PENDING),
}


def move(
    photo_id: uuid.UUID,
    from_: Status,
    to: Status,
    *,
    now: datetime,
    lease: uuid.UUID | None = None,
    **values: Any,
) -> bool:
    """Move a photo between two states if it is in the first; whether this call did it.

    ``lease`` is the token that a worker takes (to ``processing``) or must still hold (from ``processing``).
    ``values`` are more columns to set. Raises ValueError for a move that the state machine doesn't have.
    """
    if (from_, to) not in MOVES:
        raise ValueError(f"A photo never goes from {from_} to {to}.")
    if lease is None and Status.PROCESSING in (from_, to):
        raise ValueError("A worker has a lease.")
    columns: dict[str, Any] = {"status": to, "lease": None, "lease_expires_at": None, "queued_until": None}
    match to:
        case Status.PROCESSING:
            columns |= {"lease": lease, "lease_expires_at": now + LEASE, "processing_at": now}
            columns["attempts"] = F("attempts") + 1  # counted from here, because one may kill its worker
        case Status.READY:
            columns |= {"ready_at": now, "error": "", "error_detail": ""}
        case Status.FAILED:
            columns |= {"failed_at": now}
    found = Photo.objects.filter(pk=photo_id, status=from_)
    if from_ == Status.PROCESSING:
        found = found.filter(lease=lease)
    return bool(found.update(**columns | values))
