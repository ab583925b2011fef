"""What the tests of sync share: a small menu, the log since a mark, a real web process, and a terminal that listens."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from django.core.management import call_command

from catalog.models import Category, Product
from devices.models import Device
from syncing import log
from syncing.models import Change
from tests.parts import ROOT, free_port, shared_environment, start
from tests.syncing.terminal import Terminal

Log = list[tuple[str, str, str]]


@pytest.fixture
def category(transactional_db: None) -> Category:
    return Category.objects.create(name=f"Drinks {uuid4().hex[:6]}")


@pytest.fixture
def product(category: Category) -> Product:
    return Product.objects.create(name="Cola", price="2.50", category=category)


@pytest.fixture
def logged(transactional_db: None) -> Callable[[log.Versions], Log]:
    """The log since ``mark`` (versions): (resource, action, id) in order; asserts that it is dense."""

    def since(mark: log.Versions) -> Log:
        now, found = log.heads().versions, []
        for name in sorted(now):
            rows = list(Change.objects.filter(resource=name, version__gt=mark[name]).order_by("version"))
            assert [row.version for row in rows] == list(range(mark[name] + 1, now[name] + 1))
            found += [(name, row.action, str(row.object_id)) for row in rows]
        return found

    return since


@pytest.fixture
def token(transactional_db: None, capsys: pytest.CaptureFixture[str]) -> str:
    call_command("enroll_device", f"till {uuid4().hex[:6]}")
    assert Device.objects.exists()
    return capsys.readouterr().out.split()[-1]


@contextmanager
def web_process(*, graceful_seconds: int = 2, **settings: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A web process of its own, as ``make run`` starts it, on the test database: its address, and itself.

    ``settings`` are more of its environment. It cuts off what hasn't ended ``graceful_seconds`` after a SIGTERM.
    """
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(port)]
    with ExitStack() as stack:
        process = start(
            [*command, "--timeout-graceful-shutdown", str(graceful_seconds)],
            ready=lambda: _answers(port),
            log=Path(os.environ["DATA_DIR"]) / f"web-{port}.log",
            on=stack,
            cwd=ROOT,
            env={**shared_environment(), **settings},
        )
        yield f"http://127.0.0.1:{port}", process


@pytest.fixture(scope="session")
def web_of_the_session(django_db_setup: None) -> Iterator[str]:
    with web_process() as (address, _):
        yield address


@pytest.fixture
def web(web_of_the_session: str, transactional_db: None) -> str:
    """The address of a web process that the tests share; it lives through their flushes, each a new epoch."""
    return web_of_the_session


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/livez", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def listen(web: str, token: str) -> Iterator[Callable[..., Terminal]]:
    """Opens a stream of ``web``; every one is closed at the end."""
    with ExitStack() as stack:

        def open_stream(**options: object) -> Terminal:
            return stack.enter_context(Terminal(web, token, **options))  # type: ignore[arg-type]

        yield open_stream
