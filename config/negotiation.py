"""Which form an answer has: the one that its view has, whatever the client would accept."""

from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

ASKED = "redcoral_asked"  # the attribute of Django's request that holds REST framework's


class AnswerWhatWeHave(DefaultContentNegotiation):
    """Never refuses by ``Accept``: the API speaks JSON, pictures are JPEG, and the type is in the answer.

    A view with several renderers (the schema: YAML and JSON) still chooses by what is asked for, if it can. This is the
    one place that every view of the API comes by, so Django's request learns here what is to be let go with it.
    """

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        setattr(request._request, ASKED, request)
        if len(renderers) > 1:
            return super().select_renderer(request, renderers, format_suffix)
        return renderers[0], renderers[0].media_type
