"""Files of a test's own, and terminals that ask over HTTP."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from devices.services import enroll
from tests.contracts.conftest import use_bucket


@pytest.fixture(autouse=True)
def files(settings: LazySettings, tmp_path: Path) -> Path:
    """The folder of the stored files, empty."""
    settings.FILES_DIR = tmp_path / "files"
    return tmp_path / "files"


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest, settings: LazySettings, files: Path) -> str:
    """Where the files are: the test runs once with each."""
    if request.param == "bucket":
        use_bucket(settings, request.getfixturevalue("new_bucket"))
    return str(request.param)


@pytest.fixture
def terminal() -> Callable[..., Client]:
    """A client with a device token that may upload, or not."""

    def make(*, may_upload: bool) -> Client:
        token = enroll(name="Till", may_upload=may_upload).token
        return Client(headers={"Authorization": f"Bearer {token}"}, raise_request_exception=False)

    return make


@pytest.fixture
def uploader(terminal: Callable[..., Client]) -> Client:
    return terminal(may_upload=True)


@pytest.fixture
def anyone() -> Client:
    """Somebody without a token."""
    return Client(raise_request_exception=False)
