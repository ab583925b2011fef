"""The upload API: parse, one call, render."""

import io
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from devices.authentication import MayUpload
from images.blobs import StorageUnavailable

from . import services, targets
from .matching import match
from .models import Photo
from .reconciliation import reconcile_album
from .serializers import (
    AlbumPhotosSerializer,
    AlbumSerializer,
    DeclarationSerializer,
    MatchedSerializer,
    MatchingSerializer,
    PhotoSerializer,
    PhotoStatusSerializer,
    ReconciledSerializer,
    RegisteredSerializer,
)


class Conflict(APIException):
    status_code = 409
    default_code = "conflict"
    default_detail = _("This id belongs to a photo with other data.")


class AlbumConflict(Conflict):
    default_detail = _("This id belongs to an album of another name.")


class AlbumFull(APIException):
    status_code = 409
    default_code = "album_full"
    default_detail = _("This album holds as many photos as an album can; make another.")


class NotUploaded(APIException):
    status_code = 409
    default_code = "not_uploaded"
    default_detail = _("The photo's bytes aren't there; upload them first.")


class StorageCannotSay(APIException):
    status_code = 503
    default_code = "storage_unavailable"
    default_detail = _("The storage doesn't answer; try again in a moment.")
    headers = {"Retry-After": "5"}


class UploadDenied(APIException):
    status_code = 403
    default_code = "upload_denied"
    default_detail = _("This upload address was altered, or is none of ours.")


class UploadExpired(APIException):
    status_code = 403
    default_code = "upload_expired"
    default_detail = _("This upload address has expired; register the photo again for a new one.")


class AlreadyUploaded(APIException):
    status_code = 412
    default_code = "already_uploaded"
    default_detail = _("The bytes of this photo are there already; go on with process.")


class TooLarge(APIException):
    status_code = 413
    default_code = "too_large"
    default_detail = _("More bytes came than were declared.")


class SizeMismatch(APIException):
    status_code = 422
    default_code = "size_mismatch"
    default_detail = _("Fewer bytes came than were declared.")


class ChecksumMismatch(APIException):
    status_code = 422
    default_code = "checksum_mismatch"
    default_detail = _("The bytes that came don't have the SHA-256 that was declared.")


class TypeMismatch(APIException):
    status_code = 422
    default_code = "type_mismatch"
    default_detail = _("The content type isn't the one that was declared.")


class ProductUnknown(ValidationError):
    def __init__(self) -> None:
        super().__init__({"product": [_("There is no such product.")]}, code="unknown_product")


PROBLEMS: dict[type[Exception], type[APIException]] = {
    services.AlbumUnknown: NotFound,
    services.PhotoUnknown: NotFound,
    Photo.DoesNotExist: NotFound,  # deleted while its bytes came
    services.ProductUnknown: ProductUnknown,
    services.PhotoDiffers: Conflict,
    services.AlbumDiffers: AlbumConflict,
    services.AlbumFull: AlbumFull,
    services.NotUploaded: NotUploaded,
    StorageUnavailable: StorageCannotSay,
    targets.UploadDenied: UploadDenied,
    targets.UploadExpired: UploadExpired,
    targets.AlreadyUploaded: AlreadyUploaded,
    targets.UploadTooLong: TooLarge,
    targets.UploadTooShort: SizeMismatch,
    targets.UploadDamaged: ChecksumMismatch,
    targets.UploadOfOtherType: TypeMismatch,
}


class UploadsView(APIView):
    permission_classes: Sequence[type[BasePermission]] = (MayUpload,)

    def handle_exception(self, exc: Exception) -> Response:
        problem = next((PROBLEMS[kind] for kind in type(exc).mro() if kind in PROBLEMS), None)
        return super().handle_exception(problem() if problem else exc)


class AlbumsView(UploadsView):
    @extend_schema(
        operation_id="albums_create",
        request=AlbumSerializer,
        responses={201: AlbumSerializer},
        description="Make an album. The same id again gives the same album.",
    )
    def post(self, request: Request) -> Response:
        album = AlbumSerializer(data=request.data)
        album.is_valid(raise_exception=True)
        made = services.create_album(name=album.validated_data["name"], album_id=album.validated_data.get("id"))
        return Response(AlbumSerializer(made).data, status=201)


class AlbumView(UploadsView):
    @extend_schema(responses=AlbumSerializer)
    def get(self, request: Request, album_id: UUID) -> Response:
        return Response(AlbumSerializer(services.album(album_id=album_id)).data)


class AlbumPhotosView(UploadsView):
    @extend_schema(operation_id="albums_photos_list", responses=AlbumPhotosSerializer)
    def get(self, request: Request, album_id: UUID) -> Response:
        photos = services.photos_of(album_id=album_id)
        return Response(AlbumPhotosSerializer({"photos": photos}).data)

    @extend_schema(
        request=DeclarationSerializer,
        responses={201: RegisteredSerializer},
        description="Register a photo. The same id again gives the same photo, with a fresh upload target.",
    )
    def post(self, request: Request, album_id: UUID) -> Response:
        photo = DeclarationSerializer(data=request.data)
        photo.is_valid(raise_exception=True)
        registered = services.register_photo(
            album_id=album_id,
            photo_id=photo.validated_data["id"],
            declaration=photo.declaration(),
            now=timezone.now(),
        )
        return Response(RegisteredSerializer(registered).data, status=201)


class ReconcileView(UploadsView):
    @extend_schema(request=None, responses=ReconciledSerializer)
    def post(self, request: Request, album_id: UUID) -> Response:
        album = services.album(album_id=album_id)
        return Response(ReconciledSerializer(reconcile_album(album_id=album.pk, now=timezone.now())).data)


class MatchView(UploadsView):
    @extend_schema(request=MatchingSerializer, responses=MatchedSerializer, description="Find products by file names.")
    def post(self, request: Request) -> Response:
        asked = MatchingSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        matches = match(filenames=asked.validated_data["filenames"], ways=asked.validated_data["by"])
        return Response(MatchedSerializer({"matches": matches}).data)


class PhotoView(UploadsView):
    @extend_schema(responses=PhotoSerializer)
    def get(self, request: Request, photo_id: UUID) -> Response:
        return Response(PhotoSerializer(services.photo(photo_id=photo_id)).data)

    @extend_schema(responses={204: None}, description="Clean up. An unknown id is fine.")
    def delete(self, request: Request, photo_id: UUID) -> Response:
        services.delete_photo(photo_id=photo_id)
        return Response(status=204)


class ProcessView(UploadsView):
    @extend_schema(request=None, responses={202: PhotoStatusSerializer})
    def post(self, request: Request, photo_id: UUID) -> Response:
        photo = services.request_processing(photo_id=photo_id, now=timezone.now())
        return Response(PhotoStatusSerializer(photo).data, status=202)


class UploadView(UploadsView):
    """Takes the bytes of one photo; the signature in the address is the permission."""

    authentication_classes = ()
    permission_classes = ()
    parser_classes = ()  # the body is streamed to disk

    @extend_schema(
        operation_id="uploads_put",
        auth=[],
        request={"image/*": OpenApiTypes.BINARY},
        responses={200: OpenApiResponse(description="Stored.")},
    )
    def put(self, request: Request, token: str) -> Response:
        photo_id = targets.photo_of(token, now=timezone.now())
        targets.receive(
            photo=services.photo(photo_id=photo_id),
            stream=request.stream or io.BytesIO(),
            length=content_length(request),
            content_type=request.META.get("CONTENT_TYPE", ""),
        )
        return Response(status=200)


def content_length(request: Any) -> int | None:
    length = request.META.get("CONTENT_LENGTH") or ""
    return int(length) if length.isdecimal() else None
