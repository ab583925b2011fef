"""The studio's API: parse, one call, render."""

from functools import partial
from typing import Any, ClassVar
from uuid import UUID

import orjson
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog import filters
from catalog.transactions import run_in_transaction
from devices.identity import DeviceCaller
from refusals import InvalidParameter, Refusal
from syncing.views import DELTA_PARAMETERS, uuid, whole_number

from . import allowance, delivery, history, services
from .choice import choice
from .models import Item, Status
from .prompts import STYLES
from .serializers import (
    ChangesSerializer,
    FavoriteSerializer,
    ItemSerializer,
    PageSerializer,
    PlacingSerializer,
    StudioSerializer,
    WishSerializer,
)
from .waiting import seconds_of, wait_for

LARGEST_PAGE, USUAL_PAGE = 500, 100
LARGEST_PART, USUAL_PART = 5000, 1000
UNCACHED = {"Cache-Control": "private, no-cache"}
LISTING = filters.Listing(
    Item, filters=("status", "product"), search=("prompt", "product__name"), ordering=(), default_order=()
)
PROBLEM = OpenApiResponse(OpenApiTypes.OBJECT, description="application/problem+json")
BYTES = {
    200: OpenApiResponse(OpenApiTypes.BINARY, description="The bytes as the provider sent them."),
    206: OpenApiResponse(OpenApiTypes.BINARY, description="The range that was asked for."),
    304: OpenApiResponse(description="You have it."),
}


def problems(*statuses: int) -> dict[int, Any]:
    return dict.fromkeys((400, 401, 403, *statuses), PROBLEM)


class ProviderFailed(Refusal):
    status, code = 502, "provider_failed"
    detail = _("The provider made no picture; reason says why. The item is in the history and can be tried again.")


class WordsRefused(Refusal):
    status, code = 422, "prompt_refused"
    detail = _("The provider refuses these words or this photo; ask with other ones.")


class MayUseStudio(BasePermission):
    """Staff: its own history. What costs something, or changes a product, needs a permission (``rights``).

    Devices of scope ``history`` read the history of one manager, while that manager is active staff.
    """

    message = _("This needs a login of the staff that is permitted to.")

    def has_permission(self, request: Request, view: APIView) -> bool:
        user: Any = request.user
        if isinstance(user, DeviceCaller):
            reads = request.method in SAFE_METHODS and getattr(view, "devices_read", False)
            staff = get_user_model()._default_manager.filter(is_active=True, is_staff=True)
            return reads and user.history_of is not None and staff.filter(pk=user.history_of).exists()
        if not (user and user.is_staff):
            return False
        needed = getattr(view, "rights", {}).get(request.method)
        return needed is None or bool(user.has_perm(needed))


class StudioView(APIView):
    permission_classes = (MayUseStudio,)
    rights: ClassVar[dict[str, str]] = {}
    devices_read = False

    @property
    def owner_id(self) -> int:
        """Whose history it is."""
        user: Any = self.request.user
        if isinstance(user, DeviceCaller):
            return user.history_of or 0  # MayUseStudio saw that there is one
        return int(user.pk)

    def item(self, item_id: UUID, status: int = 200, **headers: str) -> Response:
        found = history.one(owner_id=self.owner_id, item_id=item_id)
        return Response(found, status=status, headers={**UNCACHED, **headers})


class GenerateView(StudioView):
    rights: ClassVar = {"POST": "studio.add_item"}

    @extend_schema(
        operation_id="image_generate",
        summary="Ask for a picture: of words, of a product, or a photo improved",
        request=WishSerializer,
        parameters=[
            OpenApiParameter("Prefer", str, OpenApiParameter.HEADER, description="`respond-async`, or `wait=N` (≤ 10).")
        ],
        responses={
            200: ItemSerializer,
            201: ItemSerializer,
            202: ItemSerializer,
            **problems(409, 415, 422, 429, 502, 503),
        },
    )
    def post(self, request: Request) -> Response:
        asked = WishSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        item_id, wish = asked.wish()
        if wish.product_id and not request.user.has_perm("catalog.change_product"):
            raise PermissionDenied
        now = timezone.now()
        ask = partial(services.ask_for, owner=request.user, item_id=item_id, wish=wish, now=now)
        _item, created = run_in_transaction(ask)
        if created:
            wait_for(item_id, seconds=seconds_of(request.headers.get("Prefer", "")))
        item = services.own(self.owner_id, item_id)
        if created and item.status == Status.FAILED:
            raise failure(item)
        done = 201 if item.status == Status.READY else 202
        return self.item(item_id, done if created else 200, Location=f"/api/history/{item_id}")


def failure(item: Item) -> Refusal:
    if item.error == "prompt_refused":
        return WordsRefused(id=str(item.pk))
    return ProviderFailed(reason=item.error, id=str(item.pk))


class HistoryView(StudioView):
    devices_read = True
    parameters = ("limit", "cursor", "search", "favorite", "status", "product")

    @extend_schema(
        operation_id="history_list",
        summary="Your pictures, newest first",
        parameters=[
            OpenApiParameter(
                "limit", {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": USUAL_PAGE}
            ),
            OpenApiParameter("cursor", str, description="Opaque; from `next` and `previous`."),
            OpenApiParameter("search", str, description="Words that all occur in the prompt or the product's name."),
            OpenApiParameter("favorite", bool),
            OpenApiParameter("status", str, enum=Item.Status.values),
            OpenApiParameter("product", OpenApiTypes.UUID),
        ],
        responses={200: PageSerializer, **problems()},
    )
    def get(self, request: Request) -> HttpResponse:
        query = request.query_params
        found = history.listed(
            owner_id=self.owner_id,
            condition=LISTING.chosen(dict(query.lists())) & favorites(query.get("favorite")),
            limit=filters.limit(query.get("limit"), default=USUAL_PAGE, most=LARGEST_PAGE),
            cursor=query.get("cursor"),
        )
        results = [history.wire(orjson.loads(item)) for item in found.items]
        body = {"next": self.page_url(found.next), "previous": self.page_url(found.previous), "results": results}
        return HttpResponse(orjson.dumps(body), content_type="application/json", headers=UNCACHED)

    def page_url(self, cursor: str | None) -> str | None:
        if cursor is None:
            return None
        query = self.request.query_params.copy()
        query["cursor"] = cursor
        return self.request.build_absolute_uri(f"{self.request.path}?{query.urlencode()}")


def favorites(text: str | None) -> Q:
    if text is None:
        return Q()
    if text.lower() not in filters.TRUTH:
        raise filters.invalid("favorite", _("Not a value that this can have."))
    return Q(is_favorite=filters.TRUTH[text.lower()])


class HistorySyncView(StudioView):
    devices_read = True
    parameters = DELTA_PARAMETERS

    @extend_schema(
        operation_id="history_sync",
        summary="What changed in your history since a version",
        parameters=[
            OpenApiParameter("since", int, required=True, description="The version that you have; 0 for everything."),
            OpenApiParameter("epoch", OpenApiTypes.UUID, description="The history it belongs to."),
            OpenApiParameter("limit", int, description=f"At most {LARGEST_PART}; {USUAL_PART} unless told."),
        ],
        responses={200: ChangesSerializer, **problems(410)},
    )
    def get(self, request: Request) -> HttpResponse:
        limit = whole_number(request, "limit", default=USUAL_PART)
        if not 1 <= limit <= LARGEST_PART:
            raise InvalidParameter(_("limit lies between 1 and %(largest)s.") % {"largest": LARGEST_PART})
        found = history.since(
            owner_id=self.owner_id,
            version=whole_number(request, "since"),
            epoch=uuid(request, "epoch") if "epoch" in request.query_params else None,
            limit=limit,
        )
        return HttpResponse(
            orjson.dumps({**vars(found), "owner": self.owner_id}),
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )


class ItemView(StudioView):
    devices_read = True

    @extend_schema(summary="Read one of your pictures", responses={200: ItemSerializer, **problems(404)})
    def get(self, request: Request, item_id: UUID) -> Response:
        return self.item(item_id)

    @extend_schema(
        summary="Make it a favourite, or no longer",
        request=FavoriteSerializer,
        responses={200: ItemSerializer, **problems(404, 415)},
    )
    def patch(self, request: Request, item_id: UUID) -> Response:
        asked = FavoriteSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        services.favour(owner_id=self.owner_id, item_id=item_id, is_favorite=asked.validated_data["favorite"])
        return self.item(item_id)

    @extend_schema(
        summary="Forget a picture, or cancel it",
        description="A product that shows it goes on showing it.",
        responses={204: None, **problems(404)},
    )
    def delete(self, request: Request, item_id: UUID) -> Response:
        services.forget(owner_id=self.owner_id, item_id=item_id)
        return Response(status=204)


class RetryView(StudioView):
    rights: ClassVar = {"POST": "studio.add_item"}

    @extend_schema(
        summary="Try a failed picture again", request=None, responses={202: ItemSerializer, **problems(404, 429)}
    )
    def post(self, request: Request, item_id: UUID) -> Response:
        tried = services.own(self.owner_id, item_id)
        if tried.product_id and not request.user.has_perm("catalog.change_product"):
            raise PermissionDenied
        services.retry(owner_id=self.owner_id, item_id=item_id, now=timezone.now())
        return self.item(item_id, 202)


class UseView(StudioView):
    rights: ClassVar = {"POST": "catalog.change_product", "DELETE": "catalog.change_product"}

    @extend_schema(
        summary="Put a picture on a product",
        request=PlacingSerializer,
        responses={200: ItemSerializer, **problems(404, 409, 415)},
    )
    def post(self, request: Request, item_id: UUID) -> Response:
        asked = PlacingSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        product_id = asked.validated_data["product"]
        use = partial(services.use, owner_id=self.owner_id, item_id=item_id, product_id=product_id)
        run_in_transaction(partial(use, now=timezone.now()))
        return self.item(item_id)

    @extend_schema(
        summary="Put back what the product showed before", responses={200: ItemSerializer, **problems(404, 409)}
    )
    def delete(self, request: Request, item_id: UUID) -> Response:
        run_in_transaction(partial(services.take_off, owner_id=self.owner_id, item_id=item_id))
        return self.item(item_id)


# What it refuses isn't kept by caches. A comment, since OpenAPI publishes docstrings.
class BytesView(StudioView):
    devices_read = True

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if response.status_code >= 400:
            response.headers["Cache-Control"] = "no-store"
        return super().finalize_response(request, response, *args, **kwargs)


class HeldView(BytesView):
    @extend_schema(
        operation_id="history_image",
        summary="The bytes of one of your pictures",
        responses={**BYTES, **problems(404, 416, 503)},
    )
    def get(self, request: Request, item_id: UUID) -> HttpResponseBase:
        return delivery.held(request._request, owner_id=self.owner_id, item_id=item_id)

    def head(self, request: Request, item_id: UUID) -> HttpResponseBase:
        return self.get(request, item_id)


class ObjectView(BytesView):
    parameters = ("through",)

    @extend_schema(
        operation_id="r2_image_read",
        summary="A stored original of yours",
        parameters=[
            OpenApiParameter("key", str, OpenApiParameter.PATH, description="`r2_key` of an item."),
            OpenApiParameter("through", str, enum=["app"], description="`app`: never a redirect."),
        ],
        responses={
            **BYTES,
            302: OpenApiResponse(description="The bucket has it, or it is gone from there and is still here."),
            **problems(404, 416, 503),
        },
    )
    def get(self, request: Request, key: str) -> HttpResponseBase:
        through = request.query_params.get("through")
        if through not in (None, "app"):
            raise filters.invalid("through", _("Not a value that this can have."))
        return delivery.deliver(request._request, owner_id=self.owner_id, key=key, through_app=through == "app")

    def head(self, request: Request, key: str) -> HttpResponseBase:
        return self.get(request, key)


class StudioInfoView(StudioView):
    @extend_schema(
        operation_id="studio",
        summary="Who makes pictures here, what it costs, and what is left for today",
        responses={200: StudioSerializer, **problems()},
    )
    def get(self, request: Request) -> Response:
        making, improving = choice(improving=False), choice(improving=True)
        left = allowance.left(owner_id=self.owner_id, now=timezone.now())
        info = {
            "provider": making.provider.name,
            "model": making.model,
            "edit_model": improving.model,
            "free": making.provider.free,
            "improves": improving.provider.improves,
            "price": settings.STUDIO_PRICE or None,
            "styles": list(STYLES),
            "left": {"you": left.you, "all": left.all},
            "ends_at": left.ends_at,
        }
        return Response(StudioSerializer(info).data, headers=UNCACHED)
