"""Reading and writing the objects of a kind: one view for all kinds."""

from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import orjson
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from catalog import edits, filters, services
from catalog.edits import Author, Way
from catalog.filters import CANONICAL_ID
from catalog.keyset import page
from catalog.preconditions import Precondition, etag
from catalog.resources import Kind
from catalog.serializers.shape import values_of
from catalog.transactions import run_in_transaction
from catalog.writing import Saved
from devices.authentication import MayWriteCatalogue
from syncing import objects

from .schema import KeysetPages, RecordSchema

T = TypeVar("T")
DEFAULT_LIMIT = 100
LARGEST_LIMIT = 500
# What an answer says depends on who asks, and is asked for again each time; the ETag makes that cheap.
UNCACHED = {"Cache-Control": "private, no-cache"}


class RecordViewSet(GenericViewSet[Any]):
    """``of`` makes the view of one kind."""

    kind: Kind = None  # type: ignore[assignment]  # as_view asks for the name
    parameters: Collection[str] = ()

    permission_classes: tuple[type[BasePermission], ...] = (MayWriteCatalogue,)
    schema = RecordSchema()
    pagination_class = KeysetPages
    lookup_url_kwarg = "id"
    lookup_value_regex = "[^/]+"

    @classmethod
    def of(cls, kind: Kind, actions: dict[str, Any]) -> Callable[..., HttpResponseBase]:
        shape = cls.serializer_class or kind.shape
        parameters = kind.listing.known if actions.get("get") == "list" else ()
        objects = kind.model._default_manager.all()
        return cls.as_view(actions, kind=kind, queryset=objects, serializer_class=shape, parameters=parameters)

    def list(self, request: Request) -> HttpResponse:
        query = request.query_params
        found = page(
            self.kind.resource,
            self.get_queryset().filter(self.kind.listing.chosen(dict(query.lists()))),
            order=self.kind.listing.order(query.get("ordering")),
            limit=filters.limit(query.get("limit"), default=DEFAULT_LIMIT, most=LARGEST_LIMIT),
            cursor=query.get("cursor"),
        )
        body = {
            "next": self.page_url(found.next),
            "previous": self.page_url(found.previous),
            "results": list(map(orjson.Fragment, found.items)),
        }
        return HttpResponse(orjson.dumps(body), content_type="application/json", headers=UNCACHED)

    def create(self, request: Request) -> HttpResponse:
        return self.saved(self.written(partial(services.create, values=self.values())))

    def retrieve(self, request: Request, id: str) -> HttpResponse:
        found = objects.read(self.kind.resource, [self.object_id()])
        if not found:
            raise Http404
        body = found[0].json
        if self.precondition().is_fresh(etag(body)):
            return HttpResponse(status=304, headers={"ETag": etag(body), **UNCACHED})
        return self.answer(body)

    def update(self, request: Request, id: str) -> HttpResponse:
        write = partial(services.replace, id=self.object_id(), values=self.values())
        return self.saved(self.written(partial(write, precondition=self.precondition())))

    def partial_update(self, request: Request, id: str) -> HttpResponse:
        write = partial(services.change, id=self.object_id(), values=self.values(partial=True))
        return self.saved(self.written(partial(write, precondition=self.precondition())))

    def destroy(self, request: Request, id: str) -> HttpResponse:
        self.written(partial(services.remove, id=self.object_id(), precondition=self.precondition()))
        return HttpResponse(status=204)

    def written(self, verb: Callable[..., T]) -> T:
        """What ``verb`` returns, committed. It asks about constraints only after one was broken."""
        write = partial(verb, resource=self.kind.resource)
        return run_in_transaction(partial(write, ask=False), again=write)

    def object_id(self) -> UUID:
        """The id in the address. Raises Http404 for a text that is no id: it names no object."""
        text = self.kwargs["id"]
        if not CANONICAL_ID.match(text):
            raise Http404
        return UUID(text)

    def values(self, *, partial: bool = False) -> dict[str, Any]:
        """The body, by field; its id may repeat that of the address and is left out then."""
        values = values_of(self.get_serializer_class(), self.request.data, partial=partial)
        if "id" in self.kwargs and values.pop("id", self.object_id()) != self.object_id():
            raise exceptions.ValidationError({"id": _("The address names another object.")})
        return values

    def precondition(self) -> Precondition:
        headers = self.request.headers
        return Precondition.of(match=headers.get("If-Match"), none_match=headers.get("If-None-Match"))

    def note(self, written: Iterable[Saved]) -> None:
        """For the history in the admin, what was committed. A write that changed nothing is none."""
        user: Any = self.request.user
        author = Author(Way.API, user.get_username() if hasattr(user, "get_username") else user.name)
        done = [(one.object.id, one.changes) for one in written if one.created or one.changes]
        edits.write_behind(author, self.kind.name, done)

    def saved(self, saved: Saved) -> HttpResponse:
        self.note([saved])
        if not saved.created:
            return self.answer(saved.object.json)
        response = self.answer(saved.object.json, status=201)
        response["Location"] = reverse(f"{self.kind.name}-detail", args=[saved.object.id])
        return response

    def answer(self, body: bytes, status: int = 200) -> HttpResponse:
        headers = {"ETag": etag(body), **UNCACHED}
        return HttpResponse(body, status=status, content_type="application/json", headers=headers)

    def page_url(self, cursor: str | None) -> str | None:
        """The address of a neighbouring page: this one's, with another cursor."""
        if cursor is None:
            return None
        query = self.request.query_params.copy()
        query["cursor"] = cursor
        return self.request.build_absolute_uri(f"{self.request.path}?{query.urlencode()}")
