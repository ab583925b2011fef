"""Pictures are added; terminals ask which of their images the server lacks, and read those that it has."""

import re
from collections.abc import Mapping
from typing import IO, Any, ClassVar

from django.conf import settings
from django.http import HttpResponse, UnreadablePostError
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from devices.authentication import MayRead, MayUpload
from images.blobs import HASH_PATTERN, SUFFIXES, WIDTHS
from images.delivery import Derivative, ImageNotFound, deliver
from images.models import Image
from images.normalize import PictureRefused
from images.serializers import ImageSerializer, MissingSerializer, UploadSerializer, WantedSerializer
from images.services import add_image, missing_images
from normalform import MAX_BYTES
from refusals import InvalidParameter

NAME = re.compile(rf"\A({HASH_PATTERN})\.jpg\Z")
MULTIPART_OVERHEAD = 64 * 1024  # bytes; boundaries, names and a few fields
FORM = "multipart/form-data"
PROBLEM = OpenApiResponse(OpenApiTypes.OBJECT, description="application/problem+json")


class BytesParser(BaseParser):
    """Whatever isn't a form is the picture itself."""

    media_type = "*/*"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        return stream.read()


class ImagesView(APIView):
    permission_classes = (MayUpload,)
    rights: ClassVar = {"POST": ("images.add_image",)}
    parser_classes = (MultiPartParser, BytesParser)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # Before anybody (the CSRF check is one) reads the body: more than this is never taken in.
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > MAX_BYTES + MULTIPART_OVERHEAD:
            raise PictureRefused("too_large")
        super().initial(request, *args, **kwargs)

    @extend_schema(
        operation_id="images_add",
        tags=["images"],
        summary="Add a picture",
        request={FORM: UploadSerializer, "image/*": OpenApiTypes.BINARY},
        responses={
            201: ImageSerializer,
            200: ImageSerializer,
            **dict.fromkeys((400, 401, 403, 413, 415, 422, 503), PROBLEM),
        },
    )
    def post(self, request: Request) -> Response:
        added = add_image(data=picture_in(request))
        code = status.HTTP_201_CREATED if added.created else status.HTTP_200_OK
        return Response(ImageSerializer(added.image).data, status=code)


class MissingView(APIView):
    permission_classes = (MayUpload,)
    rights: ClassVar = {"POST": ("images.add_image", "images.view_image")}

    @extend_schema(
        operation_id="images_missing",
        tags=["images"],
        summary="Which of these pictures does the server lack? The others it keeps for a while longer.",
        request=WantedSerializer,
        responses={200: MissingSerializer, **dict.fromkeys((400, 401, 403), PROBLEM)},
    )
    def post(self, request: Request) -> Response:
        wanted = WantedSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        return Response({"missing": missing_images(hashes=wanted.validated_data["hashes"])})


class ImageView(APIView):
    parameters = ("w", "format")
    http_method_names = ["get", "head", "options"]

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [] if settings.IMAGES_PUBLIC else super().get_authenticators()

    def get_permissions(self) -> list[BasePermission]:
        return [] if settings.IMAGES_PUBLIC else [MayRead()]

    @extend_schema(
        operation_id="image_read",
        tags=["images"],
        summary="A stored picture, or a narrower copy of it",
        parameters=[
            OpenApiParameter("name", str, OpenApiParameter.PATH, description="`{hash}.jpg`"),
            OpenApiParameter(
                "w", int, description="The width of a narrower copy; never wider than the picture.", enum=WIDTHS
            ),
            OpenApiParameter(
                "format", str, description="Of a narrower copy: `jpeg` unless told otherwise.", enum=tuple(SUFFIXES)
            ),
        ],
        auth=[],
        responses={
            (200, "image/jpeg"): OpenApiTypes.BINARY,
            (200, "image/webp"): OpenApiTypes.BINARY,
            (206, "image/jpeg"): OpenApiTypes.BINARY,
            302: OpenApiResponse(description="The bucket has it (IMAGE_DELIVERY=redirect)."),
            304: OpenApiResponse(description="You have it."),
            **dict.fromkeys((400, 404, 416, 503), PROBLEM),
        },
    )
    def get(self, request: Request, name: str) -> HttpResponse:
        derivative = asked_derivative(request)
        found = NAME.match(name)
        image = Image.objects.usable().filter(pk=found[1]).first() if found else None
        if image is None:
            raise ImageNotFound
        return deliver(request._request, image, derivative if derivative and derivative.width < image.width else None)

    def head(self, request: Request, name: str) -> HttpResponse:
        return self.get(request, name)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if response.status_code >= 400:  # the picture is for ever, a mistake isn't
            response.headers["Cache-Control"] = "no-store"
        return super().finalize_response(request, response, *args, **kwargs)


def asked_derivative(request: Request) -> Derivative | None:
    widths, formats = request.query_params.getlist("w"), request.query_params.getlist("format")
    if formats and (len(formats) > 1 or formats[0] not in SUFFIXES or not widths):
        raise InvalidParameter(_("format is jpeg or webp, and needs w."))
    if not widths:
        return None
    if len(widths) > 1 or widths[0] not in {str(width) for width in WIDTHS}:
        raise InvalidParameter(_("w is one of 160, 320, 640 and 1280."))
    return Derivative(int(widths[0]), *formats)


def picture_in(request: Request) -> bytes:
    """The bytes of the form's ``file``, or of the body."""
    try:
        data: Any = request.data
    except UnreadablePostError as error:
        raise ParseError(_("The body ended too early.")) from error
    if isinstance(data, bytes):
        picture = data
    else:
        form = UploadSerializer(data=data)
        form.is_valid(raise_exception=True)
        upload = form.validated_data["file"]
        if upload.size > MAX_BYTES:
            raise PictureRefused("too_large")
        picture = upload.read()
    if not picture:
        raise ValidationError({"file": [_("There is no picture in the request.")]}, "required")
    return picture
