"""Pictures come in, and terminals ask which are lacking."""

import logging
from collections.abc import Mapping
from typing import IO, Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from devices.authentication import MayUpload
from images import normalize
from images.blobs import StorageUnavailable
from images.exchange import PROBLEM, AnswerWhatWeHave, StorageSilent
from images.serializers import ImageSerializer, MissingSerializer, UploadSerializer, WantedSerializer
from images.services import add_image, missing_images

log = logging.getLogger(__name__)

MULTIPART_OVERHEAD = 64 * 1024  # bytes; boundaries, names and a few fields
FORM = "multipart/form-data"


class PictureRefused(APIException):
    """``normalize.ImageRefused`` over HTTP."""

    answers: ClassVar[Mapping[str, tuple[int, Any]]] = {
        "too_large": (413, _("The file has more than 25 MB.")),
        "too_many_pixels": (413, _("The picture has more than 50 megapixels.")),
        "unsupported_image": (415, _("The file is none of JPEG, PNG, WebP, AVIF, TIFF, BMP, GIF and HEIC.")),
        "broken_image": (422, _("The file begins like a picture, but can't be decoded.")),
    }

    def __init__(self, refusal: type[normalize.ImageRefused]) -> None:
        self.status_code, detail = self.answers[refusal.code]
        super().__init__(detail, refusal.code)


class BytesParser(BaseParser):
    """Whatever isn't a form is the picture itself."""

    media_type = "*/*"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return stream.read()


class ImagesView(APIView):
    permission_classes = (MayUpload,)
    parser_classes = (MultiPartParser, BytesParser)
    content_negotiation_class = AnswerWhatWeHave

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # Before anybody (the CSRF check is one) reads the body: more than this is never taken in.
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > normalize.MAX_BYTES + MULTIPART_OVERHEAD:
            raise PictureRefused(normalize.TooLarge)
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
        try:
            added = add_image(data=picture_in(request))
        except normalize.ImageRefused as refusal:
            raise PictureRefused(type(refusal)) from refusal
        except StorageUnavailable as error:
            log.warning("%s", error)
            raise StorageSilent from error
        code = status.HTTP_201_CREATED if added.created else status.HTTP_200_OK
        return Response(ImageSerializer(added.image).data, status=code)


class MissingView(APIView):
    permission_classes = (MayUpload,)

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


def picture_in(request: Request) -> bytes:
    """The bytes of the form's ``file``, or of the body."""
    data = request.data
    if isinstance(data, bytes):
        picture = data
    else:
        form = UploadSerializer(data=data)
        form.is_valid(raise_exception=True)
        upload = form.validated_data["file"]
        if upload.size > normalize.MAX_BYTES:
            raise PictureRefused(normalize.TooLarge)
        picture = upload.read()
    if not picture:
        raise ValidationError({"file": [_("There is no picture in the request.")]}, "required")
    return picture
