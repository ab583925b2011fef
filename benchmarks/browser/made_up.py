"""A server that answers at once, by bodies made before, and writes a stream. For what isn't about our server."""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.parts import ROOT

CLIENT = ROOT / "clients" / "browser"
EPOCH = "0a5e1f6e-0000-4000-8000-000000000001"
CATEGORY = "7a90f5a0-0000-4000-8000-00000000000a"
PAGE = '<!doctype html><meta charset="utf-8"><title>bench</title><button>tap</button>'


def product(number: int, price: str = "3.50") -> dict[str, Any]:
    """As the server sends them, about 700 bytes."""
    return {
        "id": f"20e0f5a0-0000-4000-8000-{number:012x}",
        "name": f"Product {number}",
        "short_name": f"P{number}",
        "kitchen_name": "",
        "sku": f"SKU-{number}",
        "barcode": f"{4000000000000 + number}",
        "description": "A sentence about how it tastes, and one more about where it is from. " * 2,
        "price": price,
        "price_type": "fixed",
        "unit": "",
        "tax_rate": "10.00",
        "color": "#b0413e",
        "category": CATEGORY,
        "tags": [],
        "attributes": [],
        "print_destinations": [],
        "image": None,
        "position": number,
        "is_active": True,
        "is_sold_out": False,
        "updated_at": "2026-11-22T10:00:00.000000Z",
    }


class MadeUp:
    """``answers`` are bodies by path; ``stream(write)`` carries ``/api/sync/events``."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.files: dict[str, tuple[str, str]] = {}  # type and text
        self.stream: Callable[[Callable[[bytes], object]], None] = lambda write: time.sleep(600)

    def __enter__(self) -> Self:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        return self

    def __exit__(self, *_error: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, path: str, body: Any) -> None:
        self.answers[path] = json.dumps(body, separators=(",", ":")).encode()


def frame(event: str, id: str, data: Any) -> bytes:
    return f"id: {id}\nevent: {event}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def file_of(path: str) -> bytes | None:
    file = CLIENT / path.removeprefix("/redcoral/")
    is_ours = path.startswith("/redcoral/") and file.suffix == ".js" and file.is_file()
    return Path(file).read_bytes() if is_ours else None


def handler_of(script: MadeUp) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/api/sync/events":
                self.start("text/event-stream", {"Transfer-Encoding": "chunked"})
                try:
                    script.stream(lambda data: self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data)))
                except OSError:
                    self.close_connection = True
            elif path in script.files:
                kind, text = script.files[path]
                self.send(kind, text.encode())
            elif path == "/":
                self.send("text/html", PAGE.encode())
            elif (code := file_of(path)) is not None:
                self.send("text/javascript", code)
            else:
                missing = b'{"status": 404, "code": "not_found"}'
                body = script.answers.get(path)
                kind = "application/json" if body is not None else "application/problem+json"
                self.send(kind, missing if body is None else body, 404 if body is None else 200)

        def start(self, kind: str, headers: dict[str, str], status: int = 200) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": kind, **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def send(self, kind: str, body: bytes, status: int = 200) -> None:
            self.start(kind, {"Content-Length": str(len(body))}, status)
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    return Handler
