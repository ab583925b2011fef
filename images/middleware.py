"""The commonest request of all, answered before anything that pictures don't need."""

import re
from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from images.blobs import BlobMissing, StorageUnavailable, blobs, image_key
from images.delivery import NoSuchRange, deliver
from images.models import Image

# What ``Image.objects.usable()`` says, without the ORM's way to it, which is longer than all the rest.
USABLE = "SELECT width, height, size FROM images_image WHERE hash = %s AND status = 'stored' AND damaged_at IS NULL"
PATH = re.compile(r"\A/api/image/([0-9a-f]{64})\.jpg\Z")


class PictureMiddleware:
    """Answers GET of a stored picture itself, without session, language, CSRF and REST framework.

    These take time and change nothing of the picture. Whatever isn't plain success (a narrower copy, a picture that
    isn't there, a login where one is asked for) goes on to the view, which has the one explanation for it. So does
    everything that is in a bucket: there the request to it is what takes time, and a failing one isn't made twice.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        found = PATH.match(request.path)
        if found and request.method == "GET" and settings.IMAGES_PUBLIC and not request.META.get("QUERY_STRING"):
            with suppress(BlobMissing, StorageUnavailable, NoSuchRange, DatabaseError):
                if blobs().path(image_key(found[1])) is not None and (image := usable(found[1])):
                    return deliver(request, image, None)
        return self.get_response(request)


def usable(hash: str) -> Image | None:
    """The image of this hash, to be read only, when it can be served."""
    with connection.cursor() as cursor:
        row = cursor.execute(USABLE, [hash]).fetchone()
    return Image(hash, Image.Status.STORED, *row) if row else None
