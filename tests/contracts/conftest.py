"""Each contract runs on the local folder and on buckets over HTTP: moto's and SeaweedFS's."""

from pathlib import Path

import pytest
from django.conf import LazySettings

from images.blobs import Blobs, blobs
from tests.parts import Bucket


@pytest.fixture(params=["folder", "bucket", "seaweedfs"])
def store(request: pytest.FixtureRequest, settings: LazySettings, tmp_path: Path) -> Blobs:
    """The store that the settings name, empty."""
    if request.param == "folder":
        settings.FILES_DIR = tmp_path / "files"
    elif request.param == "bucket":
        use_bucket(settings, request.getfixturevalue("new_bucket"))
    else:
        bucket = request.getfixturevalue("seaweedfs")
        for key in [*bucket.keys(), "redcoral-storage"]:
            bucket.client().delete_object(Bucket=bucket.name, Key=key)
        use_bucket(settings, bucket)
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
