"""``/api/devices``: enrolling by code, and what a device asks about itself."""

from typing import Any, cast

from django.http import HttpRequest
from django.middleware.csrf import get_token
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from . import contacts, identity
from .authentication import IsDevice
from .models import Device
from .serializers import DeviceSerializer, EnrolledSerializer, EnrollSerializer, TokenSerializer
from .services import redeem, rotate

COOKIE_AGE = 400 * 24 * 3600  # seconds; browsers keep none longer, and `me` renews it


class EnrollView(APIView):
    """Open without login: the code is the permission."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="devices_enroll",
        summary="Enrol this terminal by its one-time code",
        request=EnrollSerializer,
        responses={
            201: EnrolledSerializer,
            400: OpenApiResponse(description="`invalid_code`, `invalid`"),
            429: OpenApiResponse(description="`throttled`, with Retry-After"),
        },
        auth=[],
    )
    def post(self, request: Request) -> Response:
        asked = EnrollSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        enrolled = redeem(
            code=asked.validated_data["code"],
            name=asked.validated_data["name"],
            address=request.META.get("REMOTE_ADDR", ""),
        )
        device = enrolled.device
        body: dict[str, Any] = {"id": device.id, "name": device.name, "scopes": device.scopes}
        if not asked.validated_data["cookie"]:
            body["token"] = enrolled.token
        response = Response(EnrolledSerializer(body).data, status=201, headers={"Cache-Control": "no-store"})
        if asked.validated_data["cookie"]:
            hand_cookies(request._request, response, token=enrolled.token)
        return response


class MeView(APIView):
    permission_classes = (IsDevice,)

    @extend_schema(operation_id="devices_me", summary="Who this device is", responses=DeviceSerializer)
    def get(self, request: Request) -> Response:
        caller = device_caller(request)
        device = Device.objects.active().filter(pk=caller.id).first()
        if device is None:
            raise identity.TokenInvalid
        heard = [at for at in (device.last_seen, contacts.last_contacts.get(device.id)) if at is not None]
        body = {
            "id": device.id,
            "name": device.name,
            "scopes": device.scopes,
            "last_seen": max(heard, default=None),
        }
        response = Response(DeviceSerializer(body).data, headers={"Cache-Control": "no-store"})
        if caller.presented == "cookie":
            hand_cookies(request._request, response, token=identity.cookie_of(request._request) or "")
        return response


class RotateView(APIView):
    permission_classes = (IsDevice,)

    @extend_schema(
        operation_id="devices_rotate",
        summary="Replace this device's token; the old one stops at once",
        description="A device with a cookie gets a new cookie and an empty object.",
        request=None,
        responses=TokenSerializer,
    )
    def post(self, request: Request) -> Response:
        caller = device_caller(request)
        token = rotate(token_hash=caller.token_hash)
        by_cookie = caller.presented == "cookie"
        body = {} if by_cookie else {"token": token}
        response = Response(TokenSerializer(body).data, headers={"Cache-Control": "no-store"})
        if by_cookie:
            hand_cookies(request._request, response, token=token)
        return response


def device_caller(request: Request) -> identity.DeviceCaller:
    """The caller of a view that has the permission IsDevice."""
    return cast(identity.DeviceCaller, request.user)


def hand_cookies(request: HttpRequest, response: Response, *, token: str) -> None:
    """The device cookie, which no script can read, and the CSRF cookie, which a page sends back to write."""
    response.set_cookie(
        identity.COOKIE,
        token,
        max_age=COOKIE_AGE,
        path="/",
        secure=request.is_secure(),
        httponly=True,
        samesite="Strict",
    )
    get_token(request)
