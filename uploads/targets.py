"""Where a client PUTs its bytes: the bucket itself by a presigned URL, or an expiring, signed URL of ours.

Both keep the same promises (length, type and declared SHA-256 must fit; written once; useless when expired or
altered), so one client serves both.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO, ClassVar, cast
from uuid import UUID

from django.core import signing
from django.http import Http404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from images.blobs import Readable, blobs
from images.space import need_room
from normalform import content_type_of
from refusals import Refusal

from .models import Photo
from .originals import is_there, storage_needed

SALT = "uploads.targets"


class UploadRefused(Refusal):
    """The bytes that come to an address are not taken; ``code`` is one of ``answers``."""

    answers: ClassVar[Mapping[str, tuple[int, Promise]]] = {
        "upload_denied": (403, _("This upload address was altered, is none of ours, or its sender has no access.")),
        "upload_expired": (403, _("This upload address has expired; register the photo again for a new one.")),
        "already_uploaded": (412, _("The bytes of this photo are there already; go on with process.")),
        "too_large": (413, _("More bytes came than were declared.")),
        "size_mismatch": (422, _("Fewer bytes came than were declared.")),
        "checksum_mismatch": (422, _("The bytes that came don't have the SHA-256 that was declared.")),
        "type_mismatch": (422, _("The content type isn't the one that was declared.")),
    }

    def __init__(self, code: str) -> None:
        self.code = code
        self.status, detail = self.answers[code]
        super().__init__(detail)


@dataclass(frozen=True)
class Target:
    url: str  # absolute, or relative to the server
    expires_at: datetime
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "PUT"


def target_for(photo: Photo, *, now: datetime) -> Target:
    """Where ``photo``'s bytes go until its upload window closes."""
    presigned = blobs().presigned_put(
        photo.key,
        size=photo.size,
        content_type=photo.content_type,
        sha256=photo.sha256 or None,
        seconds=max(1, int((photo.upload_expires_at - now).total_seconds())),
    )
    if presigned is not None:
        return Target(presigned.url, photo.upload_expires_at, dict(presigned.headers))
    token = signing.dumps([photo.pk.hex, int(photo.upload_expires_at.timestamp())], salt=SALT)
    return Target(
        reverse("upload", kwargs={"token": token}),
        photo.upload_expires_at,
        {"Content-Type": photo.content_type},
    )


def photo_of(token: str, *, now: datetime) -> UUID:
    """The id of the photo that a token of ours was made for. Raises UploadRefused."""
    try:
        photo_id, expires = signing.loads(token, salt=SALT)
    except signing.BadSignature:
        raise UploadRefused("upload_denied") from None
    if datetime.fromtimestamp(expires, UTC) <= now:
        raise UploadRefused("upload_expired")
    return UUID(photo_id)


def receive(*, photo: Photo, stream: Readable, length: int | None, content_type: str) -> None:
    """Stream the bytes of ``photo`` to storage: exactly those that were declared, once, all or nothing.

    ``length`` and ``content_type`` are what the request says of itself (None, "": nothing). Raises UploadRefused,
    StorageSilent, StorageFull, and Http404 when the photo was deleted meanwhile.
    """
    with storage_needed():
        if Photo.objects.filter(pk=photo.pk).of_the_revoked().exists():
            raise UploadRefused("upload_denied")
        if photo.status != Photo.Status.PENDING or is_there(photo.key):
            raise UploadRefused("already_uploaded")
        sent = content_type.partition(";")[0].strip().lower()
        if sent and content_type_of(sent, photo.filename) != photo.content_type:
            raise UploadRefused("type_mismatch")
        if length is not None and length > photo.size:
            raise UploadRefused("too_large")
        need_room()
        declared = Declared(stream, size=photo.size, sha256=photo.sha256)
        if not blobs().put(photo.key, cast(BinaryIO, declared), content_type=photo.content_type):
            raise UploadRefused("already_uploaded")
        if not Photo.objects.filter(pk=photo.pk).exists():
            blobs().delete(photo.key)  # cleaned up by its client meanwhile
            raise Http404


class Declared:
    """Reads ``stream`` and raises UploadRefused, before its end is reached, if that isn't what was declared.

    So a store that writes all or nothing never keeps a wrong file, and reads no more than one byte too much.
    """

    def __init__(self, stream: Readable, *, size: int, sha256: str) -> None:
        self.stream = stream
        self.size = size
        self.sha256 = sha256
        self.seen = 0
        self.digest = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(1 << 20), b""))
        try:
            chunk = self.stream.read(min(size, self.size - self.seen + 1))
        except OSError as error:
            raise UploadRefused("size_mismatch") from error  # the client left; an OSError would look like the storage's
        self.seen += len(chunk)
        self.digest.update(chunk)
        if self.seen > self.size:
            raise UploadRefused("too_large")
        if not chunk and size:
            self.check_end()
        return chunk

    def check_end(self) -> None:
        if self.seen < self.size:
            raise UploadRefused("size_mismatch")
        if self.sha256 and self.digest.hexdigest() != self.sha256:
            raise UploadRefused("checksum_mismatch")
