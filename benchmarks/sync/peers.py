"""The wire beside Kinto, and beside bare Django views that run the same statements and do nothing else."""

import json
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count, repeat

import httpx

from . import kinto
from .load import request_of, timings
from .shop import GRANIAN, Shop, Table

CHANGES = 100
ROUNDS = 5
SECONDS = 1.0


def measure(shop: Shop, table: Table) -> None:
    ids = [key for (key,) in shop.connect().execute("SELECT id::text FROM catalog_product").fetchall()]
    authorization = f"Bearer {shop.enrol('--manage')}"
    with ExitStack() as stack:
        ours, _ = stack.enter_context(shop.serving(GRANIAN, "config.wsgi:application"))
        bare, _ = stack.enter_context(
            shop.serving(GRANIAN, "config.wsgi:application", DJANGO_SETTINGS_MODULE="benchmarks.sync.bare")
        )
        asked = delta_of(shop, ours, authorization)
        delta = f"{ours}/api/sync/product/changes?{asked}"
        # Each asks for another limit, since what is asked for again is kept.
        new = (request_of(f"{delta}&limit={1000 + n % 4000}", Authorization=authorization) for n in count())
        again = repeat(request_of(delta, Authorization=authorization))
        page = repeat(request_of(f"{ours}/api/products", Authorization=authorization))
        for what, requests, path in (("delta", new, f"delta?{asked}"), ("page", page, "page")):
            both = beside(ours, requests, bare, repeat(request_of(f"{bare}/{path}")))
            table.at_most(f"{what} of {CHANGES} beside a bare view with its statement", *both, 1.5)
        if not kinto.is_installed():
            print(
                f"Kinto isn't at {kinto.VENV}: nothing is measured beside it. `make kinto` installs it.",
                file=sys.stderr,
            )
            return
        other = stack.enter_context(kinto.serving(shop))
        url = other.address_of_delta(CHANGES)
        answer = httpx.get(url, headers={"Authorization": kinto.AUTHORIZATION})
        assert len(answer.raise_for_status().json()["data"]) == CHANGES, answer.text[:300]
        theirs = repeat(request_of(url, Authorization=kinto.AUTHORIZATION))
        for what, requests in (("asked for first", new), ("asked for again", again)):
            table.at_most(f"delta of {CHANGES}, {what}, beside Kinto", *beside(ours, requests, url, theirs), 0.25)
        for clients, least in ((1, 3), (8, 5)):
            # The bare view, which locks, writes and commits and does nothing else, says what could be reached.
            for what, address, target in (("PATCH", f"{ours}/api", least), ("a bare view's PATCH", bare, 0)):
                did, kinto_did = in_turns(
                    lambda: rate(clients, f"{address}/products", authorization, ids, bare=True),  # noqa: B023
                    lambda: rate(clients, other.records, kinto.AUTHORIZATION, ids),  # noqa: B023
                )
                table.at_least(f"{what}, {clients} at once, beside Kinto", did, kinto_did, target, "/s")


def delta_of(shop: Shop, address: str, authorization: str) -> str:
    """Edits so many products; the query of the delta since then."""
    status = httpx.get(f"{address}/api/sync/status", headers={"Authorization": authorization}).json()
    shop.connect().execute(
        "UPDATE catalog_product SET position = position + 1"
        " WHERE id IN (SELECT id FROM catalog_product ORDER BY id LIMIT %s)",
        [CHANGES],
    )
    return f"since={status['versions']['product']}&epoch={status['epoch']}"


def in_turns(ours: Callable[[], float], peer: Callable[[], float]) -> tuple[list[float], list[float]]:
    """What both say, alternately; the first round warms up."""
    rounds = [(ours(), peer()) for _ in range(ROUNDS + 1)][1:]
    return [one for one, _ in rounds], [other for _, other in rounds]


def beside(url: str, ours: Iterator[bytes], peer: str, theirs: Iterator[bytes]) -> tuple[list[float], list[float]]:
    return in_turns(lambda: latency(url, ours), lambda: latency(peer, theirs))


def latency(url: str, requests: Iterator[bytes]) -> float:
    """The median of one client's answers, in ms."""
    return statistics.median(timings(url, requests, seconds=SECONDS, connections=1)) * 1000


def rate(clients: int, address: str, authorization: str, ids: list[str], *, bare: bool = False) -> float:
    """PATCHes a second of so many clients, each of a product that is drawn; Kinto wants its values below "data"."""

    def requests() -> Iterator[bytes]:
        for number in count(1):  # never what is there already
            values = {"position": number}
            body = json.dumps(values if bare else {"data": values}).encode()
            url = f"{address}/{ids[number * 37 % len(ids)]}"
            yield request_of(url, method="PATCH", body=body, Authorization=authorization)

    return len(timings(address, requests(), seconds=SECONDS, connections=clients)) / SECONDS
