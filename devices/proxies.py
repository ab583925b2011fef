"""What a proxy in front of us says of its client: address, scheme and certificate."""

import hashlib
import ssl
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest

# Where a request keeps the fingerprint. No header reaches it: in META theirs are HTTP_….
FINGERPRINT = "redcoral.certificate_fingerprint"


def believe(request: HttpRequest) -> None:
    """Put what a trusted proxy says of its client in the place of what it is itself. Once, before anybody asks.

    Behind one that isn't named in ``TRUSTED_PROXIES`` all clients look like one, which is safe but coarse: wrong
    enrolment codes of one till then lock enrolment for the whole shop. Only the last address counts, which the proxy
    itself has seen; the ones before are the client's word.
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


def certificate_shown(request: HttpRequest) -> str | None:
    """The fingerprint of the client's certificate, which a trusted proxy has checked; None when there is none."""
    return request.META.get(FINGERPRINT)


def fingerprint(pem: str) -> str:
    """The SHA-256 of a certificate's DER form, in hex, as browsers show it. Raises ValueError for what is none."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
