"""How config/settings.py reads and makes some of its values."""

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from environs import ValidationError


def url(*schemes: str) -> Callable[[str], None]:
    """A validator: empty, or an absolute URL with one of ``schemes``."""

    def check(value: str) -> None:
        parts = urlsplit(value)
        if value and (parts.scheme not in schemes or not (parts.netloc or parts.path)):
            raise ValidationError(f"Must be a URL that starts with {' or '.join(s + '://' for s in schemes)}.")

    return check


def kept_secret(path: Path) -> str:
    """The secret in ``path``, made there (readable by the owner only) when there is none; one wins a race."""
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=".secret_key-", delete=False) as draft:
            draft.write(secrets.token_urlsafe(50))
        try:
            os.link(draft.name, path)
        except FileExistsError:
            pass  # another process was first: its secret counts
        finally:
            os.unlink(draft.name)
    return path.read_text().strip()


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
