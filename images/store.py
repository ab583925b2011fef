"""The row is the lock of its bytes: ``storing`` → bytes → ``stored`` → ``sweeping`` → bytes gone → row gone.

While a row is ``storing`` or ``sweeping``, ``wanted_at`` is the moment of the claim and its token: whoever goes on
checks that it is still his. Every step is a commit of its own, no transaction is open while storage works.

What can go wrong, and why it doesn't:

1. Two writers of one picture. One claims the row, the other waits for it; when that takes too long it takes the
   claim over and writes too, which is harmless, because keys are written once.
2. A writer dies. Its row stays ``storing``; the next writer takes it over, or the sweep does, much later.
3. A writer that was overtaken finds its token gone and begins anew, so it never calls bytes stored that a sweep took.
4. A writer meets ``sweeping``. It waits until the row is gone and begins anew, or takes over from a sweep that died.
5. A sweeper that sleeps for longer than ``SWEEP_LEASE`` between its last check and the deletion of the bytes could
   delete what was stored again meanwhile. The worker's hard time limit (2 minutes) ends it before.
"""

import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import models, transaction
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.utils import timezone

from images.blobs import BlobMissing, StorageUnavailable, blobs, derived_key, image_key
from images.models import Image
from images.normalize import Normal

WIDTHS = (160, 320, 640, 1280)  # of derivatives
PATIENCE = timedelta(seconds=10)  # for another's claim
PAUSE = 0.02  # seconds between two looks at a row
SWEEP_LEASE = timedelta(minutes=5)
RELEASED = datetime(1970, 1, 1, tzinfo=UTC)  # a claim that its holder gave up

Status = Image.Status


def store(normal: Normal, *, patience: timedelta = PATIENCE) -> tuple[Image, bool]:
    """The stored row of these bytes, and whether it is new. Raises ``StorageUnavailable``.

    Not inside a transaction: it commits in between.
    """
    name = sha256(normal.data).hexdigest()
    deadline = time.monotonic() + patience.total_seconds()
    while True:
        token = timezone.now()
        if not claim_new(name, normal, token):
            row = Image.objects.filter(pk=name).first()
            if row is None:
                continue
            if row.status == Status.STORED:
                if want_again(row, token):
                    heal(name, normal)
                    return Image.objects.get(pk=name), False
                continue
            overdue = time.monotonic() > deadline
            if not abandoned(row, token, overdue=overdue):
                if overdue:
                    raise StorageUnavailable(f"{name} is being deleted, for longer than we wait")
                time.sleep(PAUSE)
                continue
            if not take_over(row, token):
                continue
        try:
            blobs().put(image_key(name), normal.data, content_type="image/jpeg", sha256=name)
        except StorageUnavailable:
            move(name, Status.STORING, token, wanted_at=RELEASED)
            raise
        if move(name, Status.STORING, token, status=Status.STORED):
            return Image.objects.get(pk=name), True


@transaction.atomic(durable=True)
def claim_new(name: str, normal: Normal, token: datetime) -> bool:
    """Inserts the row as ours; False when there is one already."""
    row = Image(
        hash=name,
        status=Status.STORING,
        width=normal.width,
        height=normal.height,
        size=len(normal.data),
        encoder=normal.encoder,
        wanted_at=token,
    )
    Image.objects.bulk_create([row], ignore_conflicts=True)
    return Image.objects.filter(pk=name, status=Status.STORING, wanted_at=token).exists()


@transaction.atomic(durable=True)
def want_again(row: Image, now: datetime) -> bool:
    """Stamps a stored row, so that no sweep takes it soon; False when one just did."""
    return bool(Image.objects.filter(pk=row.pk, status=Status.STORED).update(wanted_at=now))


def abandoned(row: Image, now: datetime, *, overdue: bool) -> bool:
    """Whether a claim may be taken over: writing twice harms nobody, but a sweeper has to be dead."""
    if row.status == Status.STORING:
        return overdue or row.wanted_at == RELEASED
    return now - row.wanted_at > SWEEP_LEASE


@transaction.atomic(durable=True)
def take_over(row: Image, token: datetime, status: Status = Status.STORING) -> bool:
    """Makes somebody else's claim ours, for storing or for sweeping; False when the row moved on."""
    rows = Image.objects.filter(pk=row.pk, status=row.status, wanted_at=row.wanted_at)
    return bool(rows.update(status=status, wanted_at=token))


@transaction.atomic(durable=True)
def move(name: str, status: Status, token: datetime, /, **changes: object) -> bool:
    """Compare-and-set on a claim of ours; False when it was taken over."""
    return bool(Image.objects.filter(pk=name, status=status, wanted_at=token).update(**changes))


def heal(name: str, normal: Normal) -> None:
    """A row can outlive its bytes (a disk that was restored from less than the database): here they are again."""
    try:
        blobs().stat(image_key(name))
    except BlobMissing:
        blobs().put(image_key(name), normal.data, content_type="image/jpeg", sha256=name)


# --- Sweeping ---------------------------------------------------------------------------------------------------
def references() -> list[ForeignObjectRel]:
    """Every relation by which a row of any model may refer to an image, hidden ones too."""
    fields = Image._meta.get_fields(include_hidden=True)
    return [field for field in fields if isinstance(field, ForeignObjectRel)]


def referrers(relation: ForeignObjectRel, image: object) -> models.QuerySet[Any]:
    """The rows that refer to ``image`` (a hash or an expression) by one relation."""
    rows: models.QuerySet[Any] = relation.related_model._base_manager.filter(**{relation.field.name: image})
    return rows.order_by("pk")


def unreferenced() -> models.QuerySet[Image]:
    """Images that no row of any model refers to."""
    found = Image.objects.all()
    for relation in references():
        found = found.filter(~models.Exists(referrers(relation, models.OuterRef("pk")).order_by()))
    return found


@transaction.atomic(durable=True)
def claim_sweep(name: str, *, cutoff: datetime, token: datetime) -> bool:
    """``stored`` → ``sweeping`` when nobody refers to the image or wanted it since ``cutoff``.

    A reference that is being taken holds the row (``image_to_refer_to``) and stamps it: this update waits for it,
    looks again, and finds the image wanted.
    """
    rows = unreferenced().filter(pk=name, status=Status.STORED, wanted_at__lt=cutoff)
    return bool(rows.update(status=Status.SWEEPING, wanted_at=token))


def finish_sweep(name: str, token: datetime) -> bool:
    """Deletes the bytes, the row last; False when the claim is not ours any more. Raises ``StorageUnavailable``."""
    claim = unreferenced().filter(pk=name, status=Status.SWEEPING, wanted_at=token)
    if not claim.exists():
        # A writer that asked nobody may have referred to it between candidates and claim: give it back.
        move(name, Status.SWEEPING, token, status=Status.STORED)
        return False
    store_of_bytes = blobs()
    for width in WIDTHS:
        store_of_bytes.delete(derived_key(name, width))
    store_of_bytes.delete(image_key(name))
    with transaction.atomic(durable=True):
        return bool(Image.objects.filter(pk=name, status=Status.SWEEPING, wanted_at=token).delete()[0])
