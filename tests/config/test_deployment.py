"""deploy/nginx.conf in front of the two kinds of web process, as deploy/systemd starts them."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.config.conftest import NewServer
from tests.parts import ROOT, free_port, start
from tests.running import Listener, RunningServer

pytestmark = pytest.mark.timeout(240)

NGINX = """
daemon off; pid {folder}/nginx.pid; error_log stderr; {user}
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/redcoral.conf;
}}
"""


def unit_command(name: str) -> list[str]:
    """The command of a systemd unit, run from this checkout."""
    unit = (ROOT / "deploy" / "systemd" / f"redcoral-{name}.service").read_text()
    found = re.search(r"^ExecStart=/opt/redcoral/\.venv/bin/(.+)$", unit, re.MULTILINE)
    assert found is not None
    program, *words = shlex.split(found.group(1))
    return [str(Path(sys.executable).with_name(program)), *words]


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code < 500
    except httpx.TransportError:
        return False


@pytest.fixture
def deployed(new_server: NewServer, nginx: str, tmp_path: Path) -> Iterator[RunningServer]:
    """A server whose ``url`` is nginx; its processes were started by the units' own commands."""
    ports = {"8001": free_port(), "8002": free_port()}
    server = new_server(IMAGE_DELIVERY="accel", BEHIND=f"http://127.0.0.1:{ports['8001']}")
    conf = (ROOT / "deploy" / "nginx.conf").read_text().replace("/var/lib/redcoral", str(server.data))
    conf = conf.replace(":8001", f":{ports['8001']}").replace(":8002", f":{ports['8002']}")
    (tmp_path / "redcoral.conf").write_text(conf.replace("listen 80;", f"listen 127.0.0.1:{server.port};"))
    user = "user root;" if Path("/proc/self").owner() == "root" else ""
    (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path, user=user))
    with ExitStack() as stack:
        server.clients = stack.enter_context(ExitStack())
        server.manage("migrate", "--no-input")
        for name, port in (("web", "8001"), ("stream", "8002")):
            start(
                [word.replace(port, str(ports[port])) for word in unit_command(name)],
                ready=partial(answers, f"http://127.0.0.1:{ports[port]}/livez"),
                log=tmp_path / f"{name}.log",
                on=stack,
                seconds=60,
                cwd=ROOT,
                env=server.environment,
            )
        start(
            [nginx, "-c", tmp_path / "nginx.conf"],
            ready=partial(answers, f"{server.url}/livez"),
            log=tmp_path / "nginx.log",
            on=stack,
        )
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
    from_behind = httpx.get(f"{deployed.settings['BEHIND']}/api/image/{hash}.jpg")
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


def test_no_location_of_nginx_drops_the_headers_of_its_server() -> None:
    conf = (ROOT / "deploy" / "nginx.conf").read_text()

    assert [block for block in re.findall(r"location [^}]*\}", conf) if "proxy_set_header" in block] == []


@pytest.mark.parametrize("unit", sorted((ROOT / "deploy" / "systemd").iterdir()), ids=lambda unit: unit.stem)
def test_a_unit_starts_a_program_that_the_requirements_install(unit: Path) -> None:
    program = unit_command(unit.stem.removeprefix("redcoral-"))[0]

    assert subprocess.run([program, "--help"], capture_output=True, check=False, cwd=ROOT).returncode == 0
