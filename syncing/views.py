"""``/api/sync/…``: where everything stands, everything, and what changed."""

import gzip
import re
from hashlib import sha256
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.views import APIView

from . import log, registry, snapshots
from .codings import takes_gzip
from .serializers import DeltaSerializer, SnapshotSerializer, StatusSerializer

KEEP_AND_ASK = "private, no-cache"  # it may be kept, but has to be asked about each time
DEFAULT_LIMIT = 1000
LARGEST_LIMIT = 5000
# A number that no 64-bit counter reaches is still a number: the terminal is ahead.
WHOLE_NUMBER = re.compile(r"[0-9]{1,4000}", re.ASCII)  # Python reads no more than 4,300
RESOURCE = OpenApiParameter("resource", str, OpenApiParameter.PATH, description="One of the ten names.")


class UnknownResource(APIException):
    status_code, default_code = 404, "unknown_resource"
    default_detail = _("There is no resource of this name.")


class InvalidParameter(APIException):
    status_code, default_code = 400, "invalid_parameter"


class ResyncRequired(APIException):
    status_code, default_code = 410, "resync_required"
    default_detail = _("The log can't continue from there: fetch the snapshot.")

    def __init__(self, cause: log.ResyncRequired) -> None:
        super().__init__()
        self.extra = {"epoch": str(cause.epoch), "version": cause.version, "reason": str(cause.reason)}


class StatusView(APIView):
    """Where every resource stands; the check after a reconnect."""

    @extend_schema(operation_id="sync_status", responses=StatusSerializer, tags=["sync"])
    def get(self, request: Request) -> HttpResponseBase:
        return status(request, log.heads())


class SnapshotView(APIView):
    """Every object of a resource, true at exactly ``version``."""

    @extend_schema(operation_id="sync_snapshot", parameters=[RESOURCE], responses=SnapshotSerializer, tags=["sync"])
    def get(self, request: Request, resource: str) -> HttpResponseBase:
        name = known(resource)
        etag = snapshots.current_etag(name=name)
        if is_known(request, etag):
            return unchanged(etag)
        packed = snapshots.packed(name=name, etag=etag)
        if takes_gzip(request.headers.get("Accept-Encoding", "")):
            # The same words in another coding: as an entity tag only weakly the same.
            headers = {"ETag": f'W/"{packed.etag}"', "Content-Encoding": "gzip"}
            response = HttpResponse(packed.body, content_type="application/json", headers=headers)
        else:
            body = gzip.decompress(packed.body)
            response = HttpResponse(body, content_type="application/json", headers={"ETag": f'"{packed.etag}"'})
        response["Cache-Control"] = KEEP_AND_ASK
        patch_vary_headers(response, ["Accept-Encoding"])
        snapshots.let_go_of_the_database()  # a terminal may take its time to read
        return response


class ChangesView(APIView):
    """The newest change of each object since a version."""

    @extend_schema(
        operation_id="sync_changes",
        parameters=[
            RESOURCE,
            OpenApiParameter("since", int, required=True, description="The version that the terminal has."),
            OpenApiParameter("epoch", OpenApiTypes.UUID, required=True, description="The history it belongs to."),
            OpenApiParameter("limit", int, description=f"At most {LARGEST_LIMIT}; {DEFAULT_LIMIT} unless told."),
        ],
        responses=DeltaSerializer,
        tags=["sync"],
    )
    def get(self, request: Request, resource: str) -> HttpResponseBase:
        name = known(resource)
        since = whole_number(request, "since")
        limit = whole_number(request, "limit", default=DEFAULT_LIMIT)
        if not 1 <= limit <= LARGEST_LIMIT:
            raise InvalidParameter(_("limit lies between 1 and %(largest)s.") % {"largest": LARGEST_LIMIT})
        try:
            delta = log.delta(name=name, since=since, epoch=uuid(request, "epoch"), limit=limit)
        except log.ResyncRequired as cause:
            raise ResyncRequired(cause) from None
        changes = [
            {"id": entry.id, "version": entry.version, "action": entry.action, "data": entry.data}
            for entry in delta.changes
        ]
        body = orjson.dumps(
            {
                "epoch": str(delta.epoch),
                "resource": name,
                "from": delta.since,
                "to": delta.to,
                "head": delta.head,
                "changes": changes,
            }
        )
        return HttpResponse(body, content_type="application/json", headers={"Cache-Control": "no-store"})


def status(request: Request | HttpRequest, heads: log.Heads) -> HttpResponse:
    """The answer to who asks where everything stands: at ``heads``."""
    body = orjson.dumps({"epoch": str(heads.epoch), "versions": heads.versions})
    etag = sha256(body).hexdigest()[:32]
    if is_known(request, etag):
        return unchanged(etag)
    headers = {"ETag": f'"{etag}"', "Cache-Control": KEEP_AND_ASK}
    return HttpResponse(body, content_type="application/json", headers=headers)


def is_known(request: Request | HttpRequest, etag: str) -> bool:
    """Whether ``If-None-Match`` names this tag, strongly or weakly. A read has no other precondition."""
    asked = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in asked or f'"{etag}"' in [tag.removeprefix("W/") for tag in asked]


def unchanged(etag: str) -> HttpResponse:
    return HttpResponseNotModified(headers={"ETag": f'"{etag}"', "Cache-Control": KEEP_AND_ASK})


def known(name: str) -> str:
    if name not in registry.names():
        raise UnknownResource
    return name


def whole_number(request: Request, name: str, *, default: int | None = None) -> int:
    text = request.query_params.get(name)
    if text is None and default is not None:
        return default
    if text is None or not WHOLE_NUMBER.fullmatch(text):
        raise InvalidParameter(_("%(name)s has to be a non-negative whole number.") % {"name": name})
    return int(text)


def uuid(request: Request, name: str) -> UUID:
    text = request.query_params.get(name, "")
    try:
        return UUID(text)
    except ValueError:
        raise InvalidParameter(_("%(name)s has to be a UUID.") % {"name": name}) from None
