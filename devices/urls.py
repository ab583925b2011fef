"""Addresses of this room, under /api/."""

from django.urls import path

from .views import EnrollView, MeView, RotateView

urlpatterns = [
    path("devices/enroll", EnrollView.as_view(), name="device-enroll"),
    path("devices/me", MeView.as_view(), name="device-me"),
    path("devices/rotate", RotateView.as_view(), name="device-rotate"),
]
