"""What the views of this room share: how they read ``Accept``, and the errors of both."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse
from rest_framework.exceptions import APIException
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

PROBLEM = OpenApiResponse(OpenApiTypes.OBJECT, description="application/problem+json")


class StorageSilent(APIException):
    status_code = 503
    default_code = "storage_unavailable"
    default_detail = _("The storage doesn't answer; try again.")
    headers: ClassVar[Mapping[str, str]] = {"Retry-After": "2", "Cache-Control": "no-store"}


class AnswerWhatWeHave(DefaultContentNegotiation):
    """``Accept: image/jpeg`` is no reason to refuse: pictures aren't rendered by DRF, and errors are JSON anyway."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return renderers[0], renderers[0].media_type
