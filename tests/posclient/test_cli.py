"""``posclient`` from the command line, for people and for scripts."""

import json
import os
import re
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from posclient._locks import Lock
from tests.parts import wait_until
from tests.posclient.conftest import SOURCE, CommandLine, Shop, new_picture

pytestmark = pytest.mark.any_database


def test_enrolling_by_code_keeps_the_token_from_others(posclient: CommandLine, shop: Shop) -> None:
    code = new_code(shop)

    said = posclient.json("enroll", shop.url, code, "--name", "Bar till")

    assert (said["name"], said["scopes"], said["server"]) == ("Bar till", ["read", "upload"], shop.url)
    token = posclient.home / "config" / "token"
    assert stat.S_IMODE(token.stat().st_mode) == 0o600
    assert stat.S_IMODE((posclient.home / "config").stat().st_mode) == 0o700
    assert token.read_text() not in (posclient.home / "config" / "config.json").read_text()
    assert posclient.json("status")["network"]
    assert "invalid_code" in posclient.complains("enroll", shop.url, code, code=3)


def test_an_enrolment_that_fails_leaves_the_one_before(enrolled: CommandLine, shop: Shop) -> None:
    enrolled.complains("enroll", shop.url, "WRONG-CODE", code=3)
    enrolled.complains("enroll", "http://127.0.0.1:9", "CODE", code=4)
    enrolled.complains("enroll", shop.url, "-", "--name", "Other", code=3, stdin="wrong")

    said = enrolled.json("status")
    assert (said["server"], said["network"]) == (shop.url, True)
    enrolled("products")  # with the token that it had


@pytest.mark.parametrize("address", ["shop:8000", "http://", "http://[", "http://shop:port", "http://a..b"])
def test_an_address_that_can_not_be_one_is_wrong_usage(posclient: CommandLine, address: str) -> None:
    assert "address" in posclient.complains("enroll", address, "CODE", code=2)


def test_a_token_that_can_not_be_one_is_wrong_usage(posclient: CommandLine, shop: Shop) -> None:
    assert "token" in posclient.complains("enroll", shop.url, "-", code=2, stdin="t\u00f6ken")


def new_code(shop: Shop) -> str:
    """As the admin makes one."""
    return shop.server.manage("shell", "-c", MAKE_CODE).split()[-1]


MAKE_CODE = """
from django.utils import timezone
from devices.models import CODE_LIFETIME, EnrolmentCode, code_digest, new_code
code = new_code()
EnrolmentCode.objects.create(code_hash=code_digest(code), may_upload=True, expires_at=timezone.now() + CODE_LIFETIME)
print(code)
"""


def test_what_is_not_enrolled_says_so_with_its_own_exit_code(posclient: CommandLine, shop: Shop) -> None:
    assert "posclient enroll" in posclient.complains("status", code=3)
    assert "invalid_token" in posclient.complains("enroll", shop.url, "-", code=3, stdin="wrong")
    posclient("enroll", "shop.local", "CODE", code=2)
    posclient("enroll", "http://127.0.0.1:9", "CODE", code=4)


def test_a_token_that_others_can_read_is_refused(enrolled: CommandLine) -> None:
    (enrolled.home / "config" / "token").chmod(0o644)

    assert "chmod 600" in enrolled.complains("status", code=3)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", b"{"),
        ("config.json", b"\xff"),
        ("config.json", b"[]"),
        ("config.json", b"{}"),
        ("config.json", b'{"server": 1}'),
        ("config.json", b'{"server": "http://["}'),
        ("config.json", b'{"server": "shop:8000"}'),
        ("token", b"t\xf6ken"),
    ],
)
def test_a_configuration_that_was_spoiled_by_hand_is_said_not_thrown(
    enrolled: CommandLine, file: str, content: bytes
) -> None:
    (enrolled.home / "config" / file).write_bytes(content)

    (line,) = enrolled.complains("status", code=3).splitlines()
    assert file in line


def test_products_and_their_pictures(enrolled: CommandLine, shop: Shop) -> None:
    hash, _data = shop.image()
    product = shop.product(name="Cortado of the command line", image=hash)

    assert product in enrolled.json("products")
    assert re.search(r"Cortado of the command line.*Category \d+.*1\.00.*not here", enrolled("products"))
    result = enrolled.json("prefetch", code=0)
    assert result["success_count"] >= 1
    assert result["failed_count"] == 0
    assert enrolled.json("prefetch")["success_count"] == 0
    assert re.search(r"Cortado of the command line.*1\.00 +│ here", enrolled("products", "--offline"))
    status = enrolled.json("status")
    assert status["counts"]["product"] == len(shop.snapshot("product"))
    assert status["versions"] == shop.versions()
    assert status["images"]["count"] >= 1
    shop.change(product["id"], image=None)
    assert enrolled.json("cleanup")["removed_count"] >= 1
    assert enrolled.json("cleanup", "--days", "30") == {"removed_count": 0, "freed_bytes": 0}


def test_uploading_a_folder_of_pictures_named_by_sku(enrolled: CommandLine, shop: Shop, tmp_path: Path) -> None:
    product = shop.product(sku=f"sku-{time.monotonic_ns()}")
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / f"{product['sku']}.jpg").write_bytes(new_picture())
    (folder / "unknown.jpg").write_bytes(new_picture())
    (folder / "notes.txt").write_text("no picture")
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")

    result = enrolled.json("upload", str(folder), "--match", "sku", code=1)

    assert (result["uploaded_count"], result["waiting_count"], result["failed"]) == (1, 0, [])
    assert [refused["file"] for refused in result["refused"]] == ["broken.png", "unknown.jpg"]
    assert shop.snapshot("product")[product["id"]]["image"] is not None
    (folder / "broken.png").unlink()
    assert enrolled.json("upload", str(folder))["uploaded_count"] == 1
    assert "0 failed" in enrolled("upload", str(folder))


def test_what_is_uploaded_offline_waits(enrolled: CommandLine, tmp_path: Path) -> None:
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(new_picture())

    assert enrolled.json("upload", str(picture), "--offline") == {"refused": [], "waiting_count": 1}
    assert enrolled.json("status")["outbox"] == {"waiting": 1, "failed": 0}
    assert enrolled.json("upload", str(picture))["uploaded_count"] == 1
    assert enrolled.json("status")["outbox"] == {"waiting": 0, "failed": 0}


def test_watching_prints_each_change_as_a_line_of_json(enrolled: CommandLine, shop: Shop, tmp_path: Path) -> None:
    out = tmp_path / "watched"
    with out.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "posclient", "watch", "product", "--json", "--seconds", "90"],
            env={**os.environ, "PYTHONPATH": str(SOURCE), **enrolled.own},
            stdout=file,
            stderr=subprocess.DEVNULL,
        )
    try:
        made = shop.product()
        wait_until(lambda: made["id"] in out.read_text(), seconds=60, what="the first change")
        changed = shop.change(made["id"], name="Watched")
        wait_until(lambda: "Watched" in out.read_text(), seconds=30, what="the second change")
    finally:
        process.terminate()
        process.wait(20)

    line = next(json.loads(line) for line in out.read_text().splitlines() if "Watched" in line)
    assert (line["resource"], line["action"], line["data"]) == ("product", "updated", changed)


def test_the_doctor_looks_at_everything(enrolled: CommandLine, shop: Shop) -> None:
    findings = enrolled.json("doctor")

    assert {finding["about"]: finding["verdict"] for finding in findings} == {
        **dict.fromkeys(["versions", "network", "clock", "device", "token", "certificate", "copies"], "ok"),
        "disk": next(finding["verdict"] for finding in findings if finding["about"] == "disk"),
    }
    config = enrolled.home / "config" / "config.json"
    config.write_text(config.read_text().replace(shop.url, "http://127.0.0.1:9"))
    ill = {finding["about"]: finding["verdict"] for finding in enrolled.json("doctor", code=4)}
    assert (ill["network"], ill["clock"], ill["device"], ill["token"]) == ("failed", "failed", "failed", "ok")


def test_the_doctor_names_the_file_that_no_connection_can_be_made_with(enrolled: CommandLine) -> None:
    config = enrolled.home / "config" / "config.json"
    config.write_text(json.dumps({"server": "https://127.0.0.1:9", "ca": "/nowhere/ca.pem"}))

    (finding,) = enrolled.json("doctor", code=1)

    assert (finding["about"], finding["verdict"]) == ("certificate", "failed")
    assert "/nowhere/ca.pem" in finding["detail"]


def test_a_file_that_can_not_be_opened_is_said_in_one_line(enrolled: CommandLine) -> None:
    path = Path(enrolled.json("status")["folder"]) / "outbox" / "outbox.sqlite3"
    path.unlink()
    path.mkdir()

    assert enrolled.complains("status", code=1).splitlines() == ["unable to open database file"]


def test_pictures_stay_while_nobody_knows_which_products_there_are(enrolled: CommandLine, shop: Shop) -> None:
    """Another process of this terminal is at it, and has no products yet: none is not the same as unknown."""
    hash, data = shop.image()
    shop.product(image=hash)
    enrolled("prefetch")
    folder = Path(enrolled.json("status")["folder"])
    for path in folder.glob("replica.sqlite3*"):
        path.unlink()

    with Lock(folder / "replica.lock").held(seconds=20):
        enrolled.complains("cleanup", code=4)
        enrolled.complains("prefetch", code=4)

    assert (folder / "images" / f"{hash}.jpg").read_bytes() == data


@pytest.mark.parametrize("more", ["/admin/", "/?a=1", "/#x"])
def test_an_address_is_scheme_host_and_port_only(posclient: CommandLine, more: str) -> None:
    assert "http://shop:8000" in posclient.complains("enroll", f"http://Shop:8000{more}", "CODE", code=2)


def test_enrolling_at_another_address_takes_over_what_waits(enrolled: CommandLine, shop: Shop, tmp_path: Path) -> None:
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(new_picture())
    enrolled.json("upload", str(picture), "--offline")

    other = shop.url.replace("127.0.0.1", "localhost")
    said = json.loads(enrolled("enroll", other, "-", "--json", stdin=shop.token))

    assert (said["server"], said["taken_over"]) == (other, 1)
    assert enrolled.json("status")["outbox"] == {"waiting": 1, "failed": 0}
    assert enrolled.json("upload", str(picture))["uploaded_count"] == 1


def test_without_the_server_it_says_which_one_and_shows_its_copy(enrolled: CommandLine, shop: Shop) -> None:
    made = shop.product(name="Kept for a bad day")
    enrolled("products")
    config = enrolled.home / "config" / "config.json"
    away = "http://127.0.0.1:9"
    said = {**json.loads(config.read_text()), "folder": enrolled.json("status")["folder"], "server": away}
    config.write_text(json.dumps(said))

    assert made in enrolled.json("products")
    assert enrolled.complains("products", code=0).startswith(f"{away}: it can't be reached: ")
    assert enrolled.json("status", code=4)["network"] is False
    error = enrolled.json("prefetch", code=4)["error"]
    assert (error["exit_code"], error["server"]) == (4, away)


def test_a_failure_is_json_for_scripts_and_a_sentence_for_people(posclient: CommandLine, shop: Shop) -> None:
    assert posclient.json("status", code=3)["error"]["detail"].startswith("This terminal isn't enrolled yet")
    refused = posclient.json("enroll", shop.url, "WRONG-CODE", code=3)["error"]
    assert (refused["code"], refused["server"]) == ("invalid_code", shop.url)
    assert posclient.complains("enroll", shop.url, "WRONG-CODE", code=3).startswith(f"{shop.url}: 400 invalid_code: ")


def test_it_says_its_version(posclient: CommandLine) -> None:
    assert posclient("--version").startswith("posclient ")
