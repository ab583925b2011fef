"""The content security policy of the pages: what they may load and reach is ours and the bucket's.

So a text that got into a page as markup can load no script and send nothing away. The page at /terminal/ has a stricter
one of its own.
"""

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

from terminal.views import bucket_origins

ENFORCED, REPORTED = "Content-Security-Policy", "Content-Security-Policy-Report-Only"


class PolicyMiddleware(MiddlewareMixin):
    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if settings.CSP != "off" and is_page and ENFORCED not in response.headers:
            header = ENFORCED if settings.CSP == "enforce" else REPORTED
            is_admin, sends = request.path.startswith("/admin/"), request.path.endswith("/send/")
            response.headers[header] = policy(evaluates=is_admin, sends=sends)
        return response


def policy(*, evaluates: bool, sends: bool) -> str:
    """``evaluates``: the theme of the admin makes functions of the attributes of its own pages (Alpine).

    ``sends``: the page that sends photos stays open for hours, and goes wherever upload addresses lead meanwhile.
    """
    own_and_bucket = " ".join(["'self'", *bucket_origins()])
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self' 'unsafe-eval'" if evaluates else "script-src 'self'",
            "style-src 'self' 'unsafe-inline'",  # the theme's colours, Swagger, and colours in lists
            "connect-src 'self' http: https:" if sends else f"connect-src {own_and_bucket}",
            f"img-src {own_and_bucket} blob: data:",
            "font-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
