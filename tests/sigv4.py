"""What S3 checks of a request and moto doesn't: signature, expiry, length and checksums.

Written from the published description of Signature Version 4, not with botocore, whose work it judges.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
SKEW = timedelta(minutes=15)


class Refused(Exception):
    """S3 would answer so: an HTTP status and S3's code."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(f"{status} {code} {message}")
        self.status, self.code, self.message = status, code, message


@dataclass(frozen=True)
class Request:
    """``target`` as on the request line; names of ``headers`` in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)


@dataclass(frozen=True)
class Signed:
    """What a request says of its own signature."""

    credential: str
    headers: list[str]
    signature: str
    at: datetime
    payload: str
    expires: datetime


def verify(request: Request, *, keys: Mapping[str, str], now: datetime) -> None:
    """Raises ``Refused`` unless the holder of one of ``keys`` (id → secret) signed just this, and it is in time."""
    query = dict(request.query)
    signed = signed_query(query) if "X-Amz-Signature" in query else signed_header(request)
    if not signed.at - SKEW <= now:
        raise Refused(403, "RequestTimeTooSkewed")
    if now > signed.expires:
        raise Refused(403, "AccessDenied", "Request has expired")
    loose = [name for name in request.headers if name.startswith("x-amz-") and name not in signed.headers]
    if "host" not in signed.headers or loose:
        raise Refused(403, "AccessDenied", "There were headers present in the request which were not signed")
    key_id, _, scope = signed.credential.partition("/")
    if key_id not in keys:
        raise Refused(403, "InvalidAccessKeyId")
    if not hmac.compare_digest(signature(request, signed, scope, keys[key_id]), signed.signature):
        raise Refused(403, "SignatureDoesNotMatch")
    check_body(request, signed.payload)


def signed_query(query: Mapping[str, str]) -> Signed:
    at = moment(query.get("X-Amz-Date", ""))
    seconds = query.get("X-Amz-Expires", "")
    if query.get("X-Amz-Algorithm") != ALGORITHM or not seconds.isdecimal() or not 1 <= int(seconds) <= 604_800:
        raise Refused(400, "AuthorizationQueryParametersError")
    return Signed(
        credential=query.get("X-Amz-Credential", ""),
        headers=query.get("X-Amz-SignedHeaders", "").split(";"),
        signature=query["X-Amz-Signature"],
        at=at,
        payload=UNSIGNED,
        expires=at + timedelta(seconds=int(seconds)),
    )


def signed_header(request: Request) -> Signed:
    algorithm, _, rest = request.headers.get("authorization", "").partition(" ")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(",") if "=" in part)
    if algorithm != ALGORITHM or not {"Credential", "SignedHeaders", "Signature"} <= parts.keys():
        raise Refused(403, "AccessDenied")
    at = moment(request.headers.get("x-amz-date", ""))
    return Signed(
        credential=parts["Credential"],
        headers=parts["SignedHeaders"].split(";"),
        signature=parts["Signature"],
        at=at,
        payload=request.headers.get("x-amz-content-sha256", ""),
        expires=at + SKEW,
    )


def moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise Refused(403, "AccessDenied", "no valid date") from None


def signature(request: Request, signed: Signed, scope: str, secret: str) -> str:
    """The signature that this request has to carry, in hexadecimal."""
    pairs = sorted((encoded(k), encoded(v)) for k, v in request.query if k != "X-Amz-Signature")
    canonical = "\n".join([
        request.method,
        encoded(request.path, safe="/"),
        "&".join(f"{name}={value}" for name, value in pairs),
        *(f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in signed.headers),
        "",
        ";".join(signed.headers),
        signed.payload,
    ])  # fmt: skip
    at = signed.at.strftime("%Y%m%dT%H%M%SZ")
    to_sign = "\n".join([ALGORITHM, at, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):  # day, region, service, "aws4_request"
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, to_sign.encode(), "sha256").hex()


def encoded(text: str, *, safe: str = "") -> str:
    return quote(text, safe=f"{safe}-_.~")


def check_body(request: Request, payload: str) -> None:
    digest = hashlib.sha256(request.body)
    if payload.startswith("STREAMING-"):
        raise Refused(501, "NotImplemented")
    if payload not in (UNSIGNED, digest.hexdigest()):
        raise Refused(400, "XAmzContentSHA256Mismatch")
    declared = request.headers.get("x-amz-checksum-sha256")
    if declared is not None and declared != base64.b64encode(digest.digest()).decode():
        raise Refused(400, "BadDigest")
