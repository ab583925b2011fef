"""Servers are stopped in their own ways; none of them loses the contacts that it still had in memory."""

import os
import signal
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from devices.models import Device
from devices.services import enroll
from tests.parts import ROOT, end, free_port, shared_environment, start

UVICORN = ["uvicorn", "config.asgi:application"]
GRANIAN = ["granian", "--interface=wsgi", "config.wsgi:application"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("server", [UVICORN, GRANIAN], ids=["uvicorn", "granian"])
def test_a_server_that_is_told_to_stop_writes_its_contacts_first(server: list[str]) -> None:
    token = enroll(name="Till 1").token
    port = free_port()
    headers = {"Authorization": f"Bearer {token}"}

    def answers() -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{port}/api/devices/me", headers=headers).is_success
        except httpx.TransportError:
            return False

    with ExitStack() as stack:
        process = start(
            [sys.executable, "-m", *server, f"--port={port}"],
            ready=answers,
            log=Path(os.environ["DATA_DIR"]) / f"{server[0]}.log",
            on=stack,
            cwd=ROOT,
            env=shared_environment(),
        )
        assert Device.objects.get().last_seen is None  # else this test would not be about the stop

        end(process, signal.SIGTERM)

    assert Device.objects.get().last_seen is not None
