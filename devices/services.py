"""Enrolling, rotating and revoking: the verbs behind the API, the admin and the command line."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from .models import (
    CODE_LIFETIME,
    Device,
    DeviceQuerySet,
    EnrolmentCode,
    code_digest,
    new_code,
    new_token,
    token_digest,
)

if TYPE_CHECKING:
    from .certificates import Issued  # 16 MB of cryptography, which only the command line needs


class CodeInvalid(LookupError):
    """This enrolment code is wrong, was used or has expired."""


class TokenReplaced(LookupError):
    """This token was replaced or revoked a moment ago."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A new device and its token, which nobody can read again."""

    device: Device
    token: str


def enroll(
    *, name: str, may_upload: bool = False, may_manage: bool = False, certificate: "Issued | None" = None
) -> Enrolled:
    """A new device, without a code: for the operator of the server. It may come by ``certificate`` as well."""
    token = new_token()
    device = Device.objects.create(
        name=name,
        token_hash=token_digest(token),
        may_upload=may_upload,
        may_manage=may_manage,
        certificate_fingerprint=certificate.fingerprint if certificate else None,
        certificate_expires_at=certificate.expires_at if certificate else None,
    )
    return Enrolled(device, token)


@transaction.atomic(durable=True)
def redeem(*, code: str, name: str, now: datetime | None = None) -> Enrolled:
    """A new device named ``name`` for ``code``, with the scopes of the code. Raises CodeInvalid."""
    now = now or timezone.now()
    digest = code_digest(code)
    # One conditional statement: of two terminals with one code one gets it, whatever processes they ask.
    if not EnrolmentCode.objects.redeemable(now=now).filter(code_hash=digest).update(used_at=now):
        raise CodeInvalid
    row = EnrolmentCode.objects.get(code_hash=digest)
    enrolled = enroll(name=name, may_upload=row.may_upload, may_manage=row.may_manage)
    row.device = enrolled.device
    row.save(update_fields=["device"])
    return enrolled


def make_code(*, row: EnrolmentCode, by: AbstractBaseUser | None = None, now: datetime | None = None) -> str:
    """Save the unsaved ``row``, which has the scopes, with a new code; that code, this once."""
    code = new_code()
    row.code_hash = code_digest(code)
    row.expires_at = (now or timezone.now()) + CODE_LIFETIME
    row.created_by = by  # type: ignore[assignment]  # whatever the user model is
    row.save(force_insert=True)
    return code


def rotate(*, token_hash: str) -> str:
    """A new token for the active device whose token has this digest; the old one stops at once.

    Raises TokenReplaced when another call was faster.
    """
    token = new_token()
    if not Device.objects.with_digest(token_hash).update(token_hash=token_digest(token)):
        raise TokenReplaced
    return token


def revoke(*, devices: DeviceQuerySet, now: datetime | None = None) -> int:
    """End the access of ``devices`` at once and for good; how many had access until now."""
    return devices.active().order_by().update(revoked_at=now or timezone.now())
