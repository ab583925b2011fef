"""nchan: nginx's module for server-sent events, in C. It reads no log and knows no versions."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

from .shop import Shop, answers

MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
PACKAGE = "libnginx-mod-nchan"
# One process, as ours is one. The reserved memory is for messages, of which it keeps the last one.
CONFIGURATION = """
load_module {module};
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr crit; worker_rlimit_nofile 20000;
events {{ worker_connections 16000; }}
http {{
    access_log off; nchan_shared_memory_size 32m;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        keepalive_requests 1000000;
        location = /livez {{ return 200; }}
        location = /api/sync/events {{
            nchan_subscriber eventsource; nchan_channel_id all; nchan_subscriber_first_message newest;
        }}
        location = /publish {{ nchan_publisher; nchan_channel_id all; nchan_message_buffer_length 1; }}
    }}
}}
"""
# As long as a change of a zone on our stream.
DATA = b"y" * 460


def binary() -> str | None:
    """nginx, when its module is there."""
    return shutil.which("nginx", path="/usr/sbin:/usr/bin") if MODULE.exists() else None


@contextmanager
def serving(shop: Shop) -> Iterator[tuple[str, int, Callable[[], None]]]:
    """The address and pid of a running one, and what publishes a change to all of its streams."""
    from tests.parts import free_port, start

    port, folder = free_port(), shop.folder / "nchan"
    folder.mkdir(exist_ok=True)
    (folder / "nginx.conf").write_text(CONFIGURATION.format(module=MODULE, folder=folder, port=port))
    with ExitStack() as stack:
        process = start(
            [str(binary()), "-c", folder / "nginx.conf"],
            ready=lambda: answers(port),
            log=folder / "nginx.log",
            on=stack,
        )
        publisher = HTTPConnection("127.0.0.1", port)
        stack.callback(publisher.close)

        def publish() -> None:
            publisher.request("POST", "/publish", DATA, {"X-EventSource-Event": "sync"})
            publisher.getresponse().read()

        yield f"http://127.0.0.1:{port}", process.pid, publish
