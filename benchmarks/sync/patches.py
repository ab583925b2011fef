"""Writes over HTTP beside a bare Django view, and many by one request beside one by one, on both databases."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from itertools import count

import httpx

from .load import request_of, timings
from .peers import beside, in_turns
from .shop import GRANIAN, Shop, Table

MANY = 500
SECONDS = 1.0
PRODUCTS = 10_000


def measure(shop: Shop, table: Table) -> None:
    one_database(shop, table, "PostgreSQL", {})
    folder = shop.folder / "sqlite"
    embedded = {"DATABASE_URL": "", "DATA_DIR": str(folder)}
    manage = partial(
        subprocess.run, check=True, capture_output=True, text=True, env={**os.environ, **embedded, "LOG_LEVEL": "ERROR"}
    )
    manage([sys.executable, "manage.py", "migrate", "--verbosity", "0"])
    enrolled = manage([sys.executable, "manage.py", "enroll_device", "bench", "--manage"])
    one_database(shop, table, "SQLite", embedded, token=enrolled.stdout.split()[-1])


def one_database(shop: Shop, table: Table, name: str, settings: dict[str, str], token: str | None = None) -> None:
    headers = {"Authorization": f"Bearer {token or shop.enrol('--manage')}"}
    with ExitStack() as stack:
        serve = partial(shop.serving, GRANIAN, "config.wsgi:application", **settings)
        ours, _ = stack.enter_context(serve())
        bare, _ = stack.enter_context(serve(DJANGO_SETTINGS_MODULE="benchmarks.sync.bare"))
        client = stack.enter_context(httpx.Client(base_url=ours, headers=headers, timeout=60))
        ids = products(client)
        mine = patches(f"{ours}/api/products", ids, **headers)
        other = patches(f"{bare}/products", ids, **headers)
        took, others = beside(ours, mine, bare, other)
        table.at_most(f"PATCH beside a bare view, {name}", took, others, 1.6)
        many, single = in_turns(
            lambda: MANY * len(timings(ours, batches(ours, ids, **headers), seconds=SECONDS, connections=1)) / SECONDS,
            lambda: len(timings(ours, mine, seconds=SECONDS, connections=1)) / SECONDS,
        )
        what, least = f"a batch of {MANY} updates beside PATCH one by one, {name}", 20 if name == "PostgreSQL" else 0
        table.at_least(what, many, single, least, "objects/s")


def products(client: httpx.Client) -> list[str]:
    """The ids of all products; as many as are missing are made."""
    ids: list[str] = []
    following = "/api/products?limit=500"
    while following:
        page = client.get(following).raise_for_status().json()
        ids += [one["id"] for one in page["results"]]
        following = page["next"]
    category = client.post("/api/categories", json={"name": f"Bench {time.monotonic_ns()}"}).raise_for_status()
    same = {"price": "5", "category": category.json()["id"], "description": "x" * 200}
    while len(ids) < PRODUCTS:
        asked = [{"op": "create", "data": {**same, "name": f"Product {len(ids) + n}"}} for n in range(MANY)]
        answer = client.post("/api/products/batch", json={"operations": asked}).raise_for_status()
        ids += [one["object"]["id"] for one in answer.json()["results"]]
    return ids


def patches(address: str, ids: list[str], **headers: str) -> Iterator[bytes]:
    """A PATCH of one product after the other; never what is there already."""
    for number in count(1):
        body = json.dumps({"position": number}).encode()
        yield request_of(f"{address}/{ids[number * 37 % len(ids)]}", method="PATCH", body=body, **headers)


def batches(address: str, ids: list[str], **headers: str) -> Iterator[bytes]:
    for number in count(1):
        some = [ids[(number * MANY + place) % len(ids)] for place in range(MANY)]
        asked = [{"op": "update", "id": id, "data": {"position": -number}} for id in some]
        body = json.dumps({"operations": asked}).encode()
        yield request_of(f"{address}/api/products/batch", method="POST", body=body, **headers)
