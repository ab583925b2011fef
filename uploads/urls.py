"""Addresses of this room, under /api/."""

from django.urls import path, register_converter
from django.urls.converters import UUIDConverter

from . import views


class IdConverter(UUIDConverter):
    """A UUID in any case: a client that chose its id in capitals asks for it by the same letters."""

    regex = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


register_converter(IdConverter, "id")

urlpatterns = [
    path("albums", views.AlbumsView.as_view()),
    path("albums/<id:album_id>", views.AlbumView.as_view()),
    path("albums/<id:album_id>/photos", views.AlbumPhotosView.as_view()),
    path("albums/<id:album_id>/reconcile", views.ReconcileView.as_view()),
    path("photos/match", views.MatchView.as_view()),
    path("photos/<id:photo_id>", views.PhotoView.as_view()),
    path("photos/<id:photo_id>/process", views.ProcessView.as_view()),
    path("uploads/<str:token>", views.UploadView.as_view(), name="upload"),
]
