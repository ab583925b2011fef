"""Each contract runs on the local folder and on a bucket over HTTP."""

from pathlib import Path

import pytest
from django.conf import LazySettings

from images.blobs import Blobs, blobs
from tests.parts import Bucket


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, settings: LazySettings, tmp_path: Path) -> Blobs:
    """The store that the settings name, empty."""
    if request.param == "folder":
        settings.FILES_DIR = tmp_path / "files"
    else:
        use_bucket(settings, request.getfixturevalue("new_bucket"))
    return blobs()


def use_bucket(settings: LazySettings, bucket: Bucket) -> None:
    """Points the settings at ``bucket``, as its environment would."""
    from config.values import bucket_storage

    for name, value in bucket.environment.items():
        setattr(settings, name, value)
    settings.STORAGES = {
        **settings.STORAGES,
        "default": bucket_storage(
            bucket=bucket.name,
            endpoint_url=bucket.endpoint_url,
            region=bucket.region,
            access_key=bucket.access_key,
            secret_key=bucket.secret_key,
        ),
    }
