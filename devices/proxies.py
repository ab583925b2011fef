"""What a proxy in front of the server says about its client: address, scheme and certificate."""

import hashlib
import ssl
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest

# What one of these is in came through a proxy, whatever address it has.
PASSED_ON = {
    *("HTTP_FORWARDED", "HTTP_VIA", "HTTP_X_REAL_IP"),
    *("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_SERVER"),
}
# Where META keeps the fingerprint. No header can set it: the names of headers begin with HTTP_ there.
FINGERPRINT = "redcoral.certificate_fingerprint"


def believe(request: HttpRequest) -> None:
    """Replace what the request says about the proxy by what a trusted proxy says about its client. Call it once, first.

    Behind a proxy that isn't named in ``TRUSTED_PROXIES`` all clients have its address. That is safe but coarse: wrong
    enrolment codes from one terminal then stop enrolment for the whole shop. Only the last forwarded address counts,
    which the proxy itself has seen; the ones before it are the client's word.
    """
    said = request.META
    if said.get("REMOTE_ADDR") not in settings.TRUSTED_PROXIES:
        return
    with suppress(ValueError):
        said["REMOTE_ADDR"] = str(ip_address(said.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()))
    if said.get("HTTP_X_FORWARDED_PROTO") in ("http", "https"):
        said["wsgi.url_scheme"] = said["HTTP_X_FORWARDED_PROTO"]
    # "SUCCESS" and the certificate in PEM, escaped as a URL is; or why there is none.
    verdict, _space, escaped = said.get("HTTP_CLIENTCERTIFICATE", "").partition(" ")
    if verdict == "SUCCESS":
        with suppress(ValueError):
            said[FINGERPRINT] = fingerprint(unquote(escaped))


def is_from_here(request: HttpRequest) -> bool:
    """Whether the client is on this machine itself, and not behind a proxy on it."""
    if PASSED_ON & request.META.keys():
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def certificate_shown(request: HttpRequest) -> str | None:
    """The fingerprint of the client's certificate, which a trusted proxy has verified; None without a certificate."""
    return request.META.get(FINGERPRINT)


def fingerprint(pem: str) -> str:
    """The SHA-256 of a certificate's DER form, in hex, as browsers show it. Raises ValueError for other text."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
