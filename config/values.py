"""How config/settings.py reads and makes some of its values."""

import logging
import os
import secrets
import stat
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django.core.exceptions import ImproperlyConfigured
from environs import ValidationError

# ISO 4217: the money that people pay with today.
CURRENCIES = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF
    IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD
    MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB
    RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD
    UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905 - a list of names would be four times as long
)


def whole(value: str) -> None:
    """A validator: no blank and no ``#``. A comment behind a value stays a part of it under systemd and Docker."""
    if "#" in value or any(sign.isspace() for sign in value):
        raise ValidationError("Holds a blank or a '#': a comment behind a value? Give it a line of its own.")


def url(*schemes: str) -> Callable[[str], None]:
    """A validator: empty, or an absolute URL with one of ``schemes``."""

    def check(value: str) -> None:
        parts = urlsplit(value)
        if value and (parts.scheme not in schemes or not (parts.netloc or parts.path)):
            raise ValidationError(f"Must be a URL that starts with {' or '.join(s + '://' for s in schemes)}.")

    return check


def machine_zone() -> str:
    """The time zone of this machine, by its IANA name; UTC where it doesn't say."""
    named = [os.environ.get("TZ", "").lstrip(":")]
    with suppress(OSError):
        named.append(Path("/etc/timezone").read_text().strip())
    with suppress(OSError):
        named.append(str(Path("/etc/localtime").resolve()).partition("/zoneinfo/")[2])
    found = next((name for name in named if name in available_timezones()), "UTC")
    return "UTC" if found == "Etc/UTC" else found  # as Debian has it where nobody chose one


SHORTEST_KEY = 32  # signs


def long_enough(value: str) -> None:
    """A validator: empty, or a key that nobody finds by trying."""
    if value and len(value) < SHORTEST_KEY:
        raise ValidationError(
            f"Has fewer than {SHORTEST_KEY} signs, so it could be guessed. Make one: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"
        )


def json_object(value: object) -> None:
    """A validator: JSON of names and values."""
    if not isinstance(value, dict):
        raise ValidationError('Not a JSON object such as {"size": "1024x1024"}.')


def private_folder(path: Path, *, mode: int) -> None:
    """Makes ``path`` with its parents, and gives it ``mode`` if it is ours. Raises ImproperlyConfigured."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=mode)
        if path.stat().st_uid == os.geteuid() and path.stat().st_mode & 0o777 != mode:
            path.chmod(mode)
        for file in path.iterdir() if mode & 0o077 else ():  # others come this far, and older files were for all
            if file.is_file() and file.stat().st_uid == os.geteuid() and file.stat().st_mode & 0o077:
                file.chmod(0o600)
    except OSError as error:
        raise ImproperlyConfigured(unwritable(path, error)) from None


def unwritable(path: Path, error: OSError) -> str:
    return f"The data directory {path} can't be written: {error.strerror}. Name another one in DATA_DIR, or mend it."


def short_folder(note: Path) -> Path:
    """A folder of ours alone with a short path that nobody can guess; ``note`` keeps where it is."""
    with suppress(OSError):
        kept = Path(note.read_text().strip())
        found = kept.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o077:
            return kept
    made = Path(tempfile.mkdtemp(prefix="redcoral-"))
    with tempfile.NamedTemporaryFile("w", dir=note.parent, prefix=".socket-", delete=False) as draft:
        draft.write(str(made))
    os.replace(draft.name, note)
    return made


def kept_secret(path: Path) -> str:
    """The secret in ``path``, made there (readable by the owner only) when there is none; one wins a race.

    Raises ImproperlyConfigured where nothing can be written.
    """
    try:
        if not path.exists():
            with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".secret_key-", delete=False) as draft:
                draft.write(secrets.token_urlsafe(50))
            try:
                os.link(draft.name, path)
            except FileExistsError:
                pass  # another process was first: its secret counts
            finally:
                os.unlink(draft.name)
        kept = path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(unwritable(path.parent, error)) from None
    if len(kept) < SHORTEST_KEY:
        raise ImproperlyConfigured(
            f"The key in {path} has fewer than {SHORTEST_KEY} signs. Delete it: a new one is made."
        )
    return kept


def others_than(name: str) -> Callable[[logging.LogRecord], bool]:
    """A filter for a handler: everything but what the logger ``name`` says, which has a handler of its own."""
    return lambda record: record.name != name


def bucket_storage(*, bucket: str, endpoint_url: str, region: str, access_key: str, secret_key: str) -> dict[str, Any]:
    """django-storages' entry of STORAGES for a bucket; empty keys leave it to the machine's own credentials."""
    from botocore.config import Config  # loaded only where there is a bucket

    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": endpoint_url or None,
            "region_name": region,
            "access_key": access_key or None,
            "secret_key": secret_key or None,
            "client_config": Config(
                signature_version="s3v4",  # presigned URLs default to SigV2 in us-east-1
                s3={"addressing_style": "path"},
                # R2 and others refuse the checksums that boto3 adds by itself; ours are explicit.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                connect_timeout=3,
                read_timeout=15,
                retries={"mode": "standard", "total_max_attempts": 3},
                max_pool_connections=32,
            ),
            "querystring_auth": True,
            "default_acl": None,
        },
    }
