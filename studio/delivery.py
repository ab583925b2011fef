"""The bytes of an item over HTTP: as they came from the provider, from the store or while they are held."""

import logging
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404
from django.utils import timezone

from images.blobs import BlobDamaged, BlobMissing, blobs
from images.delivery import RangeRefused, asked_range, content, handed_over, matches
from images.services import image_url

from . import keys, storing
from .models import ADDRESS_IS_GOOD, Item

logger = logging.getLogger(__name__)


def deliver(request: HttpRequest, *, owner_id: int, key: str, through_app: bool) -> HttpResponse:
    """The object under a key of this owner. When it is gone, the way to where the picture still is.

    Through the app there is no way to anywhere else: a page can't read what a bucket or a provider sends it.
    Raises Http404 for what is gone then, and for keys of others and of no form of ours, before the storage is asked;
    RangeRefused and StorageUnavailable.
    """
    parsed = keys.parsed(key)
    if parsed is None or parsed.user != owner_id:
        raise Http404
    stored = Item.objects.of(owner_id).filter(key=key).exclude(stored_at=None)
    item = get_object_or_404(stored.only("size", "image_id", "provider_url", "answered_at"))
    headers = headers_of(parsed.sha256, parsed.content_type)
    if matches(request.headers.get("If-None-Match"), headers["ETag"]):
        del headers["Content-Type"]
        return HttpResponseNotModified(headers=headers)
    try:
        if not through_app and settings.IMAGE_DELIVERY != "app":
            blobs().stat(key)  # a bucket would answer its own 404, which nobody can go on from
            if elsewhere := handed_over(request, key, headers):
                elsewhere.headers["Cache-Control"] = elsewhere["Cache-Control"].replace("public", "private")
                return elsewhere
        response = answer(request, headers, size=item.size or 0, key=key)
        if request.method != "HEAD" and response.status_code == 200:
            checked(key, response.content, parsed.sha256)
    except (BlobMissing, BlobDamaged) as error:
        logger.warning("object gone or damaged key=%s: %s", key, type(error).__name__)
        if through_app:
            raise Http404 from error
        return elsewhere_for(item)
    return response


def checked(key: str, body: bytes, digest: str) -> None:
    """Raises BlobDamaged for other bytes: served once, they would sit in caches for a year."""
    if sha256(body).hexdigest() != digest:
        raise BlobDamaged(key)


def held(request: HttpRequest, *, owner_id: int, item_id: Any) -> HttpResponse:
    """The bytes of an own item, held or stored. Raises Http404, RangeRefused and StorageUnavailable."""
    item = Item.objects.of(owner_id).filter(pk=item_id).first()
    if item is None:
        raise Http404
    data = storing.bytes_of(item.pk)
    if data is not None and item.content_type:
        headers = {**headers_of(str(item.pk), item.content_type), "Cache-Control": "private, no-store"}
        del headers["ETag"]
        return answer(request, headers, size=len(data), data=data)
    if item.stored_at is None or not item.key:
        raise Http404
    try:
        return deliver(request, owner_id=owner_id, key=item.key, through_app=True)
    except Http404:
        return elsewhere_for(item)


def headers_of(digest: str, content_type: str) -> dict[str, str]:
    return {
        "Content-Type": content_type,
        "ETag": f'"{digest}"',
        "Cache-Control": "private, max-age=31536000, immutable",
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
    }


def answer(
    request: HttpRequest, headers: dict[str, str], *, size: int, key: str = "", data: bytes | None = None
) -> HttpResponse:
    """All of the object or the range that is asked for."""
    first, last, status = asked_range(request, size, headers.get("ETag", ""))
    if status == 416:
        raise RangeRefused(headers={"Content-Range": f"bytes */{size}", "Accept-Ranges": "bytes"})
    if status == 206:
        headers = {**headers, "Content-Range": f"bytes {first}-{last}/{size}"}
    if request.method == "HEAD":
        if data is None:
            blobs().stat(key)
        body = b""
    else:
        body = content(key, first, last, size) if data is None else data[first : last + 1]
    response = HttpResponse(body, status=status, headers=headers)
    response.headers["Content-Length"] = str(last - first + 1)
    return response


def elsewhere_for(item: Item) -> HttpResponse:
    """Where a picture is whose object is gone: at the provider's for a while, then our own one in normal form."""
    fresh = item.answered_at is not None and item.answered_at + ADDRESS_IS_GOOD > timezone.now()
    if item.provider_url and fresh:
        location = item.provider_url
    elif item.image_id:
        location = image_url(item.image_id)
    else:
        raise Http404
    return HttpResponse(status=302, headers={"Location": location, "Cache-Control": "no-store"})
