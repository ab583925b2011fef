"""Devices that nginx knows by their certificates (mTLS), and those who only say so."""

import re
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from devices.certificates import common_name, unlocked
from posclient import Bridge, Refused, Terminal
from tests.parts import free_port
from tests.running import RunningServer
from tests.serving.conftest import NewServer
from tests.serving.deployed import DEPLOY, start_nginx, start_processes

pytestmark = [pytest.mark.timeout(240), pytest.mark.any_database]

ME = "/api/devices/me"
EVENTS = "/api/sync/events"
STRANGER = "127.0.0.2"  # an address of this machine that isn't in TRUSTED_PROXIES
# Devices whose rows are all as they should be; what is wrong is the certificate, or comes later.
CAST = """
from datetime import *
from pathlib import Path
from devices import certificates, services
folder, ours = Path({folder!r}), Path({ours!r})
for name, authority, days_ago in [
    ("door", ours, 0), ("revoked", ours, 0), ("expired", ours, 6 * 365), ("stranger", folder / "another", 0)
]:
    made = certificates.issue(name=name, authority=authority, now=datetime.now(UTC) - timedelta(days=days_ago))
    made.save(folder / name)
    services.enroll(name=name, certificate=made)
print(services.enroll(name="tablet").token)
"""


@dataclass
class Shop:
    """A server and its devices: certificates in the folders ``cast / name``; the tablet has a token only."""

    server: RunningServer
    cast: Path
    token: str


@dataclass
class Front:
    """nginx with TLS before a server."""

    port: int
    shop: Shop
    trust: Path  # the certificate that nginx shows

    def client(self, name: str | None = None, *, http2: bool = False) -> httpx.Client:
        """A client that shows the certificate of the device ``name``; it is closed with the server.

        With ``http2`` it has one connection.
        """
        context = ssl.create_default_context(cafile=self.trust)
        if name is not None:
            folder = self.shop.cast / name
            context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
        client = httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}",
            verify=context,
            timeout=30,
            http2=http2,
            limits=httpx.Limits(max_connections=1 if http2 else None),
        )
        return self.shop.server.clients.enter_context(client)


@pytest.fixture(scope="module")
def shop(new_server: NewServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    cast = tmp_path_factory.mktemp("cast")
    with ExitStack() as stack:
        server = start_processes(new_server, stack=stack, TRUSTED_PROXIES="127.0.0.1")
        server.manage("enroll_device", "bar", "--certificate", str(cast / "bar"))
        script = CAST.format(folder=str(cast), ours=str(server.data / "certificates"))
        yield Shop(server, cast, server.manage("shell", "-c", script).split()[-1])


def start_front(shop: Shop, nginx: str, folder: Path, *, stack: ExitStack, more: str = "", **changed: str) -> Front:
    """nginx with deploy/nginx.conf, of which the lines ``changed`` are others; it reads the authority at its start."""
    certificate_of_nginx(folder)
    port = free_port()
    conf = (DEPLOY / "nginx.conf").read_text()
    conf = conf.replace("/etc/ssl/redcoral", str(folder)).replace("listen 80;", f"listen 127.0.0.1:{free_port()};")
    for line, value in {"listen": f"127.0.0.1:{port} ssl http2", **changed}.items():
        conf, times = re.subn(rf"^    {line} [^;]+;(?!\n    return)", f"    {line} {value};", conf, flags=re.MULTILINE)
        assert times == 1
    start_nginx(nginx, shop.server, conf, stack=stack, folder=folder, more=more)
    return Front(port, shop, folder / "server.pem")


@pytest.fixture(scope="module", params=["optional", "on"])
def front(
    request: pytest.FixtureRequest, shop: Shop, nginx: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Front]:
    """With the switch in both positions."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("nginx")
        yield start_front(shop, nginx, folder, stack=stack, ssl_verify_client=request.param)


def certificate_of_nginx(folder: Path) -> None:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    draft = (
        x509.CertificateBuilder()
        .subject_name(common_name("pos.example.com"))
        .issuer_name(common_name("pos.example.com"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )
    (folder / "server.pem").write_bytes(draft.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    (folder / "server.key").write_bytes(unlocked(key))


def verdict(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["type"] == f"/api/errors#{answer.json()['code']}"
    return answer.status_code, answer.json()["code"]


def test_many_requests_share_one_connection(front: Front) -> None:
    """Over HTTP/1.1 a browser has six connections for all of its tabs: seven that read streams stop all of them."""
    client = front.client("bar", http2=True)

    assert client.get("/terminal/version").http_version == "HTTP/2"
    with ExitStack() as stack:
        streams = [stack.enter_context(client.stream("GET", "/api/sync/events")) for _ in range(7)]
        assert {(stream.status_code, stream.http_version) for stream in streams} == {(200, "HTTP/2")}
        assert client.get("/terminal/").status_code == 200


def test_the_right_certificate_is_its_device(front: Front) -> None:
    bar = front.client("bar")

    assert bar.get(ME).raise_for_status().json()["name"] == "bar"
    assert front.client("door").get(ME).raise_for_status().json()["name"] == "door"
    with bar.stream("GET", EVENTS) as stream:
        assert stream.status_code == 200
        assert "event: hello" in stream.iter_lines()


def test_without_a_certificate_nobody_is_known(front: Front) -> None:
    assert verdict(front.client().get(ME)) == (401, "not_authenticated")
    assert verdict(front.client().get(EVENTS)) == (401, "not_authenticated")


def test_a_token_needs_a_certificate_only_where_they_are_required(front: Front, request: pytest.FixtureRequest) -> None:
    required = request.node.callspec.params["front"] == "on"
    shown = {"Authorization": f"Bearer {front.shop.token}"}

    assert front.client().get(ME, headers=shown).status_code == (401 if required else 200)
    assert front.client("bar").get(ME, headers=shown).json()["name"] == "tablet"


@pytest.mark.parametrize("name", ["stranger", "expired"])
def test_a_certificate_of_another_authority_or_of_former_years_is_refused(front: Front, name: str) -> None:
    for path in (ME, EVENTS, "/livez"):
        assert verdict(front.client(name).get(path)) == (401, "invalid_certificate")


def test_a_device_that_was_revoked_is_out_although_its_certificate_is_good(front: Front) -> None:
    revoke = (
        "from devices import models, services; services.revoke(devices=models.Device.objects.filter(name='revoked'))"
    )
    till = front.client("revoked")

    front.shop.server.manage("shell", "-c", revoke)

    assert verdict(till.get(ME)) == (401, "invalid_certificate")
    assert verdict(till.get(EVENTS)) == (401, "invalid_certificate")


SPELLINGS = ("ClientCertificate", "CLIENTCERTIFICATE", "Client-Certificate", "Client_Certificate", "client_certificate")


def claims(shop: Shop, name: str) -> dict[str, str]:
    """Headers of somebody who has seen the certificate of the door, which is no secret, but not its key."""
    pem = (shop.cast / "door" / "certificate.pem").read_text()
    more = {f"X{dash}Client{dash}{word}": "SUCCESS" for dash in "-_" for word in ("Verify", "Fingerprint")}
    return {name: f"SUCCESS {quote(pem, safe='')}", **more}


@pytest.mark.parametrize("name", SPELLINGS)
def test_what_a_client_claims_never_passes_nginx(front: Front, name: str) -> None:
    for path in (ME, EVENTS):
        assert verdict(front.client().get(path, headers=claims(front.shop, name))) == (401, "not_authenticated")
    assert front.client("bar").get(ME, headers=claims(front.shop, name)).json()["name"] == "bar"


def test_a_claim_does_not_even_pass_an_nginx_that_lets_underscores_through(
    shop: Shop, nginx: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        around = "underscores_in_headers on;"
        front = start_front(shop, nginx, tmp_path, stack=stack, more=around, underscores_in_headers="on")
        for name in SPELLINGS:
            assert front.client().get(ME, headers=claims(shop, name)).status_code == 401
            assert front.client("bar").get(ME, headers=claims(shop, name)).json()["name"] == "bar"


@pytest.mark.parametrize(("process", "path"), [("WEB", ME), ("STREAM", ME), ("STREAM", EVENTS)])
def test_who_is_no_trusted_proxy_claims_in_vain(shop: Shop, process: str, path: str) -> None:
    claimed = claims(shop, "ClientCertificate") | {"X-Forwarded-For": "127.0.0.1"}

    def ask(address: str) -> int:
        with httpx.Client(transport=httpx.HTTPTransport(local_address=address), timeout=30) as client:
            return client.head(f"http://127.0.0.1:{shop.server.settings[process]}{path}", headers=claimed).status_code

    assert ask(STRANGER) == 401
    # The same from the address that is trusted: that, and nothing else, made the difference.
    assert ask("127.0.0.1") == 200


def test_posclient_is_let_in_by_its_certificate_alone(front: Front, tmp_path: Path) -> None:
    def bridge(name: str) -> Bridge:
        own = front.shop.cast / name
        certificate = own / "certificate.pem", own / "key.pem"
        return Bridge.client(f"https://127.0.0.1:{front.port}", certificate=certificate, ca=front.trust)

    with Terminal(bridge("bar"), tmp_path / "bar") as bar:
        bar.replica.start()
        assert bar.replica.wait_until_live(60)
        assert bar.bridge.get_json(ME)["name"] == "bar"
    with bridge("stranger") as stranger, pytest.raises(Refused):
        stranger.get_json(ME)
