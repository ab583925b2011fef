"""How OpenAPI describes the objects of a kind: parameters, headers and every problem that is answered."""

from typing import Any

from django.utils.translation import override
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.pagination import BasePagination

from catalog.serializers import ProblemSerializer
from catalog.serializers.batches import published
from catalog.serializers.shape import ShapeSerializer

BAD_VALUES = "`malformed_json`, `invalid` with `errors`"
PROBLEMS = {
    "list": {400: "`invalid_parameter` with `errors`"},
    "create": {400: BAD_VALUES, 409: "`conflict`: the id is taken", 413: "`too_large`"},
    "retrieve": {404: "`not_found`"},
    "update": {
        400: BAD_VALUES,
        404: "`not_found`",
        409: "`conflict`",
        412: "`precondition_failed`",
        413: "`too_large`",
    },
    "partial_update": {
        400: BAD_VALUES,
        404: "`not_found`",
        409: "`conflict`",
        412: "`precondition_failed`",
        413: "`too_large`",
    },
    "destroy": {404: "`not_found`", 409: "`in_use`, with `by`; `conflict`", 412: "`precondition_failed`"},
    "batch": {
        400: BAD_VALUES,
        409: "`batch_refused`, with `results`; `conflict`",
        413: "`too_large`",
    },
    "verify_pin": {
        400: BAD_VALUES,
        404: "`not_found`",
        413: "`too_large`",
        429: "`throttled`, with `Retry-After`",
    },
}
ID = {"type": "string", "pattern": "^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"}  # any other text is a 404
WITH_BODY = ("create", "update", "partial_update", "batch", "verify_pin")
SUMMARIES = {
    "list": "List {many}",
    "create": "Create: {one}",
    "retrieve": "Read: {one}",
    "update": "Replace, or create under this id: {one}",
    "partial_update": "Change some fields: {one}",
    "destroy": "Delete: {one}",
    "batch": "Write up to 500 {many} at once",
    "verify_pin": "Check an employee's PIN",
}


class RecordSchema(AutoSchema):
    """For ``RecordViewSet``."""

    view: Any

    def get_operation_id(self) -> str:
        if self.view.action in ("verify_pin", "batch"):
            return f"{self.view.kind.address.replace('-', '_')}_{self.view.action}"
        return super().get_operation_id()

    def get_summary(self) -> str:
        options = self.view.kind.model._meta
        with override("en"):
            return SUMMARIES[self.view.action].format(one=options.verbose_name, many=options.verbose_name_plural)

    def get_description(self) -> str:  # type: ignore[override]  # as drf-spectacular has it
        return ""

    def get_request_serializer(self) -> Any:
        if self.view.action == "batch":
            return published(self.view.kind.shape)[0]
        return super().get_request_serializer()

    def get_response_serializers(self) -> Any:
        action, shape = self.view.action, self.view.get_serializer_class()
        good: dict[int, Any] = {
            "list": {200: shape(many=True)},
            "create": {201: shape},
            "update": {200: shape, 201: shape},
            "destroy": {204: None},
            "verify_pin": {204: None},
        }.get(action, {200: shape})
        if action == "batch":
            good = {200: published(shape)[1]}
        refusals = {401: "`not_authenticated`, `invalid_token`", 403: "`forbidden`"} | PROBLEMS[action]
        if action == "verify_pin":
            refusals[403] = "`wrong_pin`, `forbidden`"
        if action in WITH_BODY:
            refusals[415] = "`unsupported_media_type`"
        if action == "retrieve":
            good[304] = OpenApiResponse(description="You have it already.")
        return good | {
            (status, "application/problem+json"): OpenApiResponse(ProblemSerializer, description=text)
            for status, text in sorted(refusals.items())
        }

    def get_override_parameters(self) -> list[Any]:
        action = self.view.action
        if action == "list":
            return list(_list_parameters(self.view.kind.listing))
        if action == "batch":
            return []
        parameters = [_header("ETag", "Names this very representation.", response=[200, 201])]
        if action in ("create", "update"):
            parameters.append(_header("Location", "Where it lives.", response=[201]))
        if action in ("update", "partial_update", "destroy"):
            parameters.append(_header("If-Match", "Write only if the object still has this ETag, else 412."))
        if action == "retrieve":
            parameters.append(_header("If-None-Match", "304 if the object still has this ETag."))
        if action == "verify_pin":
            parameters = [_header("Retry-After", "Seconds.", response=[429])]
        if action != "create":
            parameters.append(OpenApiParameter("id", dict(ID), OpenApiParameter.PATH))
        return parameters

    def _map_basic_serializer(self, serializer: Any, direction: str) -> Any:
        schema = super()._map_basic_serializer(serializer, direction)
        if direction == "response" and isinstance(serializer, ShapeSerializer):
            schema["required"] = sorted(schema["properties"])  # what may be left out in a request is always answered
        return schema


class KeysetPages(BasePagination):
    """The envelope of a list, for the schema; ``keyset.page`` fills it."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        neighbour = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": neighbour, "previous": neighbour, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return []


def _header(name: str, description: str, response: list[int] | bool = False) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description, response=response)


def _list_parameters(listing: Any) -> Any:
    offered = sorted({"id", *listing.ordering})
    yield OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 100})
    yield OpenApiParameter("cursor", str, description="Opaque; from `next` and `previous`.")
    yield OpenApiParameter("search", str, description=f"Words that all occur in {', '.join(listing.search)}.")
    name = f"-?({'|'.join(offered)})"
    ordering = {"type": "string", "pattern": f"^({name}(,{name})*)?$"}
    yield OpenApiParameter(
        "ordering", ordering, description=f"Comma-separated, `-` for descending: {', '.join(offered)}."
    )
    for name, offer in listing.parameters.items():
        text = "Any of several, also comma-separated." if offer.splits else "Any of several."
        text += " `null`: those that have none." if offer.has_null else ""
        yield OpenApiParameter(name, {"type": "array", "items": dict(offer.schema)}, description=text)
