"""What makes this machine a terminal: the server's address and the token, in a folder of the platform."""

import json
import os
import re
import stat
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs

from ._bridge import Bridge, Mode
from ._downloads import place_of
from ._errors import NotConfigured, UnexpectedAnswer
from ._files import private_folder, write_durably
from ._timeouts import Timeouts

APP = "posclient"


@dataclass(frozen=True)
class Configuration:
    """``server``: its base URL. ``data_dir``: its data directory, when it runs on this machine (mode *server*)."""

    server: str
    tenant: str = ""
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    data_dir: str | None = None
    folder: str | None = None

    def bridge(self, token: str | None, *, timeouts: Timeouts | None = None) -> Bridge:
        certificate: Path | tuple[Path, Path] | None = None
        if self.certificate:
            certificate = (Path(self.certificate), Path(self.key)) if self.key else Path(self.certificate)
        return Bridge(
            Mode.SERVER if self.data_dir else Mode.CLIENT,
            base_url=self.server,
            token=token,
            certificate=certificate,
            ca=Path(self.ca) if self.ca else None,
            data_dir=Path(self.data_dir) if self.data_dir else None,
            timeouts=timeouts,
        )

    def data_folder(self) -> Path:
        """Where copies, images and the outbox of this server and tenant lie."""
        return Path(self.folder) if self.folder else default_folder(self.server, self.tenant)


def config_folder() -> Path:
    """``POSCLIENT_CONFIG``, or the platform's folder for configuration."""
    return Path(os.environ.get("POSCLIENT_CONFIG") or platformdirs.user_config_path(APP))


def default_folder(server: str, tenant: str = "") -> Path:
    """A folder for each server and tenant, below ``POSCLIENT_DATA`` or the platform's folder for data."""
    base = Path(os.environ.get("POSCLIENT_DATA") or platformdirs.user_data_path(APP))
    address = urlsplit(server)
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", f"{address.netloc}{f'-{tenant}' if tenant else ''}").strip("-.") or "server"
    identity = f"{server.rstrip('/')}|{tenant}"
    return base / f"{name[:60]}-{sha256(identity.encode()).hexdigest()[:8]}"


def save(configuration: Configuration, token: str | None) -> None:
    """Replaces what was saved before. The token lies in a file of its own that only its owner can read.

    ``token`` None: a certificate says who this is. An old token would be sent beside it, and would count first.
    """
    folder = private_folder(config_folder())
    if token is not None:
        write_durably(folder / "token", token.encode(), mode=0o600)
    text = json.dumps({key: value for key, value in asdict(configuration).items() if value}, indent=2)
    write_durably(folder / "config.json", text.encode(), mode=0o600)
    if token is None:
        (folder / "token").unlink(missing_ok=True)


def check_it_can_be_saved() -> None:
    """Raises OSError, such as StorageFull, and changes nothing."""
    probe = private_folder(config_folder()) / "probe"
    write_durably(probe, b"written")
    probe.unlink()


def load() -> tuple[Configuration, str | None]:
    """Raises NotConfigured: also when others could read the token."""
    folder = config_folder()
    try:
        said: dict[str, Any] = json.loads((folder / "config.json").read_text())
        known = {key: value for key, value in said.items() if key in Configuration.__dataclass_fields__}
        configuration = Configuration(**known)
        check_address(configuration.server)
    except FileNotFoundError as error:
        raise NotConfigured("This terminal isn't enrolled yet: posclient enroll SERVER CODE") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise NotConfigured(f"{folder / 'config.json'} can't be read: {error}") from error
    token = None
    with suppress(FileNotFoundError):
        if is_open_to_others(folder / "token"):
            raise NotConfigured(f"Others can read {folder / 'token'}: chmod 600 it, or enrol again")
        try:
            token = (folder / "token").read_text(encoding="ascii").strip()
        except ValueError as error:
            raise NotConfigured(f"{folder / 'token'} holds no token: enrol again") from error
    return configuration, token


def server_of(address: str) -> str:
    """The server at ``address``: scheme, host and port. Raises ValueError, whose text says what is wrong."""
    if not address.startswith(("http://", "https://")):
        raise ValueError("an address begins with http:// or https://")
    try:
        check_address(address)
    except ValueError as error:
        raise ValueError("this can't be an address") from error
    parts = urlsplit(address)
    server = f"{parts.scheme}://{parts.netloc.lower()}"
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username is not None:
        place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"
        raise ValueError(f"an address is scheme, host and port only: {place}")
    return server


def check_address(server: str) -> None:
    """Raises ValueError for what can't be a server's."""
    try:
        place_of(server)[0].host.encode("idna")
    except UnexpectedAnswer as error:
        raise ValueError(f"{server[:200]!r} can't be an address") from error


def is_open_to_others(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def enroll(bridge: Bridge, code: str, name: str) -> dict[str, Any]:
    """Redeems a one-time code: the device's ``id``, ``name``, ``token`` and ``scopes``. Raises Refused."""
    device = bridge.post_json("/api/devices/enroll", {"code": code, "name": name})
    if not isinstance(device, dict) or not device.get("token"):
        raise UnexpectedAnswer("no token came")
    return device
