"""``/api/errors``: docs/errors.md, with a place for each code, where the ``type`` of a problem leads."""

import re

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import escape
from django.views.decorators.http import require_safe

ROW = re.compile(r"^(\| [\d, ]+ \| )`(\w+)`", re.MULTILINE)


@require_safe
def errors(request: HttpRequest) -> HttpResponse:
    """The document as it is written. Raises Http404 where the server is without its documents."""
    try:
        text = (settings.BASE_DIR / "docs/errors.md").read_text(encoding="utf-8")
    except OSError:
        raise Http404 from None
    told: set[str] = set()

    def placed(row: re.Match[str]) -> str:
        code = row[2]
        place = "" if code in told else f' id="{code}"'
        told.add(code)
        return f"{row[1]}<b{place}>{code}</b>"

    body = ROW.sub(placed, escape(text))
    style = "pre{white-space:pre-wrap;overflow-wrap:anywhere;max-width:80em;margin:2em auto;padding:0 1em}"
    style += ":root{color-scheme:light dark}:target{background:#ff9;color:#000}"
    return HttpResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Errors</title>'
        f'<meta name="viewport" content="width=device-width">'
        f"<style>{style}</style><pre>{body}</pre>"
    )
