"""Addresses of the whole server; each room has its own list."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from backoffice.search import search
from config.errors import errors
from studio import pages

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/search/", admin.site.admin_view(search)),  # before the theme's own
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/docs",
        SpectacularSwaggerSplitView.as_view(url_name="schema", http_method_names=["get", "head"]),
        name="docs",
    ),
    path("api/errors", errors, name="errors"),
    path("api/", include("catalog.urls")),  # asked most
    path("api/", include("devices.urls")),
    path("api/", include("syncing.urls")),
    path("api/", include("studio.urls")),  # before images, whose address of a picture would take generate for a name
    path("api/", include("images.urls")),
    path("api/", include("uploads.urls")),
    path("studio/", pages.studio, name="studio"),
    path("studio/app/<str:name>/<path:path>", pages.file),
    path("studio/sw.js", pages.worker),
    path("", include("terminal.urls")),
    path("", include("serving.urls")),
]

handler400 = "config.problems.bad_request"
handler403 = "config.problems.forbidden"
handler404 = "config.problems.not_found"
handler500 = "config.problems.server_error"
