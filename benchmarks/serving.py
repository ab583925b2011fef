"""What serving a stored picture of 120 kB costs, beside Django's FileResponse and nginx's static files in one run.

``python -m benchmarks.serving`` starts each server on a loopback port, loads it from another process, and prints
medians, ratios, and whether each ratio holds its target. It needs nginx; wrk is used when it is on the PATH.
"""

import argparse
import http.client
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tqdm import tqdm

SIZE = 120_000  # bytes, about
CONNECTIONS = 8
THREADS = 8  # of each Python server, which has one process
GUNICORN = (
    f"-m gunicorn --bind 127.0.0.1:{{port}} -k gthread -w 1 --threads {THREADS} --no-control-socket --log-level warning"
)
GRANIAN = (
    "-m granian --interface wsgi --host 127.0.0.1 --port {port} --workers 1"
    f" --blocking-threads {THREADS} --log-level warning"
)
NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    default_type image/jpeg;
    sendfile on;
    keepalive_requests 1000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream redcoral {{ server 127.0.0.1:{upstream}; keepalive 32; }}
    server {{
        listen 127.0.0.1:{port};
        location /static/ {{ alias {files}/images/; }}
        location / {{ proxy_pass http://redcoral; proxy_http_version 1.1; proxy_set_header Connection ""; }}
        location /protected/ {{ internal; alias {files}/; }}
    }}
}}
"""


def plain_application() -> Any:
    """What one writes first: Django without any middleware, one view, one FileResponse. gunicorn imports it."""
    from django.conf import settings

    files = Path(os.environ["BENCHMARK_FILES"])
    settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="benchmark", MIDDLEWARE=[], ROOT_URLCONF=())  # noqa: S106
    import django
    from django.core.wsgi import get_wsgi_application
    from django.http import FileResponse, HttpRequest
    from django.urls import path

    django.setup()

    def picture(_request: HttpRequest, name: str) -> FileResponse:
        return FileResponse((files / "images" / name).open("rb"), content_type="image/jpeg")

    settings.ROOT_URLCONF = (path("api/image/<str:name>", picture),)
    return get_wsgi_application()


def least_application() -> Any:
    """The limit of a Python server: nothing but handing over bytes that it holds, or with ``X-Accel-Redirect`` none."""
    (file,) = Path(os.environ["BENCHMARK_FILES"], "images").glob("*.jpg")
    data = file.read_bytes()
    accel = bool(os.environ.get("BENCHMARK_ACCEL"))
    more = ("X-Accel-Redirect", f"/protected/images/{file.name}") if accel else ("Content-Length", str(len(data)))
    headers = [("Content-Type", "image/jpeg"), ("ETag", '"x"'), ("Cache-Control", "public, max-age=31536000"), more]
    body = [] if accel else [data]

    def application(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", list(headers))
        return body

    return application


def store_a_picture() -> str:
    """A migrated server's data with one picture of about ``SIZE`` bytes; its name."""
    import django
    import numpy as np
    from django.core.management import call_command
    from PIL import Image

    django.setup()
    call_command("migrate", verbosity=0)
    from images.services import add_image
    from normalform import encode

    noise = np.random.default_rng(1).normal(128, 40, (300, 300, 3)).clip(0, 255).astype(np.uint8)
    picture = Image.fromarray(noise).resize((800, 800), Image.Resampling.BICUBIC)
    data = min((encode(picture, quality=quality) for quality in range(50, 96)), key=lambda data: abs(len(data) - SIZE))
    return f"{add_image(data=data).image.hash}.jpg"


def get(port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{path} answered {answer.status}")
    return body


def load(port: int, path: str, seconds: float) -> float:
    """Answers a second over ``CONNECTIONS`` kept connections, by wrk or by a process of ours."""
    if wrk := shutil.which("wrk"):
        command = [wrk, "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", f"http://127.0.0.1:{port}{path}"]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        if "Non-2xx" in said or "Socket errors" in said:
            raise SystemExit(said)
        return float(re.findall(r"Requests/sec:\s+([\d.]+)", said)[0])
    command = [sys.executable, "-m", "benchmarks.serving", "--load", json.dumps([port, path, seconds])]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def load_here(port: int, path: str, seconds: float) -> float:
    """Reads as little of HTTP as it can, so that the loader isn't what is measured."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    counts = [0] * CONNECTIONS
    until = time.monotonic() + seconds

    def client(number: int) -> None:
        buffer = bytearray(1024 * 1024)
        view = memoryview(buffer)
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            while time.monotonic() < until:
                connection.sendall(request)
                have, whole = 0, 0
                while not whole or have < whole:
                    received = connection.recv_into(view[have:])
                    have += received
                    if not received:
                        raise SystemExit("a connection ended early")
                    if not whole and (end := buffer.find(b"\r\n\r\n", 0, have)) >= 0:
                        head = bytes(view[:end]).lower()
                        if not head.startswith(b"http/1.1 200"):
                            raise SystemExit(head.decode("latin-1"))
                        whole = end + 4 + int(re.findall(rb"content-length: *(\d+)", head)[0])
                counts[number] += 1

    threads = [threading.Thread(target=client, args=[number]) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


class Servers:
    """The servers that run during the benchmark; each is started once."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self.stack, self.folder = stack, folder

    def start(self, command: list[str], port: int, **environment: str) -> int:
        from tests.parts import start

        def ready() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        start(
            command,
            ready=ready,
            log=self.folder / f"{port}.log",
            on=self.stack,
            env={**os.environ, **environment},
            seconds=60,
        )
        return port

    def python(self, server: str, application: str, **environment: str) -> int:
        from tests.parts import free_port

        port = free_port()
        words = server.format(port=port).split()
        return self.start([sys.executable, *words, application], port, **environment)

    def nginx(self, files: Path, upstream: int) -> int:
        from tests.parts import free_port

        binary = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if binary is None:
            raise SystemExit("nginx is not installed (apt-get install nginx)")
        port = free_port()
        folder = self.folder / f"nginx-{port}"
        folder.mkdir()
        configuration = folder / "nginx.conf"
        configuration.write_text(NGINX.format(folder=folder, port=port, upstream=upstream, files=files))
        return self.start([binary, "-c", str(configuration), "-e", str(folder / "nginx.log")], port)


def measure(rounds: int, seconds: float) -> dict[str, list[float]]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="redcoral-bench-", dir="/tmp")))
        folder.chmod(0o755)  # nginx's worker has a user of its own
        os.environ.update(DATA_DIR=str(folder / "data"), DJANGO_SETTINGS_MODULE="config.settings")
        name = store_a_picture()
        from django.conf import settings

        files = Path(settings.FILES_DIR)
        (folder / "data").chmod(0o755)
        servers = Servers(stack, folder)
        picture = f"/api/image/{name}"
        plain, least = "benchmarks.serving:plain_application()", "benchmarks.serving:least_application"
        peer = {"BENCHMARK_FILES": str(files)}
        accel = servers.nginx(files, servers.python(GRANIAN, "config.wsgi:application", IMAGE_DELIVERY="accel"))
        # granian calls what it is given; a factory has to be named as one.
        least_accel = servers.nginx(files, servers.python(f"{GRANIAN} --factory", least, BENCHMARK_ACCEL="1", **peer))
        cases: Mapping[str, tuple[int, str]] = {
            "FileResponse, gunicorn": (servers.python(GUNICORN, plain, **peer), picture),
            "app, gunicorn": (servers.python(GUNICORN, "config.wsgi:application"), picture),
            "the least there can be, gunicorn": (servers.python(GUNICORN, f"{least}()", **peer), picture),
            "app, granian": (servers.python(GRANIAN, "config.wsgi:application"), picture),
            "the least there can be, granian": (servers.python(f"{GRANIAN} --factory", least, **peer), picture),
            "accel, nginx before granian": (accel, picture),
            "the least there can be, nginx before granian": (least_accel, picture),
            "static, nginx": (accel, f"/static/{name}"),
        }
        bodies = {get(port, path) for port, path in cases.values()}
        assert len(bodies) == 1, "all of them serve the same bytes"
        print(f"A picture of {len(bodies.pop()):,} bytes.")
        found: dict[str, list[float]] = {case: [] for case in cases}
        for port, path in cases.values():
            load(port, path, 1)
        for _ in tqdm(range(rounds), desc="serving", leave=False):
            for case, (port, path) in cases.items():
                found[case].append(load(port, path, seconds))
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--load", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.load:
        print(load_here(*json.loads(arguments.load)))
        return
    middle = {case: statistics.median(rates) for case, rates in measure(arguments.rounds, arguments.seconds).items()}
    print("\n| way | answers/s |\n|---|---|")
    for case, rate in middle.items():
        print(f"| {case} | {rate:,.0f} |")
    plain = middle["FileResponse, gunicorn"]
    print("\n| ratio | measured | target | |\n|---|---|---|---|")
    for name, ratio, target in (
        ("app (granian) / FileResponse (gunicorn)", middle["app, granian"] / plain, 2.0),
        ("app (gunicorn) / FileResponse (gunicorn)", middle["app, gunicorn"] / plain, 2.0),
        ("accel / static", middle["accel, nginx before granian"] / middle["static, nginx"], 0.2),
    ):
        print(f"| {name} | {ratio:.3g} | ≥ {target:g} | {'holds' if ratio >= target else 'MISSED'} |")


if __name__ == "__main__":
    main()
