"""The row is the lock of its bytes: ``storing`` → bytes → ``stored`` → ``sweeping`` → bytes gone → row gone.

While a row is ``storing`` or ``sweeping``, ``wanted_at`` is the moment of the claim and its token: each later step
compares it, so a process whose claim was taken over changes nothing. Every step is a commit of its own. No transaction
is open while the storage works.

What can go wrong, and why it doesn't:

1. Two writers of one picture. One claims the row, the other waits for it. When that takes too long, the second takes
   the claim over and writes too, which is harmless, because keys are written once.
2. A writer dies. Its row stays ``storing``. The next writer takes it over, or upkeep does, much later: it removes what
   nothing refers to, and otherwise looks what the bytes are like.
3. A writer whose claim was taken over finds its token gone and begins anew. So it never calls bytes stored that a sweep
   deleted.
4. A writer meets ``sweeping``. It waits until the row is gone and begins anew, or takes over from a sweep that died.
5. A sweeper that sleeps for longer than ``SWEEP_LEASE`` between its last check and the deletion of the bytes could
   delete what was stored again meanwhile. The worker's hard time limit (2 minutes) ends it before.
6. The bytes under a hash are not its own: they rotted, or another program put them there. A writer reads what is there
   before it relies on it, and puts the right bytes in its place.
"""

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from images.blobs import BlobDamaged, BlobMissing, StorageUnavailable, blobs, derived_keys, image_key
from images.models import Image
from images.quarantine import set_aside_damaged
from images.references import unreferenced
from normalform import Normal

PATIENCE = timedelta(seconds=10)  # with the claim of another
PAUSE = 0.02  # seconds between two looks at a row
SWEEP_LEASE = timedelta(minutes=5)
RELEASED = datetime(1970, 1, 1, tzinfo=UTC)  # a claim that its holder gave up
WRITES = 3  # attempts to put the right bytes where wrong ones are

Status = Image.Status


def store(normal: Normal) -> tuple[Image, bool]:
    """The stored row of these bytes, and whether it is new. Raises ``StorageUnavailable``.

    Not inside a transaction: it commits in between.
    """
    name = sha256(normal.data).hexdigest()
    claim, deadline = None, 0.0  # the claim of another, and until when we wait for it
    while True:
        token, created = timezone.now(), True
        if not claim_new(name, normal, token):
            row = Image.objects.filter(pk=name).first()
            if row is None:
                continue
            if row.status == Status.STORED:
                created = False
                if want_again(row, token) and is_sound(name):
                    if (stored := unmarked(row)) is not None:
                        return stored, created
                    continue
                if not claim_stored(name, token, Status.STORING):
                    continue
            else:
                if row.wanted_at != claim:  # a new one, so its holder was alive just now
                    claim, deadline = row.wanted_at, time.monotonic() + PATIENCE.total_seconds()
                overdue = time.monotonic() > deadline
                if not abandoned(row, token, overdue=overdue):
                    if overdue:
                        raise StorageUnavailable(f"{name} is being deleted, for longer than we wait")
                    time.sleep(PAUSE)
                    continue
                if not take_over(row, token):
                    continue
        try:
            write(name, normal.data)
        except BaseException:
            with suppress(DatabaseError):  # then others wait for this claim a while, which is the smaller trouble
                let_go(name, token)
            raise
        if (stored := mark_stored(name, token)) is not None:
            return stored, created


def write(name: str, data: bytes) -> None:
    """Puts the bytes of a claimed row. Raises ``StorageUnavailable``."""
    for _attempt in range(WRITES):
        # False: bytes are there already, of a dead writer, of one that took our claim over, or of another program.
        if blobs().put(image_key(name), data, content_type="image/jpeg", sha256=name) or is_sound(name):
            return
        set_aside_damaged(name)
    raise StorageUnavailable(f"{name} doesn't keep the bytes that it is given")


def is_sound(name: str) -> bool:
    """Whether the bytes are there and are those of their name. Raises ``StorageUnavailable``."""
    try:
        blobs().read(image_key(name), sha256=name)
    except (BlobMissing, BlobDamaged):
        return False
    return True


# --- Steps of a row, each one commit -------------------------------------------------------------------------------
@transaction.atomic(durable=True)
def claim_new(name: str, normal: Normal, token: datetime, status: Status = Status.STORING) -> bool:
    """Inserts the row as ours; False when there is one already."""
    return insert_if_absent(
        Image(
            hash=name,
            status=status,
            width=normal.width,
            height=normal.height,
            size=len(normal.data),
            encoder=normal.encoder,
            wanted_at=token,
        )
    )


def insert_if_absent(row: Image) -> bool:
    """Whether the row is new, and so ours; False when there was one with its hash. Raises ``IntegrityError``.

    By hand, because the ORM doesn't answer this. ``get_or_create`` fails when a sweep removes the other row between its
    two steps, and ``bulk_create(ignore_conflicts=True)`` says to nobody whether the row is theirs.
    """
    fields = row._meta.concrete_fields
    columns, places = ", ".join(str(field.column) for field in fields), ", ".join(["%s"] * len(fields))
    values = [field.get_db_prep_save(field.pre_save(row, add=True), connection) for field in fields]
    sql = f"INSERT INTO {row._meta.db_table} ({columns}) VALUES ({places})"  # noqa: S608 - only names of columns
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} ON CONFLICT (hash) DO NOTHING", values)
        return bool(cursor.rowcount)


@transaction.atomic(durable=True)
def want_again(row: Image, now: datetime) -> bool:
    """Stamps a stored row, so that no sweep takes it soon; False when one just did."""
    return bool(Image.objects.filter(pk=row.pk, status=Status.STORED).update(wanted_at=now))


@transaction.atomic(durable=True)
def unmarked(row: Image) -> Image | None:
    """The row, which isn't damaged: its bytes were read just now. None when it was swept meanwhile."""
    if row.damaged_at is not None:
        Image.objects.filter(pk=row.pk, status=Status.STORED).update(damaged_at=None, checked_at=timezone.now())
    return Image.objects.filter(pk=row.pk, status=Status.STORED).first()


@transaction.atomic(durable=True)
def claim_stored(name: str, token: datetime, status: Status) -> bool:
    """Takes a stored row out of use, to look after its bytes; False when it isn't stored any more."""
    return bool(Image.objects.filter(pk=name, status=Status.STORED).update(status=status, wanted_at=token))


def abandoned(row: Image, now: datetime, *, overdue: bool) -> bool:
    """Whether a claim may be taken over. Writing twice harms nobody, but a sweeper has to be dead."""
    if row.status == Status.STORING:
        return overdue or row.wanted_at == RELEASED
    return not -SWEEP_LEASE < now - row.wanted_at <= SWEEP_LEASE  # ahead by more: of a clock that was wrong


@transaction.atomic(durable=True)
def take_over(row: Image, token: datetime, status: Status = Status.STORING) -> bool:
    """Makes the claim of another ours, for storing or for sweeping; False when the row moved on."""
    rows = Image.objects.filter(pk=row.pk, status=row.status, wanted_at=row.wanted_at)
    return bool(rows.update(status=status, wanted_at=token))


@transaction.atomic(durable=True)
def mark_stored(name: str, token: datetime) -> Image | None:
    """Ends our claim of a row whose bytes are written: the row as it is then; None when the claim was taken over."""
    ours = Image.objects.filter(pk=name, status=Status.STORING, wanted_at=token)
    if ours.update(status=Status.STORED, damaged_at=None, checked_at=timezone.now(), unreferenced_since=None):
        return Image.objects.get(pk=name)
    return None


@transaction.atomic(durable=True)
def let_go(name: str, token: datetime) -> None:
    """Gives up our claim, so that nobody waits for it."""
    Image.objects.filter(pk=name, status=Status.STORING, wanted_at=token).update(wanted_at=RELEASED)


@transaction.atomic(durable=True)
def claim_sweep(name: str, *, cutoff: datetime, token: datetime) -> bool:
    """``stored`` → ``sweeping`` when since ``cutoff`` nothing referred to the image and nobody wanted it.

    A reference that is being taken holds the row (``hold_image``) and stamps it: this update waits for it,
    looks again, and finds the image wanted.
    """
    rows = unreferenced().filter(pk=name, status=Status.STORED, wanted_at__lt=cutoff, unreferenced_since__lt=cutoff)
    return bool(rows.update(status=Status.SWEEPING, wanted_at=token))


def finish_sweep(name: str, token: datetime) -> bool:
    """Deletes the bytes, the row last; False when the image has to stay, or the claim is not ours any more.

    Raises ``StorageUnavailable``, and ``IntegrityError`` when a row came to refer to it meanwhile without holding it.
    """
    claim = unreferenced().filter(pk=name, status=Status.SWEEPING, wanted_at=token)
    if not claim.exists():
        give_back(name, token)
        return False
    for key in (*derived_keys(name), image_key(name)):
        blobs().delete(key)
    with transaction.atomic(durable=True):
        return bool(Image.objects.filter(pk=name, status=Status.SWEEPING, wanted_at=token).delete()[0])


def give_back(name: str, token: datetime) -> None:
    """``sweeping`` → ``stored``: as damaged when the bytes are gone, or wrong, which are set aside then.

    Raises ``StorageUnavailable``.
    """
    now = timezone.now()
    ours = Image.objects.filter(pk=name, status=Status.SWEEPING, wanted_at=token)
    sound = is_sound(name)
    if not sound and ours.exists():
        set_aside_damaged(name)
    with transaction.atomic(durable=True):
        ours.update(status=Status.STORED, checked_at=now, damaged_at=None if sound else now)
