"""Settings come from the environment alone: unset means embedded, and mistakes are named together."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config.values import machine_zone
from tests.parts import ROOT, SETTINGS

SHOWN = ("DATABASES", "EMBEDDED_VALKEY", "REDIS_URL", "SECRET_KEY", "STORAGES", "VALKEY_SOCKET")
SHOW = f"import json; from config import settings; print(json.dumps({{n: str(getattr(settings, n)) for n in {SHOWN}}}))"


def load(data: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Loads the settings in a process that sees ``environment`` and nothing else of ours."""
    unset = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", SHOW],
        cwd=ROOT,
        env={**unset, "DATA_DIR": str(data), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def loaded(data: Path, **environment: str) -> dict[str, Any]:
    done = load(data, **environment)
    assert done.returncode == 0, done.stderr
    settings: dict[str, Any] = json.loads(done.stdout)
    return settings


def test_unset_means_embedded(tmp_path: Path) -> None:
    settings = loaded(tmp_path / "data")

    assert settings["EMBEDDED_VALKEY"] == "True"
    assert settings["REDIS_URL"] == f"unix://{tmp_path}/data/valkey/valkey.sock"
    assert f"{tmp_path}/data/db.sqlite3" in settings["DATABASES"]
    assert f"{tmp_path}/data/uploads" in settings["STORAGES"]


def test_a_url_switches_a_service_on(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path / "data",
        DATABASE_URL="postgresql://pos:secret@db.example/shop",
        REDIS_URL="redis://broker.example:6380/2",
        S3_BUCKET="pictures",
        S3_ENDPOINT_URL="https://s3.example",
    )

    assert settings["EMBEDDED_VALKEY"] == "False"
    assert settings["REDIS_URL"] == "redis://broker.example:6380/2"
    assert "'config.postgresql'" in settings["DATABASES"]
    assert "'HOST': 'db.example'" in settings["DATABASES"]
    assert "storages.backends.s3.S3Storage" in settings["STORAGES"]


def test_all_mistakes_are_named_together_and_nothing_is_written(tmp_path: Path) -> None:
    done = load(
        tmp_path / "data",
        DEBUG="ture",
        PORT="eighty",
        REDIS_URL="localhost:6379",
        TIME_ZONE="Madrid",
        IMAGE_DELIVERY="ftp",
    )

    assert done.returncode != 0
    named = [line.split(":")[0].strip() for line in done.stderr.splitlines() if ": " in line]
    assert [name for name in named if name in SETTINGS] == ["DEBUG", "IMAGE_DELIVERY", "PORT", "REDIS_URL", "TIME_ZONE"]
    assert not (tmp_path / "data").exists()


def test_a_secret_key_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    first = loaded(tmp_path / "data")["SECRET_KEY"]
    second = loaded(tmp_path / "data")["SECRET_KEY"]

    assert first == second
    assert len(first) >= 50
    assert (tmp_path / "data" / "secret_key").stat().st_mode & 0o077 == 0


def test_a_deep_data_directory_gets_a_socket_that_the_kernel_accepts(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)

    settings = loaded(deep)

    assert len(os.fsencode(settings["VALKEY_SOCKET"])) <= 107
    assert settings["VALKEY_SOCKET"] != loaded(tmp_path / ("e" * 100))["VALKEY_SOCKET"]


def test_spans_are_refused_that_no_clock_and_no_bucket_takes(tmp_path: Path) -> None:
    names = ("UPLOAD_WINDOW_SECONDS", "PENDING_PHOTO_SCAN_INTERVAL_MS", "PENDING_PHOTO_MIN_AGE_MS")
    most = {name: "604800" if name == "UPLOAD_WINDOW_SECONDS" else "604800000" for name in names}
    most |= {"PENDING_PHOTO_SCAN_BATCH_SIZE": "10000", "IMAGE_GRACE_DAYS": "36500", "IMAGE_SCRUB_DAYS": "36500"}

    assert load(tmp_path / "data", **most).returncode == 0
    refused = load(tmp_path / "data", **{name: f"{value[:-1]}1" for name, value in most.items()})

    assert refused.returncode != 0
    for name in most:
        assert name in refused.stderr


@pytest.mark.parametrize(
    ("provider", "named"), [("openai", ["STUDIO_MODEL"]), ("gemini", ["STUDIO_API_KEY", "STUDIO_MODEL"])]
)
def test_a_provider_without_its_model_or_key_stops_the_start(tmp_path: Path, provider: str, named: list[str]) -> None:
    needed = {"STUDIO_MODEL": "some-model-1", "STUDIO_API_KEY": "secret"}
    assert load(tmp_path / "data", STUDIO_PROVIDER=provider, **needed).returncode == 0
    done = load(tmp_path / "data", STUDIO_PROVIDER=provider, STUDIO_OPTIONS="{}")

    assert done.returncode != 0
    assert [name for name in needed if f"{name}: " in done.stderr] == [name for name in needed if name in named]


@pytest.mark.parametrize("currency", ["euro", "eur", "XXX", "€", " "])
def test_nonsense_for_a_currency_stops_the_start(tmp_path: Path, currency: str) -> None:
    done = load(tmp_path / "data", CURRENCY=currency)

    assert done.returncode != 0
    assert "CURRENCY: Not a currency such as EUR." in done.stderr


@pytest.mark.parametrize(
    ("zone", "found"), [("Europe/Madrid", "Europe/Madrid"), (":America/Lima", "America/Lima"), ("Etc/UTC", "UTC")]
)
def test_the_time_zone_is_that_of_the_machine(monkeypatch: pytest.MonkeyPatch, zone: str, found: str) -> None:
    monkeypatch.setenv("TZ", zone)
    assert machine_zone() == found
