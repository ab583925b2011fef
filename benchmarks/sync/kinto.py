"""Kinto with the products of the shop: a server that keeps JSON in PostgreSQL, knows versions and gives deltas.

It has the same PostgreSQL, the same objects and the same form of server (granian), and is set up as ``kinto init`` does
it. It lives in an environment of its own, ``.venv-kinto`` or what the variable ``KINTO_VENV`` names: ``make kinto``.
"""

import base64
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import run
from urllib.parse import quote, unquote

import httpx
import psycopg

from .shop import GRANIAN, Shop

VENV = Path(os.environ.get("KINTO_VENV", ".venv-kinto")).absolute()
PYTHON = VENV / "bin" / "python"
PRODUCTS = "/buckets/shop/collections/product"
SETTINGS = """
[app:main]
use = egg:kinto
kinto.includes = kinto.plugins.accounts
kinto.storage_backend = kinto.core.storage.postgresql
kinto.storage_url = {url}
kinto.permission_backend = kinto.core.permission.postgresql
kinto.permission_url = {url}
kinto.cache_backend = kinto.core.cache.memory
kinto.userid_hmac_secret = bench
multiauth.policies = account
multiauth.policy.account.use = kinto.plugins.accounts.AccountsPolicy
kinto.account_create_principals = system.Everyone
kinto.bucket_create_principals = account:bench
"""
APPLICATION = "from pyramid.paster import get_app\n\napplication = get_app({ini!r})\n"
AUTHORIZATION = f"Basic {base64.b64encode(b'bench:bench').decode()}"
# As if written over HTTP, where each would be a request. Kinto's own trigger gives every row a time of its own.
FILL = "INSERT INTO objects (id, parent_id, resource_name, data, deleted) VALUES (%s, %s, 'record', %s, false)"
TOUCH = """
UPDATE objects SET last_modified = NULL, data = jsonb_set(data, '{position}', to_jsonb((data->>'position')::int + 1))
WHERE parent_id = %s AND resource_name = 'record'
AND id IN (SELECT id FROM objects WHERE parent_id = %s AND resource_name = 'record' ORDER BY id LIMIT %s)
"""


def is_installed() -> bool:
    return PYTHON.exists()


class Kinto:
    """A running one. ``records`` is the address of all products."""

    def __init__(self, address: str, connection: psycopg.Connection) -> None:
        self.records = f"{address}/v1{PRODUCTS}/records"
        self.connection = connection

    def address_of_delta(self, changes: int) -> str:
        """Edits so many products; the address of what changed."""
        answer = httpx.head(self.records, headers={"Authorization": AUTHORIZATION}).raise_for_status()
        self.connection.execute(TOUCH, [PRODUCTS, PRODUCTS, changes])
        return f"{self.records}?_since={quote(answer.headers['ETag'])}"


@contextmanager
def serving(shop: Shop) -> Iterator[Kinto]:
    """Kinto, filled with the objects that terminals of the shop get."""
    from syncing import log

    with psycopg.connect(shop.url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS kinto")
        connection.execute("CREATE DATABASE kinto")
    user, _, host = shop.url.removeprefix("postgresql://").removesuffix("/postgres").partition("@")
    ini = shop.folder / "kinto.ini"
    ini.write_text(SETTINGS.format(url=f"postgresql://{user}@/kinto?host={unquote(host)}"))
    run([VENV / "bin" / "kinto", "migrate", "--ini", ini], check=True, capture_output=True)
    (shop.folder / "kinto_application.py").write_text(APPLICATION.format(ini=str(ini)))
    with (
        shop.serving(GRANIAN, "kinto_application:application", python=PYTHON, PYTHONPATH=str(shop.folder)) as (
            address,
            _,
        ),
        psycopg.connect(shop.url.removesuffix("/postgres") + "/kinto", autocommit=True) as connection,
        httpx.Client(base_url=f"{address}/v1", headers={"Authorization": AUTHORIZATION}) as client,
    ):
        client.put("/accounts/bench", json={"data": {"password": "bench"}}).raise_for_status()
        client.put("/buckets/shop").raise_for_status()
        client.put(PRODUCTS).raise_for_status()
        with connection.cursor() as cursor:
            products = json.loads(log.snapshot(name="product").items)
            cursor.executemany(FILL, [(one.pop("id"), PRODUCTS, json.dumps(one)) for one in products])
        connection.execute("VACUUM ANALYZE")
        yield Kinto(address, connection)
