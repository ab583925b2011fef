"""A client of our own upload API, for scripts on this machine and others: register, PUT, process, watch.

Every step may be repeated. The ids of album and photos follow from what is sent, so a second run meets what the first
one left and does only what is missing: nothing has to be remembered on disk.
"""

import hashlib
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from uuid import UUID, uuid5

import urllib3

from .files import TYPES

NAMESPACE = UUID("3f0b7a0e-5c7c-4f0e-9d39-0f3f8f6f3a55")
TRIES = 5
PAUSE = 0.5  # seconds, between two looks at what is under way, and before the second try
LATER = {0, 408, 429, 500, 502, 503, 504}
AT_ONCE = 4
MATCHED_AT_ONCE = 500


class Refused(Exception):
    """The server said no: ``code`` is its problem's."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{detail} ({code})" if code else detail)
        self.status, self.code = status, code


class Unreachable(Exception):
    """The server didn't answer, however often it was asked."""


@dataclass(frozen=True)
class Outcome:
    """What became of one file: ``error`` is empty when its picture is ready."""

    path: Path
    error: str = ""


class Sender:
    """Sends files to the server at ``url`` with a device's ``token``."""

    def __init__(self, *, url: str, token: str) -> None:
        self.url = url
        self.headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self.http = urllib3.PoolManager(
            maxsize=AT_ONCE + 1, retries=False, timeout=urllib3.Timeout(connect=5, read=60), cert_reqs="CERT_REQUIRED"
        )

    def album(self, name: str) -> UUID:
        """The album that earlier runs made by this name, whatever it is called now, or a new one."""
        album_id = uuid5(NAMESPACE, name)
        try:
            self.ask("GET", f"/api/albums/{album_id}")
        except Refused as error:
            if error.status != 404:
                raise
            self.ask("POST", "/api/albums", {"id": str(album_id), "name": name})
        return album_id

    def products(self, paths: list[Path], *, by: list[str]) -> dict[Path, str | None]:
        """The id of the product that each file is for, told by its name."""
        found: dict[Path, str | None] = {}
        for start in range(0, len(paths), MATCHED_AT_ONCE):
            some = paths[start : start + MATCHED_AT_ONCE]
            answer = self.ask("POST", "/api/photos/match", {"filenames": [path.name for path in some], "by": by})
            products = (match["product"] for match in answer["matches"])
            found |= {path: product and product["id"] for path, product in zip(some, products, strict=True)}
        return found

    def send_all(self, album: UUID, products: dict[Path, str | None]) -> Iterator[Outcome]:
        """Sends every file for its product; yields each outcome when it is known."""
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            sending = {pool.submit(self.send, album, path, product): path for path, product in products.items()}
            under_way: dict[str, Path] = {}
            left: set[Future[str]] = set(sending)
            look = 0.0  # when the album is asked next: not after each photo, it lists all of them
            while left or under_way:
                done, left = wait(left, timeout=PAUSE, return_when=FIRST_COMPLETED)
                for future in done:
                    path = sending[future]
                    try:
                        under_way[future.result()] = path
                    except (Refused, Unreachable, OSError) as error:
                        yield Outcome(path, str(error))
                if time.monotonic() >= look:
                    yield from self.settled(album, under_way)
                    look = time.monotonic() + 2 * PAUSE
                elif not left:
                    time.sleep(PAUSE)
        finally:
            pool.shutdown(cancel_futures=True)

    def send(self, album: UUID, path: Path, product: str | None) -> str:
        """Brings one file to where a worker takes it; the photo's id. Raises Refused, Unreachable, OSError."""
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        photo_id = str(uuid5(album, f"{path.name} {digest} {product}"))
        about = {
            "id": photo_id,
            "filename": path.name,
            "content_type": TYPES[path.suffix.lower()],
            "size": len(data),
            "sha256": digest,
            "product": product,
        }
        try:
            if not self.delivered(album, about, data):
                self.clean_up(photo_id)  # it had failed, and its original is gone: anew
                self.delivered(album, about, data)
        except Refused:
            self.clean_up(photo_id)
            raise
        return photo_id

    def delivered(self, album: UUID, about: dict[str, Any], data: bytes) -> bool:
        """Registers, sends what is wanted, has it processed; False: the server lacks bytes that it doesn't take."""
        target = self.ask("POST", f"/api/albums/{album}/photos", about)["upload"]
        if target:
            self.put(target, data)
        try:
            self.ask("POST", f"/api/photos/{about['id']}/process")
        except Refused as error:
            if target or error.code != "not_uploaded":
                raise
            return False
        return True

    def put(self, target: dict[str, Any], data: bytes) -> None:
        """412: the bytes are there already."""
        url = urljoin(self.url, target["url"])
        self.persistently(lambda: self.once(target["method"], url, data, target["headers"], fine=(412,)))

    def clean_up(self, photo_id: str) -> None:
        """Takes back what can't be finished; when that fails too the server cleans up by itself."""
        try:
            self.ask("DELETE", f"/api/photos/{photo_id}")
        except (Refused, Unreachable):
            return

    def settled(self, album: UUID, under_way: dict[str, Path]) -> Iterator[Outcome]:
        """Takes those out of ``under_way`` that are ready, failed or gone."""
        if not under_way:
            return
        listed = self.ask("GET", f"/api/albums/{album}/photos")["photos"]
        known = {photo["id"]: photo for photo in listed}
        for photo_id in list(under_way):
            photo = known.get(photo_id, {"status": "failed", "error": "gone"})
            if photo["status"] in {"ready", "failed"}:
                yield Outcome(under_way.pop(photo_id), photo["error"] or "")

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The answer of the API, as JSON. Raises Refused and Unreachable."""
        data = b"" if body is None else json.dumps(body).encode()
        headers = {**self.headers, **({"Content-Type": "application/json"} if body is not None else {})}
        answer = self.persistently(lambda: self.once(method, urljoin(self.url, path), data, headers))
        return json.loads(answer) if answer else None

    def once(self, method: str, url: str, data: bytes, headers: dict[str, str], fine: Iterable[int] = ()) -> bytes:
        answer = self.http.request(method, url, body=data, headers=headers)
        if answer.status in LATER:
            raise urllib3.exceptions.ProtocolError(f"The server answered {answer.status}.")
        if answer.status >= 300 and answer.status not in fine:
            raise refused(answer.status, answer.data)
        return answer.data

    def persistently(self, work: Callable[[], bytes]) -> bytes:
        for turn in range(TRIES):
            try:
                return work()
            except urllib3.exceptions.HTTPError as error:
                if turn == TRIES - 1:
                    raise Unreachable(str(error)) from error
                time.sleep(PAUSE * 2**turn * random.uniform(0.5, 1.5))  # noqa: S311 - spreads, protects nothing
        raise AssertionError("the last try returns or raises")


def refused(status: int, body: bytes) -> Refused:
    """What a problem+json, or a bucket's XML, says."""
    try:
        problem = json.loads(body)
        wrong = "; ".join(f"{error['field']}: {error['detail']}" for error in problem.get("errors", ()))
        return Refused(status, problem["code"], wrong or problem["detail"])
    except (ValueError, KeyError, TypeError):
        return Refused(status, "", f"HTTP {status}")


def pictures_in(folder: Path) -> list[Path]:
    """The files below ``folder`` that promise to be pictures, in order."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in TYPES and path.is_file())
