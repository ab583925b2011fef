"""Over TLS: who the server is, and who the terminal is, shown by certificates."""

import asyncio
import ipaddress
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from posclient import Bridge, ImageCache, ServerUnavailable, Terminal
from posclient._configuration import Configuration, load, save
from posclient._doctor import certificate as look_at_certificate
from posclient._files import digest
from tests.parts import free_port, start
from tests.posclient.conftest import BRISK, Shop, follows

pytestmark = pytest.mark.any_database


USES = dict.fromkeys(
    ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"),
    False,
) | {"digital_signature": True}


@dataclass(frozen=True)
class Authority:
    """Signs certificates into ``folder``; ``ca`` is its own."""

    folder: Path
    name: str
    key: ec.EllipticCurvePrivateKey = field(init=False, default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def ca(self) -> Path:
        return self.folder / f"{self.name}.pem"

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self._write(self.name, self.key, signed=self._build(self.name, self.key, ca=True))

    def sign(self, name: str, *, days: float = 30) -> tuple[Path, Path]:
        """The files of a certificate for ``name`` (and 127.0.0.1), and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._write(name, key, signed=self._build(name, key, days=days))

    def _build(
        self, name: str, key: ec.EllipticCurvePrivateKey, *, ca: bool = False, days: float = 30
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        subject, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (name, self.name))
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(address, critical=False)
            # Python 3.13 takes no certificate without the key of its signer, nor a signer that may not sign.
            .add_extension(x509.KeyUsage(**USES | {"key_cert_sign": ca, "crl_sign": ca}), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )

    def _write(self, name: str, key: ec.EllipticCurvePrivateKey, *, signed: x509.Certificate) -> tuple[Path, Path]:
        paths = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        paths[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, *plain))
        return paths


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "certificates", "Our shop")


@pytest.fixture
def front(shop: Shop, authority: Authority) -> Iterator[str]:
    """A TLS front of the server that lets in who shows a certificate of our authority; its address."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.ca)
    context.load_cert_chain(*authority.sign("server"))
    context.verify_mode = ssl.CERT_REQUIRED

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
        sink.close()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", shop.server.port)
            ends.append(to_server)
            await asyncio.gather(pump(reader, to_server), pump(from_server, writer))
        finally:
            for end in ends:
                end.transport.abort()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    starting = asyncio.start_server(carry, "127.0.0.1", 0, ssl=context)
    server = asyncio.run_coroutine_threadsafe(starting, loop).result()
    yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def end() -> None:
        server.close()
        carried = asyncio.all_tasks(loop) - {asyncio.current_task()}
        for task in carried:
            task.cancel()
        await asyncio.gather(*carried, return_exceptions=True)
        await asyncio.sleep(0.1)  # what was aborted closes its socket in the next rounds of the loop

    asyncio.run_coroutine_threadsafe(end(), loop).result(20)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_with_the_right_certificates_everything_works(
    shop: Shop, front: str, authority: Authority, tmp_path: Path
) -> None:
    hash, data = shop.image()
    own = authority.sign("till")
    bridge = Bridge.client(front, token=shop.token, certificate=own, ca=authority.ca, timeouts=BRISK)
    with Terminal(bridge, tmp_path / "till") as terminal:
        terminal.replica.start()
        assert terminal.replica.wait_until_live()
        product = shop.product(image=hash)
        assert terminal.replica.wait_for(lambda: terminal.replica.get("product", product["id"]), seconds=20)
        assert terminal.images.get_image_path(hash).read_bytes() == data
        assert follows(terminal, shop)


def test_a_server_whose_certificate_nobody_knows_is_not_talked_to(shop: Shop, front: str, authority: Authority) -> None:
    with Bridge.client(front, token=shop.token, certificate=authority.sign("till")) as bridge:
        assert not bridge.is_network_available()
        with pytest.raises(ServerUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
            bridge.get_json("/api/sync/status")


@pytest.mark.parametrize("shown", ["none", "another authority's", "expired"])
def test_a_terminal_with_the_wrong_certificate_is_not_let_in(
    shop: Shop, front: str, authority: Authority, tmp_path: Path, shown: str
) -> None:
    certificates = {
        "none": None,
        "another authority's": Authority(tmp_path / "other", "Another shop").sign("till"),
        "expired": authority.sign("late", days=-1),
    }
    bridge = Bridge.client(front, token=shop.token, certificate=certificates[shown], ca=authority.ca, timeouts=BRISK)
    with bridge, pytest.raises(ServerUnavailable):
        bridge.get_json("/api/sync/status")


@pytest.mark.parametrize(("days", "verdict"), [(-1, "failed"), (10, "warning"), (300, "ok")])
def test_the_doctor_sees_how_long_a_certificate_is_valid(authority: Authority, days: float, verdict: str) -> None:
    path, key = authority.sign("till", days=days)
    configuration = Configuration("https://127.0.0.1", certificate=str(path), key=str(key))

    ((found, detail),) = look_at_certificate(configuration, Bridge.disconnected())

    assert found == verdict
    assert "valid until" in detail
    assert ("posclient enroll" in detail) == (verdict != "ok")


def test_enrolling_again_by_certificate_forgets_the_token_that_would_count_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSCLIENT_CONFIG", str(tmp_path / "config"))
    old = Configuration("https://127.0.0.1", certificate="/till/old.pem")
    new = Configuration("https://127.0.0.1", certificate="/till/new.pem")
    save(old, "an old token")
    assert load() == (old, "an old token")

    save(new, None)

    assert load() == (new, None)


STATIC = """
{user}daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
    ssl_client_certificate {folder}/ca.pem; ssl_verify_client on;
    root {folder}/www;
  }}
}}
"""


def test_pictures_come_over_http_2_where_the_server_has_it(nginx: str, tmp_path: Path) -> None:
    """An nginx that has the pictures as files; what is asked at once shares a connection."""
    folder = tmp_path / "nginx"
    authority = Authority(folder, "ca")
    authority.sign("server")
    pictures = {digest(data): data for data in (bytes([number]) * 50_000 for number in range(60))}
    (folder / "www" / "api" / "image").mkdir(parents=True)
    (folder / "www" / "livez").write_text("ok\n")
    for hash, data in pictures.items():
        (folder / "www" / "api" / "image" / f"{hash}.jpg").write_bytes(data)
    folder.chmod(0o755)
    port = free_port()
    user = "" if os.geteuid() else "user root; "  # or its worker may not read our folders
    (folder / "nginx.conf").write_text(STATIC.format(folder=folder, port=port, user=user))
    bridge = Bridge.client(
        f"https://127.0.0.1:{port}", certificate=authority.sign("till"), ca=authority.ca, timeouts=BRISK
    )
    with ExitStack() as stack:
        command: list[str | Path] = [nginx, "-c", folder / "nginx.conf"]
        log = folder / "log"
        start(command, ready=lambda: can_connect(port), log=log, on=stack)
        with bridge:
            assert bridge.request("GET", "/livez").http_version == "HTTP/2"
            cache = ImageCache(bridge, tmp_path / "cache")
            result = cache.prefetch_images(pictures)

            assert result == {"success_count": 60, "failed_count": 0, "already_cached": 0}
            assert {hash: cache.get_image_path(hash).read_bytes() for hash in pictures} == pictures


def can_connect(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
