"""Each contract runs on the local folder and on a bucket over HTTP."""

from pathlib import Path

import pytest
from django.conf import LazySettings

from images import folder
from images.blobs import Blobs, blobs
from tests.parts import Bucket


@pytest.fixture(params=["folder", "folder of named drafts", "bucket"])
def store(
    request: pytest.FixtureRequest, settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Blobs:
    """The store that the settings name, empty."""
    if request.param == "bucket":
        use_bucket(settings, request.getfixturevalue("new_bucket"))
    else:
        settings.FILES_DIR = tmp_path / "files"
    if request.param == "folder of named drafts":  # as where the file system knows no others
        monkeypatch.setattr(folder, "NAMELESS", 0)
    return blobs()


def use_bucket(settings: LazySettings, bucket: Bucket) -> None:
    """Points the settings at ``bucket``, as its environment would."""
    from config.settings import bucket_storage

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
