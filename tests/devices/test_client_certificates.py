"""A device by its certificate, as far as the application sees it; nginx's part is in tests/serving."""

import ssl
import stat
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from cryptography import x509
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client

from devices.certificates import Issued, issue
from devices.identity import COOKIE, CertificateInvalid, DeviceCaller, identify, request_from_scope, still_welcome
from devices.models import Device
from devices.services import Enrolled, enroll, revoke
from tests.images.pictures import normal_jpeg

from .conftest import bearer

pytestmark = pytest.mark.django_db

ME = "/api/devices/me"
PROXY = "127.0.0.1"  # where Django's test client asks from


@pytest.fixture
def issued(tmp_path: Path) -> Issued:
    return issue(name="Bar", authority=tmp_path / "certificates")


@pytest.fixture
def bar(issued: Issued, settings: Any) -> Enrolled:
    settings.TRUSTED_PROXIES = [PROXY]
    return enroll(name="Bar", certificate=issued)


def shown(issued: Issued, verdict: str = "SUCCESS") -> dict[str, str]:
    return {"ClientCertificate": f"{verdict} {quote(issued.certificate, safe='')}"}


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def test_a_certificate_that_the_proxy_has_checked_is_its_device(client: Client, bar: Enrolled, issued: Issued) -> None:
    answer = client.get(ME, headers=shown(issued)).json()

    assert (answer["id"], answer["scopes"]) == (str(bar.device.id), ["read"])
    assert answer["last_seen"] is not None


@pytest.mark.parametrize("verdict", ["NONE", "", "FAILED:certificate has expired", "success", "SUCCESS,NONE"])
def test_a_certificate_that_the_proxy_did_not_accept_counts_for_nothing(
    client: Client, bar: Enrolled, issued: Issued, verdict: str
) -> None:
    assert refusal(client.get(ME, headers=shown(issued, verdict))) == (401, "not_authenticated")


@pytest.mark.parametrize("said", ["SUCCESS", "SUCCESS ", "SUCCESS %ff%00", "SUCCESS -----BEGIN CERTIFICATE-----", "é"])
def test_a_proxy_that_stammers_lets_nobody_in(client: Client, bar: Enrolled, said: str) -> None:
    assert refusal(client.get(ME, HTTP_CLIENTCERTIFICATE=said)) == (401, "not_authenticated")


@pytest.mark.parametrize("trusted", [[], ["10.0.0.1"]])
def test_whoever_is_no_trusted_proxy_shows_it_in_vain(
    client: Client, bar: Enrolled, issued: Issued, settings: Any, trusted: list[str]
) -> None:
    settings.TRUSTED_PROXIES = trusted

    answer = client.get(ME, headers={**shown(issued), "X-Forwarded-For": PROXY})

    assert refusal(answer) == (401, "not_authenticated")


def test_the_address_that_a_proxy_names_is_not_itself_a_proxy(
    client: Client, bar: Enrolled, issued: Issued, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.1"]
    headers = {**shown(issued), "X-Forwarded-For": "10.0.0.1"}

    assert refusal(client.get(ME, headers=headers, REMOTE_ADDR="10.0.0.9")) == (401, "not_authenticated")
    assert client.get(ME, headers=headers, REMOTE_ADDR="10.0.0.1").status_code == 200


def test_revoked_and_unknown_certificates_are_told_so(client: Client, bar: Enrolled, issued: Issued) -> None:
    revoke(devices=Device.objects.all())
    answer = client.get(ME, headers=shown(issued))
    assert refusal(answer) == (401, "invalid_certificate")
    assert answer["WWW-Authenticate"] == "Bearer"

    Device.objects.all().delete()
    assert refusal(client.get(ME, headers=shown(issued))) == (401, "invalid_certificate")


def test_a_token_a_cookie_and_a_login_are_meant_where_a_certificate_is_only_there(
    client: Client, bar: Enrolled, issued: Issued, till: Enrolled, staff: User
) -> None:
    def name(**more: Any) -> Any:
        return client.get(ME, headers={**shown(issued), **more}).json().get("name")

    assert name(**bearer(till.token)) == "Till 1"
    assert refusal(client.get(ME, headers={**shown(issued), **bearer("wrong")})) == (401, "invalid_token")
    client.cookies[COOKIE] = "left over"
    assert name() == "Bar"
    client.cookies[COOKIE] = till.token
    assert name() == "Till 1"
    del client.cookies[COOKIE]
    client.force_login(staff)
    assert refusal(client.get(ME, headers=shown(issued))) == (403, "forbidden")  # staff are no device
    assert client.get("/api/sync/status", headers=shown(issued)).status_code == 200


def test_a_page_of_another_site_can_not_write_with_a_browsers_certificate(issued: Issued, settings: Any) -> None:
    settings.TRUSTED_PROXIES = [PROXY]
    enroll(name="Office", may_upload=True, certificate=issued)
    client = Client(enforce_csrf_checks=True)

    def upload(**more: str) -> Any:
        form = {"file": SimpleUploadedFile("x.jpg", normal_jpeg(), "image/jpeg")}
        return client.post("/api/images", form, headers={**shown(issued), **more})

    assert refusal(upload(Origin="https://evil.example")) == (403, "csrf_failed")
    assert refusal(upload(**{"Sec-Fetch-Site": "cross-site"})) == (403, "csrf_failed")
    assert upload().status_code == 201


def test_a_token_can_be_rotated_by_certificate(client: Client, bar: Enrolled, issued: Issued) -> None:
    token = client.post("/api/devices/rotate", headers=shown(issued)).json()["token"]

    assert client.get(ME, headers=bearer(token)).json()["name"] == "Bar"
    assert refusal(client.get(ME, headers=bearer(bar.token))) == (401, "invalid_token")
    assert client.get(ME, headers=shown(issued)).status_code == 200


def stream_scope(issued: Issued, address: str) -> dict[str, Any]:
    headers = [(name.lower().encode(), value.encode()) for name, value in shown(issued).items()]
    return {"type": "http", "path": "/api/sync/events", "headers": headers, "client": (address, 4321)}


def test_the_stream_believes_the_proxy_and_nobody_else(bar: Enrolled, issued: Issued) -> None:
    caller = identify(request_from_scope(stream_scope(issued, PROXY)))

    assert isinstance(caller, DeviceCaller)
    assert (caller.name, caller.presented) == ("Bar", "certificate")
    assert identify(request_from_scope(stream_scope(issued, "10.0.0.9"))) is None
    revoke(devices=Device.objects.all())
    with pytest.raises(CertificateInvalid):
        identify(request_from_scope(stream_scope(issued, PROXY)))


def test_a_stream_by_certificate_stays_when_the_token_changes_and_ends_when_the_certificate_does(
    bar: Enrolled, issued: Issued
) -> None:
    caller = identify(request_from_scope(stream_scope(issued, PROXY)))
    assert caller is not None

    Device.objects.update(token_hash="another")
    assert still_welcome([caller]) == {caller.id}
    Device.objects.update(certificate_fingerprint="another")
    assert still_welcome([caller]) == set()


def test_an_identification_by_certificate_costs_one_query(
    bar: Enrolled, issued: Issued, django_assert_num_queries
) -> None:
    request = request_from_scope(stream_scope(issued, PROXY))

    with django_assert_num_queries(1):
        caller = identify(request)
    assert caller is not None
    assert caller.id == str(bar.device.pk)


def test_two_devices_never_share_a_certificate(bar: Enrolled, issued: Issued) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        enroll(name="Copy", certificate=issued)


def test_the_page_of_a_device_shows_its_certificate(
    bar: Enrolled, issued: Issued, client: Client, manager: User
) -> None:
    client.force_login(manager)

    page = client.get(f"/admin/devices/device/{bar.device.pk}/change/").content.decode()
    found = client.get(f"/admin/devices/device/?q={issued.fingerprint}").content.decode()

    assert issued.fingerprint in page
    assert "Bar" in found


# --- The command ---------------------------------------------------------------------------------------------
def run(*words: str | Path) -> str:
    output = StringIO()
    call_command("enroll_device", *map(str, words), stdout=output)
    return output.getvalue()


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path / "new" / "bar"


def test_the_command_makes_a_key_and_a_certificate_that_is_the_devices(folder: Path, client: Client) -> None:
    said = run("Bar", "--upload", "--certificate", folder)

    device = Device.objects.get()
    certificate = x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")  # refuses a key of another
    assert certificate.fingerprint(certificate.signature_hash_algorithm).hex() == device.certificate_fingerprint  # type: ignore[arg-type]
    assert certificate.not_valid_after_utc == device.certificate_expires_at
    assert str(folder) in said
    assert client.get(ME, headers=bearer(said.split()[-1])).json()["scopes"] == ["read", "upload"]


def test_keys_are_readable_by_their_owner_only(folder: Path, tmp_path: Path) -> None:
    run("Bar", "--certificate", folder)

    for key in (folder / "key.pem", tmp_path / "certificates" / "ca.key"):
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "certificates" / "ca.pem").stat().st_mode) == 0o644


def test_all_certificates_are_by_one_authority(folder: Path, tmp_path: Path) -> None:
    run("Bar", "--certificate", folder)
    authority = (tmp_path / "certificates" / "ca.pem").read_bytes()
    run("x" * 100, "--certificate", folder.with_name("other"))

    assert (tmp_path / "certificates" / "ca.pem").read_bytes() == authority
    signer = x509.load_pem_x509_certificate(authority)
    for name in ("bar", "other"):
        certificate = x509.load_pem_x509_certificate((folder.with_name(name) / "certificate.pem").read_bytes())
        certificate.verify_directly_issued_by(signer)


def test_nothing_is_replaced_and_then_nobody_is_enrolled(folder: Path) -> None:
    run("Bar", "--certificate", folder)
    key = (folder / "key.pem").read_bytes()

    with pytest.raises(CommandError, match="exists"):
        run("Other", "--certificate", folder)
    (folder / "key.pem").unlink()
    with pytest.raises(CommandError, match="exists"):
        run("Other", "--certificate", folder)

    assert Device.objects.get().name == "Bar"
    assert not (folder / "key.pem").exists()
    assert key


def test_a_certificate_never_outlives_its_authority(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    issue(name="old", authority=tmp_path / "ca", now=now - timedelta(days=28 * 365))

    last = issue(name="new", authority=tmp_path / "ca", now=now)

    ca = x509.load_pem_x509_certificate((tmp_path / "ca" / "ca.pem").read_bytes())
    assert last.expires_at == ca.not_valid_after_utc
