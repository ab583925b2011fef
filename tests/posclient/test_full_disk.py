"""A disk without room costs nothing that is there, and all goes on when there is room again."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts import ROOT
from tests.posclient.conftest import Shop, new_picture

pytestmark = pytest.mark.any_database

# Runs in a mount namespace of its own, on a disk of one megabyte that is gone with the process.
PROGRAM = """
import json, os, subprocess, sys
from pathlib import Path
disk, url, token, hashes, picture, product = json.loads(sys.stdin.read())
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
from posclient import Bridge, StorageFull, Terminal
said = {}
with Terminal(Bridge.client(url, token=token), disk, resources=["product"]) as till:
    till.replica.catch_up()
    before = till.replica.all("product")
    till.images.get_image_path(hashes[0])
    ballast = Path(disk) / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError as error:
            said["filled"] = error.errno
    try:  # the oldest picture makes room for a new one of its size
        said["second"] = till.images.get_image_path(hashes[1]).stat().st_size > 0
    except StorageFull:
        said["second"] = "full"
    with open(ballast, "ab", buffering=0) as file:  # what was freed is taken, too
        try:
            while True:
                file.write(b"x" * 512)
        except OSError:
            pass
    try:
        till.outbox.add_image(bytes.fromhex(picture), product)
        said["added"] = True
    except StorageFull:
        said["added"] = "full"
    said["waiting"] = len(till.outbox.waiting())
    said["left"] = [name for name in os.listdir(till.outbox.store.waiting_folder)]
    said["prefetch"] = till.images.prefetch_images(hashes)
    said["same"] = till.replica.all("product") == before
    ballast.unlink()
    said["after"] = till.images.prefetch_images(hashes)
    hash = till.outbox.add_image(bytes.fromhex(picture), product)
    said["sent"] = till.outbox.sync_image_uploads()["uploaded_count"]
    till.replica.catch_up()
    said["shows"] = till.replica.get("product", product)["image"] == hash
print(json.dumps(said))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_a_full_disk_is_survived(shop: Shop, tmp_path: Path) -> None:
    product = shop.product()
    images = sorted((shop.image() for _number in range(3)), key=lambda image: len(image[1]), reverse=True)
    hashes = [hash for hash, _data in images]  # the largest first: its room is enough for the next
    disk = tmp_path / "disk"
    disk.mkdir()
    told = json.dumps([str(disk), shop.url, shop.token, hashes, new_picture().hex(), product["id"]])

    ended = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", sys.executable, "-c", PROGRAM],
        input=told,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "clients" / "python" / "src")},
    )

    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    assert said["filled"] == 28  # ENOSPC
    assert said["second"] is True
    assert said["added"] == "full"
    assert (said["waiting"], said["left"]) == (0, [])
    assert sum(said["prefetch"].values()) == 3
    assert said["same"]
    assert said["after"]["failed_count"] == 0
    assert said["sent"] == 1
    assert said["shows"]
