"""Addresses of this room, under /api/. The stream (sync/events) is not Django's: see stream.py."""

from django.urls import path

from . import views

urlpatterns = [
    path("sync/status", views.StatusView.as_view(), name="sync-status"),
    path("sync/<str:resource>", views.SnapshotView.as_view(), name="sync-snapshot"),
    path("sync/<str:resource>/changes", views.ChangesView.as_view(), name="sync-changes"),
]
