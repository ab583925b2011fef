"""Addresses of this room, under /api/. They come before those of images, which has /api/image/{name}."""

from django.urls import path

from . import views

urlpatterns = [
    path("image/generate", views.GenerateView.as_view()),
    path("history", views.HistoryView.as_view()),
    path("history/sync", views.HistorySyncView.as_view()),
    path("history/<uuid:item_id>", views.ItemView.as_view()),
    path("history/<uuid:item_id>/retry", views.RetryView.as_view()),
    path("history/<uuid:item_id>/use", views.UseView.as_view()),
    path("history/<uuid:item_id>/image", views.HeldView.as_view()),
    path("r2/image/<path:key>", views.ObjectView.as_view()),
    path("studio", views.StudioInfoView.as_view()),
]
