"""The upload API: parse, one call, render."""

import io
from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.models import Product
from devices.authentication import MayLook, MayUpload
from devices.identity import DeviceCaller

from . import services, targets
from .matching import match
from .reconciliation import reconcile_album
from .senders import Sender, sender_of
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
    """``rights`` are the permissions of which a login needs one, by method (MayUpload).

    With the first one it sees what everybody sent, with another only its own.
    """

    permission_classes: Sequence[type[BasePermission]] = (MayUpload,)
    rights: ClassVar[dict[str, tuple[str, ...]]] = {}

    def sender(self, right: str = "") -> Sender:
        """Who asks; ``right`` is the permission to see everybody's, the first of the method's unless told."""
        method = (self.request.method or "").replace("HEAD", "GET")
        return sender_of(self.request.user, right or self.rights[method][0])


class AlbumsView(UploadsView):
    rights: ClassVar = {"POST": ("uploads.add_album", "uploads.add_photo")}

    @extend_schema(
        operation_id="albums_create",
        request=AlbumSerializer,
        responses={201: AlbumSerializer},
        summary="Make an album",
        description="The same id again gives the same album.",
    )
    def post(self, request: Request) -> Response:
        album = AlbumSerializer(data=request.data)
        album.is_valid(raise_exception=True)
        made = services.create_album(
            name=album.validated_data["name"],
            album_id=album.validated_data.get("id"),
            sender=self.sender("uploads.view_album"),
        )
        return Response(AlbumSerializer(made).data, status=201)


class AlbumView(UploadsView):
    rights: ClassVar = {"GET": ("uploads.view_album", "uploads.change_album", "uploads.add_photo")}

    @extend_schema(summary="Read an album: how many of its photos stand where", responses=AlbumSerializer)
    def get(self, request: Request, album_id: UUID) -> Response:
        return Response(AlbumSerializer(services.album(album_id=album_id, sender=self.sender())).data)


class AlbumPhotosView(UploadsView):
    rights: ClassVar = {
        "GET": ("uploads.view_photo", "uploads.change_photo", "uploads.add_photo"),
        "POST": ("uploads.add_photo",),
    }

    @extend_schema(operation_id="albums_photos_list", summary="List an album's photos", responses=AlbumPhotosSerializer)
    def get(self, request: Request, album_id: UUID) -> Response:
        photos = services.photos_of(album_id=album_id, sender=self.sender())
        return Response(AlbumPhotosSerializer({"photos": photos}).data)

    @extend_schema(
        request=DeclarationSerializer,
        responses={201: RegisteredSerializer},
        summary="Register a photo, and get the address for its bytes",
        description="The same id again gives the same photo, with a fresh upload target.",
    )
    def post(self, request: Request, album_id: UUID) -> Response:
        photo = DeclarationSerializer(data=request.data)
        photo.is_valid(raise_exception=True)
        declaration = photo.declaration()
        if declaration.product_id and not may_show_pictures(request.user):
            raise PermissionDenied
        registered = services.register_photo(
            album_id=album_id,
            photo_id=photo.validated_data["id"],
            declaration=declaration,
            now=timezone.now(),
            sender=self.sender("uploads.view_album"),
        )
        return Response(RegisteredSerializer(registered).data, status=201)


class ReconcileView(UploadsView):
    rights: ClassVar = {"POST": ("uploads.change_album", "uploads.add_photo")}

    @extend_schema(summary="Bring records and storage to agree", request=None, responses=ReconciledSerializer)
    def post(self, request: Request, album_id: UUID) -> Response:
        album = services.album(album_id=album_id, sender=self.sender())
        return Response(ReconciledSerializer(reconcile_album(album_id=album.pk, now=timezone.now())).data)


class MatchView(UploadsView):
    """What is found are products: a login needs the right to look at them as well."""

    permission_classes = (MayUpload, MayLook)
    rights: ClassVar = {"POST": ("uploads.add_photo",)}
    model = Product

    @extend_schema(request=MatchingSerializer, responses=MatchedSerializer, summary="Find products by file names")
    def post(self, request: Request) -> Response:
        asked = MatchingSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        matches = match(filenames=asked.validated_data["filenames"], ways=asked.validated_data["by"])
        return Response(MatchedSerializer({"matches": matches}).data)


class PhotoView(UploadsView):
    rights: ClassVar = {
        "GET": ("uploads.view_photo", "uploads.change_photo", "uploads.add_photo"),
        "DELETE": ("uploads.delete_photo", "uploads.add_photo"),
    }

    @extend_schema(summary="Read a photo: where it stands", responses=PhotoSerializer)
    def get(self, request: Request, photo_id: UUID) -> Response:
        return Response(PhotoSerializer(services.photo(photo_id=photo_id, sender=self.sender())).data)

    @extend_schema(responses={204: None}, summary="Forget a photo", description="An unknown id is fine.")
    def delete(self, request: Request, photo_id: UUID) -> Response:
        services.delete_photo(photo_id=photo_id, sender=self.sender())
        return Response(status=204)


class ProcessView(UploadsView):
    rights: ClassVar = {"POST": ("uploads.change_photo", "uploads.add_photo")}

    @extend_schema(summary="Process a photo that was sent", request=None, responses={202: PhotoStatusSerializer})
    def post(self, request: Request, photo_id: UUID) -> Response:
        photo = services.request_processing(photo_id=photo_id, now=timezone.now(), sender=self.sender())
        return Response(PhotoStatusSerializer(photo).data, status=202)


class UploadView(UploadsView):
    """Takes the bytes of one photo; the signature in the address is the permission."""

    authentication_classes = ()
    permission_classes = ()
    parser_classes = ()  # the body is streamed to disk

    @extend_schema(
        operation_id="uploads_put",
        summary="Send the bytes of a photo",
        auth=[],
        request={"image/*": OpenApiTypes.BINARY},
        responses={
            200: OpenApiResponse(description="Stored."),
            403: OpenApiResponse(description="`upload_denied`"),
        },
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


def may_show_pictures(user: Any) -> bool:
    """Whether a photo of ``user`` may be for a product: for a device that is in the scope ``upload``."""
    return isinstance(user, DeviceCaller) or user.has_perm("catalog.change_product")


def content_length(request: Any) -> int | None:
    length = request.META.get("CONTENT_LENGTH") or ""
    return int(length) if length.isdecimal() else None
