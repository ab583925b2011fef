"""``/terminal/…``: the same bytes for everybody, without a login. What the page shows comes from the API."""

from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.views.decorators.http import require_safe

from images.blobs import blobs
from syncing.codings import takes_gzip

from .shell import File, shell

KEEP_AND_ASK = "no-cache"
FOR_EVER = "public, max-age=31536000, immutable"


@require_safe
def page(request: HttpRequest) -> HttpResponseBase:
    return with_policy(request, answer(request, shell().page, KEEP_AND_ASK))


@require_safe
def file(request: HttpRequest, build: str, path: str) -> HttpResponseBase:
    """A file of this build. Of another one there is none: a page of it has its files in its worker."""
    known = shell()
    if build != known.build or path not in known.files:
        raise Http404
    return answer(request, known.files[path], FOR_EVER)


@require_safe
def worker(request: HttpRequest) -> HttpResponseBase:
    return with_policy(request, answer(request, shell().worker, KEEP_AND_ASK))


@require_safe
def manifest(request: HttpRequest) -> HttpResponseBase:
    return answer(request, shell().manifest, KEEP_AND_ASK)


@require_safe
def version(request: HttpRequest) -> HttpResponseBase:
    """Which build there is, for a page without a worker."""
    body = orjson.dumps({"build": shell().build})
    return HttpResponse(body, content_type="application/json", headers={"Cache-Control": "no-store"})


@require_safe
def reset(request: HttpRequest) -> HttpResponseBase:
    """A page that takes the worker and its caches away and goes to /terminal/. The databases stay."""
    return with_policy(request, answer(request, shell().reset, "no-store"))


def answer(request: HttpRequest, file: File, keep: str) -> HttpResponseBase:
    """``file``, compressed when the client takes it so, or 304 when it has it."""
    packed = file.packed if takes_gzip(request.headers.get("Accept-Encoding", "")) else None
    # The same answer in another coding is other bytes: its entity tag is weak.
    etag = f'"{file.digest}"' if packed is None else f'W/"{file.digest}"'
    response = HttpResponse(packed or file.body, content_type=file.type, headers={"ETag": etag, "Cache-Control": keep})
    if packed is not None:
        response["Content-Encoding"] = "gzip"
    if file.packed is not None:
        patch_vary_headers(response, ["Accept-Encoding"])
    conditional = get_conditional_response(request, etag=etag, response=response)
    assert conditional is not None  # it is None only for None
    return conditional


def with_policy(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The answer, for a page that may load and reach what is ours, and nothing else."""
    bucket = " ".join(bucket_origins())
    own_and_bucket = f"'self' {bucket}".strip()
    response["Content-Security-Policy"] = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"connect-src {own_and_bucket}",
            f"img-src {own_and_bucket} blob:",
            "manifest-src 'self'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )
    if not request.is_secure():
        # Django's default means nothing over plain http, and browsers say so in the console.
        response["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return response


def bucket_origins() -> list[str]:
    """Where pictures are redirected to and photos are PUT: the bucket's endpoint, and its public domain."""
    endpoint = blobs().endpoint
    if endpoint is None:
        return []
    addresses = [endpoint]
    if settings.R2_PUBLIC_DOMAIN:
        addresses.append(f"https://{settings.R2_PUBLIC_DOMAIN.removeprefix('https://')}")
    return [f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, addresses)]
