"""Addresses of this room."""

from django.urls import path

from . import views

urlpatterns = [
    path("terminal/", views.page, name="terminal"),
    path("terminal/app/<str:build>/<path:path>", views.file, name="terminal-file"),
    path("terminal/sw.js", views.worker, name="terminal-worker"),
    path("terminal/manifest.webmanifest", views.manifest, name="terminal-manifest"),
    path("terminal/version", views.version, name="terminal-version"),
    path("terminal/reset", views.reset, name="terminal-reset"),
]
