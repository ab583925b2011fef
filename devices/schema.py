"""The ways in which a caller shows who it is, for the OpenAPI schema."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from .identity import COOKIE


class DeviceScheme(OpenApiAuthenticationExtension):
    target_class = "devices.authentication.DeviceAuthentication"
    name = ["deviceToken", "deviceCookie"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]  # either, not both

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return [
            {
                "type": "http",
                "scheme": "bearer",
                "description": "The token that enrolment answered. A client certificate does instead, behind nginx.",
            },
            {
                "type": "apiKey",
                "in": "cookie",
                "name": COOKIE,
                "description": "Enrolment with `cookie: true` sets it. Writes need the X-CSRFToken header.",
            },
        ]


class StaffScheme(OpenApiAuthenticationExtension):
    target_class = "devices.authentication.StaffAuthentication"
    name = "staffSession"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": settings.SESSION_COOKIE_NAME,
            "description": "A login in admin. Writes need the X-CSRFToken header.",
        }
