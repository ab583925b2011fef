"""How the API reads JSON: strictly, and at most 2 MiB, which is more than any request needs."""

from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.utils.translation import gettext_lazy as _
from rest_framework.parsers import BaseParser

from refusals import Refusal

LARGEST_BODY = 2 * 1024 * 1024  # bytes


class JSONTooLarge(Refusal):
    status, code = 413, "too_large"
    detail = _("A JSON body has at most 2 MiB.")


class MalformedJSON(Refusal):
    status, code = 400, "malformed_json"


class JSONParser(BaseParser):
    """UTF-8 JSON as RFC 8259 has it: no NaN, no half surrogates, no bottomless nesting."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = stream.read(LARGEST_BODY + 1)
        if len(body) > LARGEST_BODY:
            raise JSONTooLarge
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise MalformedJSON(_("This is no JSON: %(error)s") % {"error": error}) from None
