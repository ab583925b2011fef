"""What may be wrong with a terminal, looked at one by one."""

import platform
import shutil
import sqlite3
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from ._bridge import CLOCK_TOLERANCE, Bridge
from ._configuration import Configuration, config_folder, is_open_to_others
from ._errors import PosclientError
from ._files import write_durably
from ._terminal import Terminal

DAY = 24 * 3600.0
LITTLE_ROOM = 500 * 1000**2  # bytes
SOON = 30 * DAY

Verdict = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    about: str
    verdict: Verdict
    detail: str


def examine(configuration: Configuration, token: str | None) -> list[Finding]:
    """One finding for each thing that may be wrong, the more basic first."""
    findings: list[Finding] = []
    try:
        made = configuration.bridge(token)
    except OSError as error:  # without these files nothing is asked of a server
        files = ", ".join(filter(None, (configuration.ca, configuration.certificate, configuration.key)))
        return [Finding("certificate", "failed", f"{files}: {error}")]
    with made as bridge:
        for about, look in LOOKS.items():
            try:
                findings += [Finding(about, verdict, detail) for verdict, detail in look(configuration, bridge)]
            except (PosclientError, OSError, sqlite3.Error, ValueError) as error:
                findings.append(Finding(about, "failed", str(error) or type(error).__name__))
    return findings


Found = Iterator[tuple[Verdict, str]]


def versions(configuration: Configuration, bridge: Bridge) -> Found:
    said = [f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}", ssl.OPENSSL_VERSION]
    for name in ("httpx", "httpx-sse", "h2", "redcoral-normalform", "Pillow", "simplejpeg", "pyvips"):
        try:
            said.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            said.append(f"no {name}")
    yield "ok", ", ".join(said)


def network(configuration: Configuration, bridge: Bridge) -> Found:
    began = time.monotonic()
    if bridge.is_network_available():
        yield "ok", f"{bridge.base_url} answers after {(time.monotonic() - began) * 1000:.0f} ms"
    else:
        yield "failed", f"{bridge.base_url} doesn't answer"


def clock(configuration: Configuration, bridge: Bridge) -> Found:
    bridge.request("GET", "/livez")
    offset = bridge.clock_offset
    wrong = abs(offset) > CLOCK_TOLERANCE
    yield "failed" if wrong else "ok", f"{abs(offset):.0f} s {'behind' if offset > 0 else 'ahead of'} the server's"


def device(configuration: Configuration, bridge: Bridge) -> Found:
    me = bridge.get_json("/api/devices/me")
    yield "ok", f"{me['name']} may {', '.join(me['scopes'])}"


def secret(configuration: Configuration, bridge: Bridge) -> Found:
    for path in filter(Path.exists, (config_folder() / "token", Path(configuration.key or config_folder() / "token"))):
        if is_open_to_others(path):
            yield "failed", f"others can read {path}"
            return
    yield "ok", "only its owner can read it"


def certificate(configuration: Configuration, bridge: Bridge) -> Found:
    if not configuration.certificate:
        yield "ok", "none is used"
        return
    # Private, but all that the standard library has, and only the doctor's.
    decoded = ssl._ssl._test_decode_cert(configuration.certificate)  # type: ignore[attr-defined]
    left = ssl.cert_time_to_seconds(decoded["notAfter"]) - bridge.now()
    verdict: Verdict = "failed" if left < 0 else "warning" if left < SOON else "ok"
    todo = (
        "" if verdict == "ok" else "; have a new one made (enroll_device on the server), then: posclient enroll again"
    )
    yield verdict, f"valid until {decoded['notAfter']}{todo}"


def disk(configuration: Configuration, bridge: Bridge) -> Found:
    folder = configuration.data_folder()
    folder.mkdir(parents=True, exist_ok=True)
    probe = folder / "doctor"
    write_durably(probe, b"written and read")
    if probe.read_bytes() != b"written and read":
        yield "failed", f"{folder} doesn't keep what is written"
        return
    probe.unlink()
    free = shutil.disk_usage(folder).free
    yield "warning" if free < LITTLE_ROOM else "ok", f"{free / 1000**3:.1f} GB free at {folder}"


def copies(configuration: Configuration, bridge: Bridge) -> Found:
    with Terminal(configuration.bridge(None), configuration.data_folder()) as terminal:
        versions_here = terminal.replica.versions
        usage, waiting = terminal.images.usage(), terminal.outbox.waiting()
    failed = sum(bool(photo.failed) for photo in waiting)
    yield "ok", f"{len(versions_here)} resources, {usage['count']} pictures ({usage['bytes'] / 1e6:.1f} MB)"
    yield "warning" if failed else "ok", f"{len(waiting) - failed} pictures wait to be sent, {failed} failed"


LOOKS: dict[str, Callable[[Configuration, Bridge], Found]] = {
    "versions": versions,
    "network": network,
    "clock": clock,
    "device": device,
    "token": secret,
    "certificate": certificate,
    "disk": disk,
    "copies": copies,
}
