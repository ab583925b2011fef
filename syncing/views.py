"""``/api/sync/…``: where everything stands, everything, and what changed."""

import gzip
import re
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

import orjson
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from devices.authentication import MayLook
from refusals import InvalidParameter

from . import log, registry, snapshots
from .codings import takes_gzip
from .serializers import DeltaSerializer, SnapshotSerializer, StatusSerializer

KEEP_AND_ASK = "private, no-cache"  # a client may keep the answer, but has to ask about it each time
DEFAULT_LIMIT = 1000
LARGEST_LIMIT = 5000
DELTA_PARAMETERS = ("since", "epoch", "limit")
# A number that no 64-bit counter reaches is still a number: a terminal that sends it is ahead.
WHOLE_NUMBER = re.compile(r"[0-9]{1,4000}", re.ASCII)  # Python reads no more than 4,300
RESOURCE = OpenApiParameter("resource", str, OpenApiParameter.PATH, description="The name of a resource.")


class StatusView(APIView):
    """Where every resource stands; the check after a reconnect."""

    @extend_schema(
        operation_id="sync_status", summary="Where every resource stands", responses=StatusSerializer, tags=["sync"]
    )
    def get(self, request: Request) -> HttpResponseBase:
        return status(request, log.heads())


class OfAResource(APIView):
    """What a view shows is of the resource in its address."""

    permission_classes = (MayLook,)

    @property
    def model(self) -> type[Model]:
        return registry.resource(self.kwargs["resource"]).model


class SnapshotView(OfAResource):
    """Every object of a resource, true at exactly ``version``."""

    @extend_schema(
        operation_id="sync_snapshot",
        summary="All objects of a resource",
        parameters=[RESOURCE],
        responses=SnapshotSerializer,
        tags=["sync"],
    )
    def get(self, request: Request, resource: str) -> HttpResponseBase:
        name = registry.resource(resource).name
        etag = snapshots.current_etag(name=name)
        if is_known(request, etag):
            return unchanged(etag)
        packed = snapshots.packed(name=name, etag=etag)
        if takes_gzip(request.META.get("HTTP_ACCEPT_ENCODING", "")):
            # The same answer in another coding is other bytes: its entity tag is weak.
            headers = {"ETag": f'W/"{packed.etag}"', "Content-Encoding": "gzip"}
            response = HttpResponse(packed.body, content_type="application/json", headers=headers)
        else:
            body = gzip.decompress(packed.body)
            response = HttpResponse(body, content_type="application/json", headers={"ETag": f'"{packed.etag}"'})
        response["Cache-Control"] = KEEP_AND_ASK
        patch_vary_headers(response, ["Accept-Encoding"])
        snapshots.let_go_of_the_database()  # a terminal may take its time to read
        return response


class ChangesView(OfAResource):
    """The newest change of each object since a version."""

    parameters = DELTA_PARAMETERS

    @extend_schema(
        operation_id="sync_changes",
        summary="What changed since a version",
        parameters=[
            RESOURCE,
            OpenApiParameter(
                "since",
                {"type": "integer", "minimum": 0},
                required=True,
                description="The version that the terminal has.",
            ),
            OpenApiParameter("epoch", OpenApiTypes.UUID, required=True, description="The history it belongs to."),
            OpenApiParameter(
                "limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT}
            ),
        ],
        responses={200: DeltaSerializer, 410: OpenApiResponse(description="`resync_required`: fetch the snapshot.")},
        tags=["sync"],
    )
    def get(self, request: Request, resource: str) -> HttpResponseBase:
        return changes(request, resource, log.heads())


def changes(request: Request | HttpRequest, resource: str, heads: log.Heads) -> HttpResponse:
    """The answer to a question for a delta; ``heads`` were read a moment ago."""
    name = registry.resource(resource).name
    since = whole_number(request, "since")
    limit = whole_number(request, "limit", default=DEFAULT_LIMIT)
    if not 1 <= limit <= LARGEST_LIMIT:
        raise InvalidParameter(_("limit lies between 1 and %(largest)s.") % {"largest": LARGEST_LIMIT})
    stands = (heads.epoch, heads.versions[name], heads.horizons[name])
    body = json_of_delta(name, since, uuid(request, "epoch"), limit, stands)
    return HttpResponse(body, content_type="application/json", headers={"Cache-Control": "no-store"})


@lru_cache(maxsize=16)
def json_of_delta(name: str, since: int, epoch: UUID, limit: int, stands: tuple[UUID, int, int]) -> bytes:
    """Kept while the resource ``stands`` there: a herd that lost the same line comes back with the same question."""
    delta = log.delta(name=name, since=since, epoch=epoch, limit=limit)
    entries = [
        {"id": key, "version": version, "action": action, "data": orjson.Fragment(data or b"null")}
        for _, version, action, key, data in delta.changes
    ]
    head = {"epoch": str(delta.epoch), "resource": name, "from": since, "to": delta.to, "head": delta.head}
    return orjson.dumps(head | {"changes": entries})


def status(request: Request | HttpRequest, heads: log.Heads) -> HttpResponse:
    """The answer to a question for the status: ``heads``."""
    body = orjson.dumps({"epoch": str(heads.epoch), "versions": heads.versions})
    etag = sha256(body).hexdigest()[:32]
    if is_known(request, etag):
        return unchanged(etag)
    headers = {"ETag": f'"{etag}"', "Cache-Control": KEEP_AND_ASK}
    return HttpResponse(body, content_type="application/json", headers=headers)


def is_known(request: Request | HttpRequest, etag: str) -> bool:
    """Whether ``If-None-Match`` names this tag, strongly or weakly. A read has no other precondition."""
    asked = parse_etags(request.META.get("HTTP_IF_NONE_MATCH", ""))
    return "*" in asked or f'"{etag}"' in [tag.removeprefix("W/") for tag in asked]


def unchanged(etag: str) -> HttpResponse:
    return HttpResponseNotModified(headers={"ETag": f'"{etag}"', "Cache-Control": KEEP_AND_ASK})


def whole_number(request: Request | HttpRequest, name: str, *, default: int | None = None) -> int:
    text = request.GET.get(name)
    if text is None and default is not None:
        return default
    if text is None or not WHOLE_NUMBER.fullmatch(text):
        raise InvalidParameter(_("%(name)s has to be a non-negative whole number.") % {"name": name})
    return int(text)


def uuid(request: Request | HttpRequest, name: str) -> UUID:
    text = request.GET.get(name, "")
    try:
        return UUID(text)
    except ValueError:
        raise InvalidParameter(_("%(name)s has to be a UUID.") % {"name": name}) from None
