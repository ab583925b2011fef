"""Why a storage failed is in the log, once for each kind and minute, and is counted."""

import errno
import logging
import os
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from images.blobs import StorageUnavailable, blobs, reasons
from telemetry import counters
from tests.contracts.conftest import use_bucket
from tests.parts import Bucket, free_port

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def failing(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def fsync(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(StorageUnavailable):
        blobs().put("originals/one", b"bytes", content_type="image/jpeg")


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "redcoral.storage"]


def test_a_cause_is_logged_once_a_minute_for_each_kind(
    settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings.FILES_DIR = tmp_path
    caplog.set_level(logging.INFO)
    for number in (errno.ENOSPC, errno.ENOSPC, errno.ENOSPC, errno.EROFS):
        failing(monkeypatch, number)

    full, read_only = lines(caplog)
    assert full.startswith("The storage failed (full): No space left on device")
    assert read_only.startswith("The storage failed (read_only): Read-only file system")

    monkeypatch.setattr(reasons, "AGAIN_SECONDS", 0.0)
    failing(monkeypatch, errno.ENOSPC)
    assert lines(caplog)[-1].endswith("; 2 more before")


def test_every_failure_is_counted_by_its_reason(
    settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.FILES_DIR = tmp_path
    counters.write()
    counters.broker().delete(counters.KEY)
    for number in (errno.ENOSPC, errno.ENOSPC, errno.EIO):
        failing(monkeypatch, number)

    shown = Client().get("/metrics").content.decode()

    assert 'redcoral_storage_failures_total{reason="full"} 2.0' in shown
    assert 'redcoral_storage_failures_total{reason="broken"} 1.0' in shown


def test_a_bucket_that_is_not_there_is_unreachable(
    settings: LazySettings, s3: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    use_bucket(settings, Bucket(f"http://127.0.0.1:{free_port()}", "nobody"))

    with pytest.raises(StorageUnavailable) as failed:
        blobs().stat("originals/one")

    assert failed.value.kind == "unreachable"
    assert "The storage failed (unreachable): originals/one" in lines(caplog)[0]
