"""Which form an answer has: the one that its view has, whatever the client would accept."""

from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class AnswerWhatWeHave(DefaultContentNegotiation):
    """Never refuses by ``Accept``: the API speaks JSON, pictures are JPEG, and the type is in the answer.

    A view with several renderers (the schema: YAML and JSON) still chooses by what is asked for, if it can.
    """

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        if len(renderers) > 1:
            return super().select_renderer(request, renderers, format_suffix)
        return renderers[0], renderers[0].media_type
