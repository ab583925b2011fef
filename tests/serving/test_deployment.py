"""deploy/nginx.conf in front of the two kinds of web process, as deploy/systemd starts them."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import httpx
import psutil
import pytest
from PIL import Image

from tests.parts import ROOT, free_port, start, wait_until
from tests.running import Listener, RunningServer, is_alive
from tests.serving.conftest import NewServer
from tests.serving.deployed import DEPLOY, answers, start_nginx, start_processes, unit_command, without_tls

pytestmark = [pytest.mark.timeout(240), pytest.mark.any_database]


@pytest.fixture
def deployed(new_server: NewServer, nginx: str, tmp_path: Path) -> Iterator[RunningServer]:
    """A server whose ``url`` is nginx; its processes were started by the units' own commands."""
    with ExitStack() as stack:
        server = start_processes(new_server, stack=stack, IMAGE_DELIVERY="accel", STREAM_PROCESSES="2")
        conf = without_tls((DEPLOY / "nginx.conf").read_text(), port=server.port)
        start_nginx(nginx, server, conf, stack=stack, folder=tmp_path)
        wait_until(lambda: answers(f"{server.url}/livez"), what="nginx")
        yield server


def test_nginx_divides_requests_streams_and_pictures(deployed: RunningServer) -> None:
    office = deployed.device("Office", "--upload", "--manage")
    picture = BytesIO()
    Image.new("RGB", (40, 30), "teal").save(picture, "PNG")

    with Listener(office) as listener:
        listener.first(lambda frame: frame.event == "hello", seconds=10)
        tag = office.post("/api/tags", json={"name": "Vegan"}).raise_for_status().json()
        heard = listener.first(lambda frame: frame.event == "sync", seconds=10)
    added = office.post("/api/images", content=picture.getvalue(), headers={"Content-Type": "image/png"})
    hash = added.raise_for_status().json()["hash"]
    big = BytesIO()
    Image.linear_gradient("L").save(big, "JPEG")
    wide = office.post("/api/images", files={"file": big.getvalue()}).raise_for_status().json()["hash"]
    answer = httpx.get(f"{deployed.url}/api/image/{hash}.jpg")
    from_behind = httpx.get(f"http://127.0.0.1:{deployed.settings['WEB']}/api/image/{hash}.jpg")
    part = httpx.get(f"{deployed.url}/api/image/{hash}.jpg", headers={"Range": "bytes=2-9", "If-Range": f'"{hash}"'})
    none = httpx.get(f"{deployed.url}/api/image/{hash}.jpg", headers={"Range": "bytes=9999999-"})
    head = httpx.head(f"{deployed.url}/api/image/{hash}.jpg")
    webp = httpx.get(f"{deployed.url}/api/image/{wide}.jpg?w=160&format=webp")
    revalidated = httpx.get(f"{deployed.url}/api/image/{hash}.jpg", headers={"If-None-Match": f'"{hash}"'})

    assert heard.data["data"] == tag
    assert sha256(answer.raise_for_status().content).hexdigest() == hash
    assert answer.headers["etag"] == f'"{hash}"'
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["accept-ranges"] == "bytes"
    assert revalidated.status_code == 304
    assert (part.status_code, part.content) == (206, answer.content[2:10])
    assert (none.status_code, none.headers["cache-control"]) == (416, "no-store")
    assert (head.headers["content-length"], head.headers["etag"]) == (str(len(answer.content)), f'"{hash}"')
    assert (webp.headers["content-type"], webp.content[8:12]) == ("image/webp", b"WEBP")
    assert webp.headers["etag"] == f'"{wide}-160-webp"'
    assert (from_behind.content, from_behind.headers["x-accel-redirect"]) == (b"", f"/protected/images/{hash}.jpg")
    assert httpx.get(f"{deployed.url}/protected/images/{hash}.jpg").status_code == 404


def test_nginx_slows_down_who_guesses(deployed: RunningServer) -> None:
    guesses = [httpx.post(f"{deployed.url}/admin/login/", data={"username": "x"}) for _ in range(30)]
    pages = [httpx.get(f"{deployed.url}/admin/login/") for _ in range(30)]

    assert {answer.status_code for answer in guesses} == {403, 429}  # Django misses the CSRF token
    (refused, *_) = [answer for answer in guesses if answer.status_code == 429]
    assert (refused.json()["code"], refused.headers["content-type"]) == ("throttled", "application/problem+json")
    assert refused.headers["retry-after"]
    assert {answer.status_code for answer in pages} == {200}


def test_units_let_nobody_else_read_what_they_write() -> None:
    for unit in (DEPLOY / "systemd").iterdir():
        lines = unit.read_text().splitlines()
        for line in ("UMask=0077", "StateDirectoryMode=0711", "NoNewPrivileges=yes", "ProtectSystem=strict"):
            assert line in lines, unit.name


def test_no_request_fails_when_a_request_worker_dies_or_all_are_replaced(new_server: NewServer, tmp_path: Path) -> None:
    server = new_server()
    server.manage("migrate", "--no-input")
    with ExitStack() as stack:
        master = start(
            [word.replace("8001", str(server.port)) for word in unit_command("web")],
            ready=lambda: answers(f"{server.url}/livez"),
            log=tmp_path / "web.log",
            on=stack,
            seconds=60,
            cwd=ROOT,
            env=server.environment,
        )

        def workers() -> set[int]:
            return {child.pid for child in psutil.Process(master.pid).children() if is_alive(child)}

        log = tmp_path / "web.log"
        wait_until(lambda: log.read_text().count("Started worker-") == 2, seconds=60, what="two workers")

        def ask_until_replaced(before: set[int], number: int) -> int:
            """How many requests failed until ``number`` workers are others than before, and there are two again."""
            over, failed, asked = time.monotonic() + 60, 0, 0
            while asked < 50 or len(workers() - before) != number or len(workers()) != 2:
                assert time.monotonic() < over, f"{workers()} after {before}"
                asked += 1
                # What a worker had taken when it died is lost with it: nginx asks another, once, and so does this.
                failed += not (answers(f"{server.url}/livez") or answers(f"{server.url}/livez"))
            return failed

        before = workers()
        dead = psutil.Process(min(before))
        dead.kill()
        wait_until(lambda: not is_alive(dead), what="the end of a worker")
        assert ask_until_replaced(before, 1) == 0

        before = workers()
        assert "\nExecReload=/bin/kill -HUP $MAINPID\n" in (DEPLOY / "systemd" / "redcoral-web.service").read_text()
        os.kill(master.pid, signal.SIGHUP)
        assert ask_until_replaced(before, 2) == 0


@pytest.mark.parametrize("name", ["stream@{port}", "worker"])
def test_each_line_of_a_process_is_an_object_where_that_is_wanted(
    new_server: NewServer, tmp_path: Path, name: str
) -> None:
    nobody = f"redis://127.0.0.1:{free_port()}"  # a worker says that it doesn't reach it
    server = new_server(LOG_FORMAT="json", REDIS_URL=nobody, STREAM_PROCESSES="1", PYTHONWARNINGS="ignore")
    log = tmp_path / "log"
    with ExitStack() as stack:
        start(
            unit_command(name.format(port=server.port), server.settings),
            ready=lambda: "\n" in log.read_text(),
            log=log,
            on=stack,
            seconds=60,
            cwd=ROOT,
            env=server.environment,
        )
        lines = [json.loads(line) for line in log.read_text().rpartition("\n")[0].splitlines() if line]

    assert lines
    assert all({"at", "level", "logger", "message", "request_id"} <= line.keys() for line in lines)


def test_every_location_that_passes_requests_on_includes_the_one_list_of_headers() -> None:
    conf = (DEPLOY / "nginx.conf").read_text()
    passing = [block for block in re.findall(r"location [^}]*\}", conf) if "proxy_pass" in block]

    assert len(passing) == conf.count("proxy_pass") == 2
    assert [block for block in passing if "include snippets/redcoral-proxy.conf;" not in block] == []
    assert "proxy_set_header" not in conf


@pytest.mark.parametrize("unit", sorted((DEPLOY / "systemd").iterdir()), ids=lambda unit: unit.stem)
def test_a_unit_starts_a_program_that_the_requirements_install(unit: Path) -> None:
    program = unit_command(unit.stem.removeprefix("redcoral-"))[0]

    assert subprocess.run([program, "--help"], capture_output=True, check=False, cwd=ROOT).returncode == 0


SERVICES = {"postgresql.service", "valkey.service", "valkey-server.service", "redis-server.service"}


@pytest.mark.parametrize("name", ["migrate", "web", "stream@", "worker", "beat"])
def test_a_unit_comes_after_the_services_and_ends_before_them_whatever_they_are_called(name: str) -> None:
    """Else a power-off waits for a broker that is gone already."""
    lines = (DEPLOY / "systemd" / f"redcoral-{name}.service").read_text().splitlines()
    after = {word for line in lines if line.startswith("After=") for word in line.removeprefix("After=").split()}

    assert after >= SERVICES
    assert name == "migrate" or {"Requires=redcoral-migrate.service", "After=redcoral-migrate.service"} <= set(lines)
    assert ("Type=oneshot" in lines) == (name == "migrate")


def test_whatever_migrates_refuses_a_second_machine_with_a_disk_of_its_own() -> None:
    for name in ("systemd/redcoral-migrate.service", "compose.yaml"):
        first, then = re.findall(r"manage\.py (migrate|check_storage) --[a-z-]+", (DEPLOY / name).read_text())
        assert (first, then) == ("migrate", "check_storage"), name


def test_a_box_that_is_restarted_is_asked_again_within_seconds() -> None:
    servers = re.findall(r"^\s+server [\d.]+:\d+(.*);$", (DEPLOY / "nginx.conf").read_text(), re.MULTILINE)

    assert len(servers) == 2
    assert set(servers) == {" max_fails=2 fail_timeout=2s"}
