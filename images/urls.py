"""Addresses of this room, under /api/."""

from django.urls import path

from images.views import ImagesView, ImageView, MissingView

urlpatterns = [
    path("images", ImagesView.as_view(), name="images"),
    path("images/missing", MissingView.as_view(), name="images-missing"),
    path("image/<str:name>", ImageView.as_view(), name="image"),
]
