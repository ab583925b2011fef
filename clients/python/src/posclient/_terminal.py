"""Everything a terminal has, on one bridge and in one folder."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from . import _configuration
from ._answers import json_of, reading
from ._bridge import Bridge
from ._configuration import default_folder
from ._files import digest, private_folder
from ._images import DEFAULT_BUDGET, ImageCache
from ._outbox import Outbox
from ._replica import PREFETCH_SECONDS, Replica


@dataclass(frozen=True, slots=True)
class Uploaded:
    """An image as the server has it. ``created``: it didn't before. ``size`` in bytes, the measures in pixels."""

    hash: str
    url: str
    width: int
    height: int
    size: int
    created: bool


class Terminal:
    """``images``, ``replica`` and ``outbox`` of one terminal. Close it, or use it in a ``with`` block.

    ``folder``: a folder for each server and tenant below the platform's, unless told. ``max_cache_bytes``: the
    budget of the images. ``prefetch``: whether the replica fetches new images before it tells of them, and for how many
    seconds at most. ``resources`` and ``poll_seconds`` as for ``Replica``, which connects with ``replica.start()``.
    """

    def __init__(
        self,
        bridge: Bridge,
        folder: Path | str | None = None,
        *,
        tenant: str = "",
        resources: Collection[str] | None = None,
        max_cache_bytes: int | None = DEFAULT_BUDGET,
        prefetch: bool = True,
        prefetch_seconds: float = PREFETCH_SECONDS,
        poll_seconds: float | None = None,
    ) -> None:
        self.bridge = bridge
        self.folder = private_folder(Path(folder) if folder else default_folder(bridge.base_url, tenant))
        self.images = ImageCache(bridge, self.folder / "images", max_bytes=max_cache_bytes)
        self.outbox = Outbox(bridge, self.folder / "outbox", self.images)
        self.replica = Replica(
            bridge,
            self.folder,
            resources=resources,
            images=self.images if prefetch else None,
            prefetch_seconds=prefetch_seconds,
            poll_seconds=poll_seconds,
        )

    @classmethod
    def configured(cls, **options: Any) -> Self:
        """The terminal that ``posclient enroll`` made of this machine. Raises NotConfigured."""
        configuration, token = _configuration.load()
        return cls(configuration.bridge(token), configuration.data_folder(), **options)

    def upload_image(self, path: Path | str | bytes) -> Uploaded:
        """Sends the picture of this file (or these bytes) now.

        With the extra ``images`` it is normalised here first, which is less to send.

        Raises ServerUnavailable, Refused (such as 415 ``unsupported_image``), and PictureRefused.
        """
        data = path if isinstance(path, bytes) else Path(path).read_bytes()
        made_here = False
        try:
            from ._normalize import normalize
        except ImportError:
            pass  # the server does it
        else:
            data, made_here = normalize(data), True
        headers = {"Content-Type": "image/jpeg" if made_here else "application/octet-stream"}
        response = self.bridge.request("POST", "/api/images", content=data, headers=headers)
        said = json_of(response)
        with reading("an image"):
            uploaded = Uploaded(
                said["hash"], said["url"], said["width"], said["height"], said["size"], response.status_code == 201
            )
        if digest(data) == uploaded.hash:
            self.images.store(uploaded.hash, data)
        return uploaded

    def close(self) -> None:
        self.replica.close()
        self.outbox.close()
        self.bridge.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
