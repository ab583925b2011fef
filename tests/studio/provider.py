"""A provider of pictures: real HTTP in a process of its own, as strict as the real ones, which counts what reaches it.

    python -m tests.studio.provider

prints its port. It speaks OpenAI's images protocol below /v1 and Gemini's below /v1beta, and takes the key `KEY` only.
What goes wrong is in the words: a prompt with ``[cut]`` gets a connection that is cut. `went_wrong` has most of them.

- GET /count has how many POSTs came, by path; POST /reset begins anew.
- A prompt with ``[waits-60]`` is answered after 60 s, or after POST /release.
- GET /picture.jpg is the picture that answers by URL name; GET /away redirects to a private address, and
  GET /away/N so many times to the picture.
"""

import base64
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

import httpx
from PIL import Image

KEY = "sk-test-0123456789abcdef"
FIELDS = {"model", "prompt", "size", "quality", "output_format", "n"}

count: Counter[str] = Counter()
released = threading.Event()


def picture(format: str = "JPEG", **more: Any) -> bytes:
    file = BytesIO()
    Image.new("RGB", (64, 48), (180, 90, 40)).save(file, format, **more)
    return file.getvalue()


def animation() -> bytes:
    return picture("PNG", save_all=True, append_images=[Image.new("RGB", (64, 48))])


def different_photos() -> Iterator[bytes]:
    """Pictures of a megapixel with noise, 400 of them all different: one scan that is read with other tables."""
    file = BytesIO()
    Image.merge("RGB", [Image.effect_noise((1024, 1024), 40)] * 3).save(file, "JPEG", quality=90)
    table = file.getvalue().index(b"\xff\xdb") + 5
    for number in range(400):
        photo = bytearray(file.getvalue())
        photo[table + 1] += number % 20
        photo[table + 2] += number // 20
        yield bytes(photo)


photos = different_photos()


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_: object) -> None:
        return

    def do_GET(self) -> None:
        if self.path == "/count":
            self.answer(200, dict(count))
        elif self.path == "/picture.jpg":
            self.send(200, picture(), "image/jpeg")
        elif self.path == "/away":
            self.send(302, b"", "text/plain", {"Location": "http://169.254.169.254/latest/meta-data"})
        elif times := re.fullmatch(r"/away/(\d)", self.path):
            left = int(times[1]) - 1
            self.send(302, b"", "text/plain", {"Location": f"/away/{left}" if left else "/picture.jpg"})
        elif self.path == "/large":
            self.send(200, b"x" * 25_000_001, "image/jpeg")
        else:
            self.send(404, b"", "text/plain")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/reset":
            count.clear()
            released.clear()
            return self.answer(200, {})
        if self.path == "/release":
            released.set()
            return self.answer(200, {})
        count[self.path] += 1
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            return self.answer(411, {"error": {"message": "length required"}})
        if self.path.startswith("/v1/images/"):
            return self.openai(body)
        if re.fullmatch(r"/v1beta/models/[\w.-]+:generateContent", self.path):
            return self.gemini(body)
        return self.answer(404, {"error": {"message": "no such path", "code": "not_found"}})

    def openai(self, body: bytes) -> None:
        if self.headers.get("Authorization") != f"Bearer {KEY}":
            return self.problem(401, "invalid_api_key", f"Incorrect key: {self.headers.get('Authorization')}")
        edits = self.path.endswith("/edits")
        fields = self.form(body) if edits else json.loads(body)
        if fields is None:
            return self.problem(400, "invalid_image_file", "The part image isn't image/jpeg.")
        if unknown := set(fields) - FIELDS - ({"image"} if edits else set()):
            return self.problem(400, "unknown_parameter", f"Unknown parameter: {sorted(unknown)[0]}")
        if not fields.get("model") or not fields.get("prompt"):
            return self.problem(400, "missing_required_parameter", "model and prompt are required")
        if self.went_wrong(fields["prompt"]):
            return None
        word = fault(fields["prompt"])
        if word in {"moderation_blocked", "insufficient_quota", "billing_hard_limit_reached"}:
            status = 429 if word == "insufficient_quota" else 400
            return self.problem(status, word, f"No. Your key is {KEY}.")
        row: dict[str, Any] = {"b64_json": base64.b64encode(picture()).decode(), "revised_prompt": "a nice dish"}
        rows = {
            "url": [{"url": f"http://{self.headers['Host']}/picture.jpg"}],
            "away": [{"url": f"http://{self.headers['Host']}/away"}],
            "no-picture": [{"revised_prompt": "nothing"}],
            "empty": [],
            "bad-base64": [{"b64_json": "!!!!" + str(row["b64_json"])}],
            "file-url": [{"url": "file:///etc/passwd"}],
            "png": [{"b64_json": base64.b64encode(picture("PNG")).decode()}],
            "animated": [{"b64_json": base64.b64encode(animation()).decode()}],
            "too-large": [{"b64_json": "A" * 33_400_000}],
        }.get(word, [row])
        if word == "odd":  # half a character, as of a text that was cut, and numbers that no database has
            odd = b'"revised_prompt": "a dish \\ud83d", "b64_json"'
            usage = b'{"cost": 1e999, "deep": %b%b, "key": "%b"}' % (b"[" * 900, b"]" * 900, KEY.encode())
            made = json.dumps({"data": [{"b64_json": row["b64_json"]}]}).encode().replace(b'"b64_json"', odd)
            return self.send(200, made[:-1] + b', "usage": %b}' % usage, "application/json")
        if word == "photo":
            rows = [{"b64_json": base64.b64encode(next(photos)).decode()}]
        return self.answer(
            200,
            {"created": 1, "data": rows, "usage": {"total_tokens": 7, "note\0": ["a\0b"]}},
            {"x-request-id": "req_1"},
        )

    def gemini(self, body: bytes) -> None:
        if self.headers.get("x-goog-api-key") != KEY or "key=" in self.path:
            return self.answer(400, {"error": {"message": "API key not valid.", "status": "INVALID_ARGUMENT"}})
        asked = json.loads(body)
        if set(asked) - {"contents", "generationConfig", "safetySettings"}:
            return self.answer(400, {"error": {"message": "Unknown name", "status": "INVALID_ARGUMENT"}})
        if set(asked.get("generationConfig", {}).get("responseModalities", [])) != {"TEXT", "IMAGE"}:
            return self.answer(400, {"error": {"message": "This model gives both.", "status": "INVALID_ARGUMENT"}})
        parts = asked["contents"][0]["parts"]
        prompt = " ".join(part.get("text", "") for part in parts)
        if any(part["inlineData"]["mimeType"] != "image/jpeg" for part in parts if "inlineData" in part):
            return self.answer(400, {"error": {"message": "Wrong type", "status": "INVALID_ARGUMENT"}})
        if self.went_wrong(prompt):
            return None
        word = fault(prompt)
        answer: dict[str, Any] = {"responseId": "resp_1", "usageMetadata": {"totalTokenCount": 9}}
        image = {"inlineData": {"mimeType": "image/jpeg", "data": base64.b64encode(picture()).decode()}}
        made = [{"text": "Here it is."}, image]
        if word == "blocked":
            return self.answer(200, answer | {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})
        if word == "image-safety":
            return self.answer(200, answer | {"candidates": [{"finishReason": "IMAGE_SAFETY"}]})
        if word == "no-picture":
            made = [{"text": "I would rather talk about it."}]
        return self.answer(200, answer | {"candidates": [{"content": {"parts": made}, "finishReason": "STOP"}]})

    def form(self, body: bytes) -> dict[str, str] | None:
        """The fields of a multipart body; None unless one part ``image`` is a JPEG and says so."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        fields, images = {}, []
        for part in BytesParser(policy=policy.HTTP).parsebytes(head + body).iter_parts():
            name = str(part.get_param("name", header="content-disposition"))
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            if name == "image":
                images.append((part.get_content_type(), data))
            fields[name] = data.decode(errors="replace")
        good = len(images) == 1 and images[0][0] == "image/jpeg" and images[0][1].startswith(b"\xff\xd8")
        return fields if good else None

    def went_wrong(self, prompt: str) -> bool:
        """What goes wrong whatever the protocol; True when that was all of the answer."""
        word = fault(prompt)
        if word.isdecimal():
            after = {"Retry-After": "7"} if word in {"429", "503"} else {}
            where = {"Location": "http://127.0.0.1:9/"} if word == "302" else {}
            self.answer(int(word), {"error": {"message": f"status {word}", "code": "scripted"}}, after | where)
        elif word == "cut":
            self.cut()
        elif word == "cut-in-answer":
            self.start(1000)
            self.wfile.write(b'{"data": [')
            self.cut()
        elif word == "silent":
            time.sleep(20)
            self.cut()
        elif word == "dribble":
            self.start(1000)
            for _ in range(200):
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(0.1)
        elif word == "slow":
            time.sleep(0.5)
            return False
        elif word.startswith("waits-"):
            released.wait(int(word.removeprefix("waits-")))
            return False
        elif word == "malformed":
            self.send(200, b'{"data": [', "application/json")
        elif word == "not-json":
            self.send(200, b"<html>", "text/html")
        elif word == "oversized":
            self.send(200, b" " * 40_000_001, "application/json")
        else:
            return False
        return True

    def start(self, length: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.flush()

    def cut(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def problem(self, status: int, code: str, message: str) -> None:
        self.answer(status, {"error": {"message": message, "code": code, "type": "invalid_request_error"}})

    def answer(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        self.send(status, json.dumps(body).encode(), "application/json", headers)

    def send(self, status: int, data: bytes, content_type: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": content_type, "Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def fault(prompt: str) -> str:
    found = re.search(r"\[([\w-]+)\]", prompt)
    return found[1] if found else ""


class Quiet(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that leaves is no error here."""


class Running:
    """The server as a test sees it."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.openai, self.gemini = f"{self.origin}/v1", f"{self.origin}/v1beta"

    def reset(self) -> None:
        httpx.post(f"{self.origin}/reset", trust_env=False)

    def release(self) -> None:
        """Answers all that wait."""
        httpx.post(f"{self.origin}/release", trust_env=False)

    def count(self) -> int:
        """How many requests that may cost money have reached it since the last reset."""
        return sum(httpx.get(f"{self.origin}/count", trust_env=False).json().values())


@contextmanager
def running() -> Iterator[Running]:
    process = subprocess.Popen([sys.executable, "-m", "tests.studio.provider"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Running(int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


if __name__ == "__main__":
    server = Quiet(("127.0.0.1", 0), Provider)
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
