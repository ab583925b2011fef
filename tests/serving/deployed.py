"""A server as docs/production.md sets it up: the units' own commands behind a real nginx with deploy/nginx.conf."""

import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from string import Template
from types import MappingProxyType

import httpx

from tests.parts import ROOT, free_port, start
from tests.running import RunningServer
from tests.serving.conftest import NewServer

DEPLOY = ROOT / "deploy"
EMPTY: Mapping[str, str] = MappingProxyType({})
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log stderr; {user}
events {{ worker_connections {connections}; }}
http {{
    access_log off; {more}
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/redcoral.conf;
}}
"""


def unit_command(name: str, settings: Mapping[str, str] = EMPTY) -> list[str]:
    """The command of a systemd unit, with ``settings`` in its environment, run from this checkout.

    ``name`` of one instance of a template: ``stream@8002``.
    """
    kind, is_instance, instance = name.partition("@")
    unit = (DEPLOY / "systemd" / f"redcoral-{kind}{is_instance}.service").read_text().replace("%i", instance)
    found = re.search(r"^ExecStart=/opt/redcoral/\.venv/bin/(.+)$", unit, re.MULTILINE)
    assert found is not None
    unset = dict(re.findall(r"^Environment=(\w+)=(.+)$", unit, re.MULTILINE))
    program, *words = shlex.split(Template(found.group(1)).substitute({**unset, **settings}))
    return [str(Path(sys.executable).with_name(program)), *words]


def start_processes(new_server: NewServer, *, stack: ExitStack, **settings: str) -> RunningServer:
    """The processes for requests and for streams; ``settings["WEB"]`` and ``["STREAM"]`` have their ports."""
    ports = {"web": free_port(), "stream": free_port()}
    server = new_server(**settings, **{name.upper(): str(port) for name, port in ports.items()})
    server.clients = stack.enter_context(ExitStack())
    server.manage("migrate", "--no-input")
    for name, unit, standard in (("web", "web", "8001"), ("stream", f"stream@{ports['stream']}", "")):
        command = unit_command(unit, server.settings)
        start(
            [word.replace(standard, str(ports[name])) if standard else word for word in command],
            ready=partial(answers, f"http://127.0.0.1:{ports[name]}/livez"),
            log=server.data.with_name(f"{name}.log"),
            on=stack,
            seconds=60,
            cwd=ROOT,
            env=server.environment,
        )
    return server


def start_nginx(
    binary: str,
    server: RunningServer,
    conf: str,
    *,
    stack: ExitStack,
    folder: Path,
    more: str = "",
    connections: int = 512,
) -> None:
    """nginx in ``folder`` before ``server``; ``conf`` is a form of deploy/nginx.conf, ``more`` lies around it."""
    for standard, name in ((":8001", "WEB"), (":8002", "STREAM")):
        conf = conf.replace(standard, f":{server.settings[name]}")
    (folder / "redcoral.conf").write_text(conf.replace("/var/lib/redcoral", str(server.data)))
    shutil.copytree(DEPLOY / "snippets", folder / "snippets")
    user = "user root;" if Path("/proc/self").owner() == "root" else ""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, user=user, more=more, connections=connections))
    start(
        [binary, "-c", folder / "nginx.conf"],
        ready=lambda: (folder / "nginx.pid").exists(),
        log=folder / "nginx.log",
        on=stack,
    )


def without_tls(conf: str, *, port: int) -> str:
    """``conf`` as it says to change it for a LAN without TLS."""
    conf = re.sub(r"server \{\n    listen 80;\n.*?\n\}\n", "", conf, count=1, flags=re.DOTALL)
    conf = re.sub(r"^    ssl_.*\n", "", conf, flags=re.MULTILINE)
    return conf.replace("listen 443 ssl http2;", f"listen 127.0.0.1:{port};")


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code < 500
    except httpx.TransportError:
        return False
