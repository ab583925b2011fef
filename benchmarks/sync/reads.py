"""What terminals fetch: snapshots beside PostgreSQL's row_to_json alone, deltas of growing catalogues, status."""

import statistics
from collections import defaultdict
from itertools import count, repeat

import httpx
import psycopg

from .load import request_of, timings
from .shop import GRANIAN, Shop, Table, fill, seconds

SIZES = (1_000, 10_000, 100_000)
CHANGES = 100
ROUNDS = 5
LOAD_SECONDS = 2.0
SNAPSHOT_AT = 10_000

LINKS = (("tags", "tag"), ("attributes", "attribute"), ("print_destinations", "printdestination"))
ROW_TO_JSON = (
    "SELECT json_agg(row_to_json(whole))::text FROM (SELECT p.*, {links} FROM catalog_product p) whole".format(
        links=", ".join(
            f"ARRAY(SELECT {other}_id FROM catalog_product_{name} l WHERE l.product_id = p.id ORDER BY 1) AS {name}"
            for name, other in LINKS
        )
    )
)


def measure(shop: Shop, table: Table) -> None:
    connection = shop.connect()
    token = shop.enrol()
    deltas: dict[int, float] = {}
    with (
        shop.serving(GRANIAN, "config.wsgi:application") as (address, _),
        shop.serving(GRANIAN, "config.wsgi:application", DJANGO_SETTINGS_MODULE="benchmarks.sync.bare") as (bare, _),
        httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client,
    ):
        for size in SIZES:
            fill(size)
            connection.execute("VACUUM ANALYZE")
            if size == SNAPSHOT_AT:
                snapshots(connection, client, table)
                connection.execute("VACUUM ANALYZE")
            deltas[size] = delta(connection, client)
        smallest = deltas[SIZES[0]]
        for size in SIZES[1:]:
            ratio = deltas[size] / smallest
            table.add(
                f"delta of {CHANGES} changes at {size:,} products beside {SIZES[0]:,}",
                f"{deltas[size]:.2f} ms",
                f"{smallest:.2f} ms",
                ratio,
                "≤ 1.3",
                reached=ratio <= 1.3,
            )
        status(address, bare, token, table)


def snapshots(connection: psycopg.Connection, client: httpx.Client, table: Table) -> None:
    took: dict[str, list[float]] = defaultdict(list)

    def fetch() -> None:
        headers = {"Accept-Encoding": "gzip"}
        with client.stream("GET", "/api/sync/product", headers=headers) as answer:
            assert answer.status_code == 200
            assert sum(map(len, answer.iter_raw())) > 10_000

    for round_ in range(ROUNDS + 1):
        connection.execute("UPDATE catalog_product SET position = position + 1 WHERE name = 'Product'")
        cold = seconds(fetch) * 1000
        warm = statistics.median(seconds(fetch) for _ in range(5)) * 1000
        alone = seconds(lambda: connection.execute(ROW_TO_JSON).fetchone()) * 1000
        if round_:  # the first warms everything up
            for name, value in (("cold", cold), ("warm", warm), ("alone", alone)):
                took[name].append(value)
    table.at_most(f"snapshot of {SNAPSHOT_AT:,} products, cold, beside row_to_json", took["cold"], took["alone"], 1.2)
    table.at_least("the same, warm: how much faster than cold", took["cold"], took["warm"], 20, "ms")


def delta(connection: psycopg.Connection, client: httpx.Client) -> float:
    """The median of some answers with so many changes, in ms."""
    ids = connection.execute(
        "SELECT array_agg(id) FROM (SELECT id FROM catalog_product ORDER BY id LIMIT %s) i", [CHANGES]
    )
    (some,) = ids.fetchone() or (None,)
    connection.execute("UPDATE catalog_product SET position = position + 1 WHERE id = ANY(%s)", [some])
    status = client.get("/api/sync/status").json()
    asked = {"since": status["versions"]["product"] - CHANGES, "epoch": status["epoch"]}
    limits = count(1000)  # another one each time, since what is asked for again is kept

    def fetch() -> None:
        answer = client.get("/api/sync/product/changes", params={**asked, "limit": next(limits)})
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["changes"]) == CHANGES

    for _ in range(50):
        fetch()
    return statistics.median(seconds(fetch) for _ in range(300)) * 1000


def status(ours: str, bare: str, token: str, table: Table) -> None:
    found: dict[str, list[float]] = defaultdict(list)
    for round_ in range(ROUNDS + 1):
        for name, url in (("ours", f"{ours}/api/sync/status"), ("bare", f"{bare}/versions")):
            asked = repeat(request_of(url, Authorization=f"Bearer {token}"))
            answered = len(timings(url, asked, seconds=LOAD_SECONDS)) / LOAD_SECONDS
            if round_:
                found[name].append(answered)
    table.at_least("status beside a bare view with one query", found["ours"], found["bare"], 0.8, "r/s")
