"""``/api/products`` and its nine sisters: one view for all of them, told apart by what they list."""

from functools import partial
from typing import Any, ClassVar
from uuid import UUID

import orjson
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from catalog import filters, models, serializers, services
from catalog.door import in_one_go
from catalog.filters import CANONICAL_ID, Listing
from catalog.pages import page
from catalog.preconditions import Precondition, encoded, etag
from catalog.services import Saved
from devices import throttle
from devices.authentication import MayWriteCatalogue
from syncing import registry
from syncing.registry import Resource

from .problems import WrongPin, problem_of
from .schema import KeysetPages, RecordSchema

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 500
WRONG_PINS = throttle.Limit(wrong=5, seconds=5 * 60)  # by one caller, for one employee
# What an answer says depends on who asks, and is asked for again each time; the ETag makes that cheap.
UNCACHED = {"Cache-Control": "private, no-cache"}


class RecordViewSet(GenericViewSet[Any]):
    """Reading and writing the objects of one resource."""

    permission_classes = (MayWriteCatalogue,)
    schema = RecordSchema()
    pagination_class = KeysetPages
    lookup_url_kwarg = "id"
    lookup_value_regex = "[^/]+"
    resource_name: ClassVar[str]
    listing: ClassVar[Listing]

    @property
    def resource(self) -> Resource:
        return registry.resource(self.resource_name)

    def list(self, request: Request) -> HttpResponse:
        query = request.query_params
        found = page(
            self.get_queryset().filter(self.listing.chosen(dict(query.lists()))),
            order=self.listing.order(query.get("ordering")),
            limit=filters.limit(query.get("limit"), default=DEFAULT_LIMIT, most=LARGEST_LIMIT),
            cursor=query.get("cursor"),
        )
        body = {
            "next": self.page_url(found.next),
            "previous": self.page_url(found.previous),
            "results": self.resource.read(found.ids),
        }
        return HttpResponse(orjson.dumps(body), content_type="application/json", headers=UNCACHED)

    def create(self, request: Request) -> HttpResponse:
        values = self.values()
        return self.saved(in_one_go(partial(services.create, resource=self.resource, values=values)))

    def retrieve(self, request: Request, id: str) -> HttpResponse:
        rows = self.resource.read([self.object_id()])
        if not rows:
            raise exceptions.NotFound
        body = encoded(rows[0])
        if self.precondition().is_fresh(etag(body)):
            return HttpResponse(status=304, headers={"ETag": etag(body), **UNCACHED})
        return self.answer(body)

    def update(self, request: Request, id: str) -> HttpResponse:
        write = partial(services.replace, resource=self.resource, id=self.object_id(), values=self.values())
        return self.saved(in_one_go(partial(write, precondition=self.precondition())))

    def partial_update(self, request: Request, id: str) -> HttpResponse:
        write = partial(services.change, resource=self.resource, id=self.object_id(), values=self.values(partial=True))
        return self.saved(in_one_go(partial(write, precondition=self.precondition())))

    def destroy(self, request: Request, id: str) -> HttpResponse:
        write = partial(services.remove, resource=self.resource, id=self.object_id())
        in_one_go(partial(write, precondition=self.precondition()))
        return HttpResponse(status=204)

    def object_id(self) -> UUID:
        """The id of the address. Raises NotFound: an id that can't be is the id of nothing."""
        text = self.kwargs["id"]
        if not CANONICAL_ID.match(text):
            raise exceptions.NotFound
        return UUID(text)

    def values(self, *, partial: bool = False) -> dict[str, Any]:
        """The body, by field; its id may repeat that of the address and is left out then."""
        asked = self.get_serializer(data=self.request.data, partial=partial)
        asked.is_valid(raise_exception=True)
        values: dict[str, Any] = dict(asked.validated_data)
        if "id" in self.kwargs and values.pop("id", self.object_id()) != self.object_id():
            raise exceptions.ValidationError({"id": _("The address names another object.")})
        return values

    def precondition(self) -> Precondition:
        headers = self.request.headers
        return Precondition.of(match=headers.get("If-Match"), none_match=headers.get("If-None-Match"))

    def saved(self, saved: Saved) -> HttpResponse:
        if not saved.created:
            return self.answer(encoded(saved.row))
        response = self.answer(encoded(saved.row), status=201)
        response["Location"] = reverse(f"{self.resource_name}-detail", args=[saved.row["id"]])
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

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(problem_of(exc))


class ProductViewSet(RecordViewSet):
    resource_name = "product"
    queryset = models.Product.objects.all()
    serializer_class = serializers.ProductSerializer
    listing = Listing(
        models.Product,
        filters=(
            "id",
            "category",
            "tags",
            "attributes",
            "print_destinations",
            "image",
            "sku",
            "barcode",
            "price_type",
            "is_active",
            "is_sold_out",
        ),
        search=("name", "short_name", "kitchen_name", "sku", "barcode"),
        ordering=("name", "position", "price", "sku", "barcode", "updated_at"),
        default_order=("position", "name"),
    )


class CategoryViewSet(RecordViewSet):
    resource_name = "category"
    queryset = models.Category.objects.all()
    serializer_class = serializers.CategorySerializer
    listing = Listing(
        models.Category,
        filters=("id", "parent", "print_destinations", "is_active"),
        search=("name",),
        ordering=("name", "position", "updated_at"),
        default_order=("position", "name"),
    )


class TagViewSet(RecordViewSet):
    resource_name = "tag"
    queryset = models.Tag.objects.all()
    serializer_class = serializers.TagSerializer
    listing = Listing(
        models.Tag,
        filters=("id", "kind"),
        search=("name",),
        ordering=("name", "kind", "updated_at"),
        default_order=("kind", "name"),
    )


class AttributeViewSet(RecordViewSet):
    resource_name = "attribute"
    queryset = models.Attribute.objects.all()
    serializer_class = serializers.AttributeSerializer
    listing = Listing(
        models.Attribute,
        filters=("id", "choice", "is_required"),
        search=("name",),
        ordering=("name", "position", "updated_at"),
        default_order=("position", "name"),
    )


class ZoneViewSet(RecordViewSet):
    resource_name = "zone"
    queryset = models.Zone.objects.all()
    serializer_class = serializers.ZoneSerializer
    listing = Listing(
        models.Zone,
        filters=("id",),
        search=("name",),
        ordering=("name", "position", "updated_at"),
        default_order=("position", "name"),
    )


class DiningTableViewSet(RecordViewSet):
    resource_name = "dining_table"
    queryset = models.DiningTable.objects.all()
    serializer_class = serializers.DiningTableSerializer
    listing = Listing(
        models.DiningTable,
        filters=("id", "zone", "shape", "is_active"),
        search=("name",),
        ordering=("name", "seats", "updated_at"),
        default_order=("name",),
    )


class EmployeeViewSet(RecordViewSet):
    resource_name = "employee"
    queryset = models.Employee.objects.all()
    serializer_class = serializers.EmployeeSerializer
    listing = Listing(
        models.Employee,
        filters=("id", "code", "role", "is_active"),
        search=("name", "code"),
        ordering=("name", "code", "updated_at"),
        default_order=("name",),
    )

    def verify_pin(self, request: Request, id: str) -> HttpResponse:
        """Whether this is the employee's PIN; tries are limited for each caller and employee."""
        employee_id = self.object_id()
        if not self.get_queryset().filter(pk=employee_id).exists():
            raise exceptions.NotFound
        pin = self.values()["pin"]
        key = f"pin:{type(request.user).__name__}:{request.user.pk}:{employee_id}"
        throttle.check(key=key, limit=WRONG_PINS)
        right = services.pin_is_right(employee_id=employee_id, pin=pin)  # slow on purpose, and so in no transaction
        if not throttle.attempt(lambda: right or None, key=key, limit=WRONG_PINS):
            raise WrongPin
        throttle.forgive(key=key)
        return HttpResponse(status=204)


class RoleViewSet(RecordViewSet):
    resource_name = "role"
    queryset = models.Role.objects.all()
    serializer_class = serializers.RoleSerializer
    listing = Listing(
        models.Role,
        filters=("id",),
        search=("name",),
        ordering=("name", "discount_limit", "updated_at"),
        default_order=("name",),
    )


class PriceRuleViewSet(RecordViewSet):
    resource_name = "price_rule"
    queryset = models.PriceRule.objects.all()
    serializer_class = serializers.PriceRuleSerializer
    listing = Listing(
        models.PriceRule,
        filters=(
            "id",
            "adjustment",
            "scope",
            "category",
            "tag",
            "product",
            "zone",
            "is_stackable",
            "is_active",
        ),
        search=("name",),
        ordering=("name", "priority", "updated_at"),
        default_order=("-priority", "name"),
    )


class PrintDestinationViewSet(RecordViewSet):
    resource_name = "print_destination"
    queryset = models.PrintDestination.objects.all()
    serializer_class = serializers.PrintDestinationSerializer
    listing = Listing(
        models.PrintDestination,
        filters=("id", "kind", "fallback", "is_active"),
        search=("name", "address"),
        ordering=("name", "kind", "updated_at"),
        default_order=("name",),
    )
