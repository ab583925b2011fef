"""Addresses of this room, under /api/."""

from django.urls import path

from . import views

urlpatterns = [
    path("albums", views.AlbumsView.as_view()),
    path("albums/<uuid:album_id>", views.AlbumView.as_view()),
    path("albums/<uuid:album_id>/photos", views.AlbumPhotosView.as_view()),
    path("albums/<uuid:album_id>/reconcile", views.ReconcileView.as_view()),
    path("photos/match", views.MatchView.as_view()),
    path("photos/<uuid:photo_id>", views.PhotoView.as_view()),
    path("photos/<uuid:photo_id>/process", views.ProcessView.as_view()),
    path("uploads/<str:token>", views.UploadView.as_view(), name="upload"),
]
