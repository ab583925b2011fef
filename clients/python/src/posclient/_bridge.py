"""How this terminal reaches its server: over HTTPS, through the server's own folder, or not at all.

Longer than most: the modes, the clock and all connections end together when a bridge is closed, so they are one class.
"""

import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any, Self
from urllib.parse import urljoin

import httpx

from ._answers import checked, json_of, problem_of, seconds_of, unavailable
from ._downloads import ImageConnections, place_of
from ._errors import Disconnected, ImageMissing, PosclientError, ServerUnavailable, UnexpectedAnswer
from ._files import HASH
from ._timeouts import Timeouts

# The last two: an address that can't be one.
UNANSWERED = (httpx.HTTPError, httpx.InvalidURL, UnicodeError)
CLOCK_TOLERANCE = 120.0  # seconds by which a terminal's clock may be off before the server's counts


class Mode(StrEnum):
    SERVER = "server"  # on the server's machine: its files are read where they lie
    CLIENT = "client"  # over HTTP
    DISCONNECTED = "disconnected"


class Bridge:
    """One server, as this terminal reaches it. Threads may share it; close it, or use it in a ``with`` block.

    Made by ``Bridge.client``, ``Bridge.server`` or ``Bridge.disconnected``. Every call that needs the network raises
    ServerUnavailable (worth another try) or Refused (the server said no).
    """

    def __init__(
        self,
        mode: Mode,
        *,
        base_url: str = "",
        token: str | None = None,
        certificate: Path | tuple[Path, Path] | None = None,
        ca: Path | None = None,
        data_dir: Path | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        self._mode = mode
        self.base_url = base_url.rstrip("/")
        self.timeouts = timeouts or Timeouts()
        self.data_dir = data_dir
        self._token = token
        is_secure = self.base_url.startswith("https:")
        self._tls = tls_context(certificate, ca) if is_secure else None
        # One more: httpx writes into its own that it speaks HTTP/2.
        self._images_tls = tls_context(certificate, ca) if is_secure else None
        self._clients: dict[str, httpx.Client] = {}
        self._images: ImageConnections | None = None
        self._making = Lock()
        self._closed = False
        self._clock_offset = 0.0
        self._keeps_files: bool | None = None

    @classmethod
    def client(
        cls,
        base_url: str,
        *,
        token: str | None = None,
        certificate: Path | tuple[Path, Path] | None = None,
        ca: Path | None = None,
        timeouts: Timeouts | None = None,
    ) -> Self:
        """Over HTTP with a device ``token``, a client ``certificate`` (PEM; one file or certificate and key), or both.

        ``ca``: the PEM file of whoever signed the server's certificate, when the system doesn't know them.
        """
        return cls(Mode.CLIENT, base_url=base_url, token=token, certificate=certificate, ca=ca, timeouts=timeouts)

    @classmethod
    def server(
        cls,
        data_dir: Path | str,
        *,
        base_url: str = "http://127.0.0.1:8000",
        token: str | None = None,
        timeouts: Timeouts | None = None,
    ) -> Self:
        """On the server's machine: images are read in its ``data_dir``; everything else goes to ``base_url``."""
        return cls(Mode.SERVER, base_url=base_url, token=token, data_dir=Path(data_dir), timeouts=timeouts)

    @classmethod
    def disconnected(cls) -> Self:
        return cls(Mode.DISCONNECTED)

    @property
    def current_mode(self) -> Mode:
        return self._mode

    def disconnect(self) -> None:
        """From now on nothing is asked of the server."""
        self._mode = Mode.DISCONNECTED
        self.close()

    def close(self) -> None:
        """Ends every connection, also those that other threads use. Nothing more is asked."""
        with self._making:
            self._closed = True
            clients, self._clients = self._clients, {}
            images, self._images = self._images, None
        if images is not None:
            images.close()
        for client in clients.values():
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    # --- What is asked ----------------------------------------------------------------------------------------
    def get_bytes(self, path: str) -> bytes:
        """What is at ``path`` of the server, such as ``/api/image/<hash>.jpg``.

        In the mode *server* images come from its folder. They aren't verified: ``ImageCache`` does that.
        """
        if (own := self.own_file(path)) is not None:
            with suppress(FileNotFoundError):
                return own.read_bytes()
        return self.request("GET", path).content

    def get_json(self, path: str, params: Mapping[str, str | int] | None = None) -> Any:
        """The JSON at ``path``."""
        return json_of(self.request("GET", path, params=params))

    def post_json(self, path: str, body: Any = None) -> Any:
        return json_of(self.request("POST", path, json=body))

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        anonymous: bool = False,
    ) -> httpx.Response:
        """The answer, when it is a good one (2xx). ``path`` may be a whole address.

        ``anonymous``: the address itself is the permission. Then, and for other servers, the token isn't sent.
        """
        is_ours = not anonymous and place_of(self.url(path))[0] == place_of(self.base_url)[0]
        client = self._client("requests" if is_ours else "anonymous")
        options: dict[str, Any] = {"params": params, "json": json, "content": content, "headers": headers}
        try:
            try:
                response = client.request(method, self.url(path), **options)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                # Most likely a kept connection that the server closed just then. Other methods are repeated by their
                # callers, who know whether that is safe.
                if method not in ("GET", "HEAD"):
                    raise
                response = client.request(method, self.url(path), **options)
        except UNANSWERED as error:
            raise self._of_our_server(unavailable(error)) from error
        return self.checked(response, is_ours=is_ours)

    def download_image(self, hash: str) -> bytes:
        """The bytes that the server sends for this image, at most 4 MiB, not verified. Raises ImageMissing too."""
        url = self.url(f"/api/image/{hash}.jpg")
        answer = self._image_connections().get(url)
        if answer.status == 200:
            self._look_at_clock(answer.headers)
            return answer.body
        try:
            headers = httpx.Headers(answer.headers, encoding="latin-1")
            response = httpx.Response(answer.status, headers=headers, content=answer.body)
        except httpx.DecodingError as error:
            raise unavailable(error) from error
        if answer.status == 404:
            if problem_of(response).get("code") != "not_found":
                raise UnexpectedAnswer("a 404 that isn't our server's")
            raise ImageMissing(f"the server has no image {hash}")
        self.checked(response)
        raise UnexpectedAnswer(f"status {answer.status} for an image")

    def is_network_available(self) -> bool:
        """Whether our server answers now; takes two seconds at most."""
        if self._mode is Mode.DISCONNECTED:
            return False
        try:
            response = self._client("requests").get(self.url("/livez"), timeout=self.timeouts.probe)
        except (*UNANSWERED, ServerUnavailable):
            return False
        self._look_at_clock(response.headers)
        return response.status_code == 200 and response.content.strip() == b"ok"

    # --- The mode *server* ------------------------------------------------------------------------------------
    @property
    def owns_files(self) -> bool:
        """Whether the images lie in the server's folder on this machine (not in a bucket)."""
        if self._mode is not Mode.SERVER:
            return False
        if self._keeps_files is None:
            try:
                said = self._client("requests").get(self.url("/readyz"), timeout=self.timeouts.probe).text
            except (*UNANSWERED, ServerUnavailable):
                return True  # a server that doesn't run can't say, nor could it send anything
            self._keeps_files = "storage: ok (bucket)" not in said
        return self._keeps_files

    def own_image(self, hash: str) -> Path | None:
        """Where the server on this machine has its file of this image, there or not; None in other modes."""
        if self._mode is not Mode.SERVER or self.data_dir is None:
            return None
        return self.data_dir / "uploads" / "images" / f"{hash}.jpg"

    def own_file(self, path: str) -> Path | None:
        """As ``own_image``, by an address such as ``/api/image/<hash>.jpg``."""
        hash = path.removeprefix("/api/image/").removesuffix(".jpg")
        return self.own_image(hash) if path == f"/api/image/{hash}.jpg" and HASH.fullmatch(hash) else None

    # --- The clock --------------------------------------------------------------------------------------------
    @property
    def clock_offset(self) -> float:
        """Seconds by which the server's clock is ahead of ours, as its last answer said; 0 before the first."""
        return self._clock_offset

    def now(self) -> float:
        """Seconds since 1970: by our clock, or by the server's when ours is more than two minutes off."""
        offset = self._clock_offset
        return time.time() + (offset if abs(offset) > CLOCK_TOLERANCE else 0.0)

    def _look_at_clock(self, headers: Mapping[str, str]) -> None:
        if (at := seconds_of(headers.get("date", ""))) is not None:
            self._clock_offset = at - time.time()

    # --- Connections ------------------------------------------------------------------------------------------
    def url(self, path: str) -> str:
        if self._mode is Mode.DISCONNECTED or not self.base_url:
            raise Disconnected
        return urljoin(self.base_url + "/", path)

    def stream_client(self) -> httpx.Client:
        """For the event stream: a connection of its own, and HTTP/1.1.

        Over HTTP/2 the thread that waits for the next event would hold up the answers of all others.
        """
        return self._client("stream")

    def _client(self, kind: str) -> httpx.Client:
        with self._making:
            self._check_open()
            if kind not in self._clients:
                self._clients[kind] = self._new_client(kind)
            return self._clients[kind]

    def _image_connections(self) -> ImageConnections:
        with self._making:
            self._check_open()
            if self._images is None:
                self._images = ImageConnections(
                    self.base_url, headers=self._headers(), tls=self._images_tls, timeouts=self.timeouts
                )
            return self._images

    def _check_open(self) -> None:
        if self._closed or self._mode is Mode.DISCONNECTED:
            raise Disconnected("this bridge is closed" if self._closed else "")

    def _headers(self, *, anonymous: bool = False) -> dict[str, str]:
        known = {"Authorization": f"Bearer {self._token}"} if self._token and not anonymous else {}
        return {"User-Agent": "posclient", **known}

    def _new_client(self, kind: str) -> httpx.Client:
        times = self.timeouts
        read = times.silence if kind == "stream" else times.read
        return httpx.Client(
            headers=self._headers(anonymous=kind == "anonymous"),
            timeout=httpx.Timeout(connect=times.connect, read=read, write=times.write, pool=times.pool),
            verify=self._tls if self._tls is not None else True,
            http2=kind != "stream" and self._tls is not None and find_spec("h2") is not None,
            limits=httpx.Limits(max_connections=16, max_keepalive_connections=8),
            event_hooks={"response": [self._hang_up_when_closed]},
            follow_redirects=True,
            trust_env=False,  # a shop's server is reached directly
        )

    def _hang_up_when_closed(self, response: httpx.Response) -> None:
        """Closes what one thread connected while another closed the bridge: the pool has forgotten that connection."""
        if self._closed:
            response.extensions["network_stream"].close()
            raise Disconnected("this bridge is closed")

    def checked(self, response: httpx.Response, *, is_ours: bool = True) -> httpx.Response:
        """As ``_answers.checked``; its ``Date`` sets our clock right."""
        self._look_at_clock(response.headers)
        try:
            return checked(response, is_ours=is_ours)
        except PosclientError as error:
            raise self._of_our_server(error) from error.__cause__

    def _of_our_server(self, error: PosclientError) -> PosclientError:
        error.server = self.base_url
        return error


def tls_context(certificate: Path | tuple[Path, Path] | None, ca: Path | None) -> ssl.SSLContext:
    """Verifies the server by ``ca`` (None: the system's). ``certificate``: one PEM file, or certificate and key."""
    context = ssl.create_default_context(cafile=ca)
    if certificate is not None:
        files = (certificate,) if isinstance(certificate, str | Path) else certificate
        context.load_cert_chain(*files)
    return context
