"""The row is the lock of its bytes: ``storing`` → bytes → ``stored`` → ``sweeping`` → bytes gone → row gone.

While a row is ``storing`` or ``sweeping``, ``wanted_at`` is the moment of the claim and its token: whoever goes on
checks that it is still his. Every step is a commit of its own, but the one to ``stored`` may be that of a reference to
the image. No transaction is open while storage works.

What can go wrong, and why it doesn't:

1. Two writers of one picture. One claims the row, the other waits for it; when that takes too long it takes the
   claim over and writes too, which is harmless, because keys are written once.
2. A writer dies. Its row stays ``storing``; the next writer takes it over, or upkeep does, much later: it removes what
   nobody refers to, and otherwise looks what the bytes are like.
3. A writer that was overtaken finds its token gone and begins anew, so it never calls bytes stored that a sweep took.
4. A writer meets ``sweeping``. It waits until the row is gone and begins anew, or takes over from a sweep that died.
5. A sweeper that sleeps for longer than ``SWEEP_LEASE`` between its last check and the deletion of the bytes could
   delete what was stored again meanwhile. The worker's hard time limit (2 minutes) ends it before.
6. The bytes under a hash are not its own: they rotted, or somebody else put them there. Whoever stores the picture
   reads what is there before he believes it, and puts the right bytes in its place.
"""

import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from django.db import transaction
from django.utils import timezone

from images.blobs import BlobDamaged, BlobMissing, StorageUnavailable, blobs, derived_keys, image_key
from images.models import Image
from images.quarantine import set_aside_damaged
from images.references import unreferenced
from images.rows import compare_and_set, insert_if_absent
from normalform import Normal

PATIENCE = timedelta(seconds=10)  # for another's claim
PAUSE = 0.02  # seconds between two looks at a row
SWEEP_LEASE = timedelta(minutes=5)
RELEASED = datetime(1970, 1, 1, tzinfo=UTC)  # a claim that its holder gave up
WRITES = 3  # attempts to put the right bytes where wrong ones are

Status = Image.Status


def store(normal: Normal, *, patience: timedelta = PATIENCE) -> tuple[Image, bool]:
    """The stored row of these bytes, and whether it is new. Raises ``StorageUnavailable``.

    Not inside a transaction: it commits in between.
    """
    while True:
        row, created = keep(normal, patience=patience)
        if row.status == Status.STORED:
            return row, created
        if (stored := call_stored(row)) is not None:
            return stored, created


def keep(normal: Normal, *, patience: timedelta = PATIENCE) -> tuple[Image, bool]:
    """The row of these bytes, which are in storage, and whether it is new. Raises ``StorageUnavailable``.

    One that isn't stored yet is claimed, by whoever called this: he ends the claim by `call_stored`, maybe in the
    transaction that refers to the image, or by `let_go`. Not inside a transaction: it commits in between.
    """
    name = sha256(normal.data).hexdigest()
    claim, deadline = None, 0.0
    while True:
        token, created = timezone.now(), True
        row = claim_new(name, normal, token)
        if row is None:
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
                if row.wanted_at != claim:  # another's, who is alive: he began just now
                    claim, deadline = row.wanted_at, time.monotonic() + patience.total_seconds()
                overdue = time.monotonic() > deadline
                if not abandoned(row, token, overdue=overdue):
                    if overdue:
                        raise StorageUnavailable(f"{name} is being deleted, for longer than we wait")
                    time.sleep(PAUSE)
                    continue
                if not take_over(row, token):
                    continue
        row.status, row.wanted_at = Status.STORING, token
        try:
            write(name, normal.data)
        except BaseException:
            let_go(row)
            raise
        return row, created


def write(name: str, data: bytes) -> None:
    """Puts the bytes of a claimed row. Raises ``StorageUnavailable``."""
    for _attempt in range(WRITES):
        # False: a dead writer's are there, those of another who overtook us, or a stranger's.
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
def claim_new(name: str, normal: Normal, token: datetime, status: Status = Status.STORING) -> Image | None:
    """Inserts the row as ours; None when there is one already."""
    row = Image(
        hash=name,
        status=status,
        width=normal.width,
        height=normal.height,
        size=len(normal.data),
        encoder=normal.encoder,
        wanted_at=token,
    )
    return row if insert_if_absent(row) else None


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
    """Whether a claim may be taken over: writing twice harms nobody, but a sweeper has to be dead."""
    if row.status == Status.STORING:
        return overdue or row.wanted_at == RELEASED
    return now - row.wanted_at > SWEEP_LEASE


@transaction.atomic(durable=True)
def take_over(row: Image, token: datetime, status: Status = Status.STORING) -> bool:
    """Makes somebody else's claim ours, for storing or for sweeping; False when the row moved on."""
    rows = Image.objects.filter(pk=row.pk, status=row.status, wanted_at=row.wanted_at)
    return bool(rows.update(status=status, wanted_at=token))


def call_stored(row: Image) -> Image | None:
    """Ends our claim of a row whose bytes are written, in a transaction or not; None when it was taken over."""
    changes = {"status": Status.STORED, "damaged_at": None, "checked_at": timezone.now(), "unreferenced_since": None}
    return compare_and_set(Image, ours(row), changes)


def let_go(row: Image) -> None:
    """Gives up our claim, so that nobody waits for it."""
    compare_and_set(Image, ours(row), {"wanted_at": RELEASED})


def ours(row: Image) -> dict[str, object]:
    """What the row of a claim is like as long as nobody took it over."""
    return {"hash": row.pk, "status": row.status, "wanted_at": row.wanted_at}


@transaction.atomic(durable=True)
def claim_sweep(name: str, *, cutoff: datetime, token: datetime) -> bool:
    """``stored`` → ``sweeping`` when since ``cutoff`` nobody referred to the image or wanted it.

    A reference that is being taken holds the row (``hold_image``) and stamps it: this update waits for it,
    looks again, and finds the image wanted.
    """
    rows = unreferenced().filter(pk=name, status=Status.STORED, wanted_at__lt=cutoff, unreferenced_since__lt=cutoff)
    return bool(rows.update(status=Status.SWEEPING, wanted_at=token))


def finish_sweep(name: str, token: datetime) -> bool:
    """Deletes the bytes, the row last; False when the image has to stay, or the claim is not ours any more.

    Raises ``StorageUnavailable``, and ``IntegrityError`` when somebody who asked nobody referred to it meanwhile.
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
    sound = is_sound(name)
    if not sound and Image.objects.filter(pk=name, status=Status.SWEEPING, wanted_at=token).exists():
        set_aside_damaged(name)
    known = {"hash": name, "status": Status.SWEEPING, "wanted_at": token}
    changes = {"status": Status.STORED, "checked_at": now, "damaged_at": None if sound else now}
    compare_and_set(Image, known, changes)
