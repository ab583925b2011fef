"""The upload API: parse, one call, render."""

import io
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from devices.authentication import MayUpload

from . import services, targets
from .matching import match
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


class UploadsView(APIView):
    permission_classes: Sequence[type[BasePermission]] = (MayUpload,)


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
