"""What the measurements of sync stand on: a durable PostgreSQL with products, servers beside it, and the table."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg

GRANIAN = "-m granian --interface wsgi --host 127.0.0.1 --port {port} --workers 2 --blocking-threads 4 --no-access-log"
UVICORN = "-m uvicorn --host 127.0.0.1 --port {port} --no-access-log --no-proxy-headers --timeout-graceful-shutdown 2"


@dataclass
class Shop:
    """A migrated database, its URL, and a folder for what servers print."""

    url: str
    folder: Path
    stack: ExitStack

    def connect(self) -> psycopg.Connection:
        return self.stack.enter_context(psycopg.connect(self.url, autocommit=True))

    @contextmanager
    def serving(
        self, command: str, application: str, *, python: str | Path = sys.executable, **settings: str
    ) -> Iterator[tuple[str, int]]:
        """The address and pid of a server of ``application``, whose ``command`` says where its port goes."""
        from tests.parts import free_port, start

        port = free_port()
        words = [str(python), *command.format(port=port).split(), application]
        environment = {**os.environ, "LOG_LEVEL": "WARNING", **settings}
        with ExitStack() as stack:
            process = start(
                words,
                ready=lambda: answers(port),
                log=self.folder / f"server-{port}.log",
                on=stack,
                env=environment,
            )
            yield f"http://127.0.0.1:{port}", process.pid

    def manage(self, *words: str, **settings: str) -> str:
        """What ``manage.py`` prints."""
        command = [sys.executable, "manage.py", *words]
        environment = {**os.environ, **settings}
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout

    def enrol(self, *scopes: str, **settings: str) -> str:
        """The token of a new device."""
        return self.manage("enroll_device", f"bench {time.monotonic_ns()}", *scopes, **settings).split()[-1]


@contextmanager
def open_shop(products: int) -> Iterator[Shop]:
    """A PostgreSQL of its own, which keeps what it commits, migrated and filled."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="redcoral-bench-")))
        os.environ["DATA_DIR"] = str(folder / "data")
        from serving.valkey import answers as valkey_answers
        from serving.valkey import valkey_command
        from tests.parts import start, start_postgresql

        url = start_postgresql(log=folder / "postgresql.log", on=stack, careless=False)
        valkey = folder / "valkey"
        valkey.mkdir()
        unix_socket = valkey / "valkey.sock"
        start(
            valkey_command(data=valkey, unix_socket=unix_socket),
            ready=lambda: valkey_answers(unix_socket),
            log=folder / "valkey.log",
            on=stack,
        )
        os.environ |= {
            "DATABASE_URL": url,
            "REDIS_URL": f"unix://{unix_socket}",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "LOG_LEVEL": "WARNING",
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        fill(products)
        yield Shop(url, folder, stack)


def fill(products: int) -> None:
    """Adds products until there are so many, with links of each kind; triggers see them."""
    from django.db import connection

    from catalog.models import Attribute, Category, PrintDestination, Product, Tag

    category, _ = Category.objects.get_or_create(name="All")
    first, _ = Product.objects.get_or_create(
        name="Product", defaults={"price": 5, "category": category, "description": "x" * 200}
    )
    columns = [field.column for field in Product._meta.concrete_fields if field.name not in ("id", "name")]
    same = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO catalog_product (id, name, {same})"
            f" SELECT gen_random_uuid(), 'Product ' || number, {same}"
            " FROM catalog_product, generate_series(%s::int, %s::int) AS number WHERE id = %s",
            [Product.objects.count() + 1, products, first.pk],
        )
        for model, names in ((Tag, ("New", "Vegan")), (Attribute, ("Size",)), (PrintDestination, ("Bar",))):
            for name in names:
                model.objects.get_or_create(name=name)
            field = next(field for field in Product._meta.many_to_many if field.related_model is model)
            cursor.execute(
                f"INSERT INTO {field.m2m_db_table()} (product_id, {field.m2m_reverse_name()})"
                f" SELECT p.id, o.id FROM catalog_product p, {model._meta.db_table} o ON CONFLICT DO NOTHING"
            )
    assert Product.objects.count() >= products


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/livez", timeout=2).status_code < 500
    except httpx.TransportError:
        return False


def seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def median_ms(call: Callable[[], object], times: int) -> float:
    return statistics.median(seconds(call) for _ in range(times)) * 1000


@dataclass
class Table:
    """Lines of a Markdown table; each says what was aimed at and whether it was reached."""

    missed: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def add(
        self, what: str, ours: str, peer: str, value: float, target: str, *, reached: bool, unit: str = "×"
    ) -> None:
        self.lines.append(
            f"| {what} | {ours} | {peer} | {value:.2f} {unit} | {target} | {'yes' if reached else 'NO'} |"
        )
        if not reached:
            self.missed.append(what)

    def at_most(self, what: str, ours: Sequence[float], peer: Sequence[float], most: float) -> None:
        """The ratio of two medians of milliseconds."""
        a, b = statistics.median(ours), statistics.median(peer)
        self.add(what, f"{a:,.2f} ms", f"{b:,.2f} ms", a / b, f"≤ {most:g}", reached=a / b <= most)

    def at_least(self, what: str, ours: Sequence[float], peer: Sequence[float], least: float, unit: str) -> None:
        """The ratio of two medians of rates, or of times when it is how much faster ``ours`` is; 0: no target."""
        a, b = statistics.median(ours), statistics.median(peer)
        target = f"≥ {least:g}" if least else ""
        self.add(what, f"{a:,.0f} {unit}", f"{b:,.0f} {unit}", a / b, target, reached=a / b >= least)

    def print(self) -> None:
        print("| what | ours | beside | ratio | target | reached |\n|---|---|---|---|---|---|")
        print("\n".join(self.lines), flush=True)
