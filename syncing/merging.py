"""One version for each object of a transaction, also on SQLite.

PostgreSQL numbers at commit, when it is known what a transaction touched. SQLite numbers each change of a row as it
happens; whoever writes much in one transaction lets its changes be numbered anew before anybody sees them.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.models import Count

from .models import Change, SyncedResource

# One change for each object, in the order of its last; behind what is there, since the old ones take their places.
MERGED = """
INSERT INTO syncing_change (resource, version, object_id, action, at)
SELECT l.resource, %(top)s + row_number() OVER (ORDER BY l.version), l.object_id,
  CASE WHEN l.action = 'deleted' THEN 'deleted' WHEN f.action = 'created' THEN 'created' ELSE 'updated' END, l.at
FROM (
  SELECT min(version) AS first, max(version) AS last FROM syncing_change
  WHERE resource = %(resource)s AND version > %(base)s GROUP BY object_id
) AS touched
JOIN syncing_change AS f ON f.resource = %(resource)s AND f.version = touched.first
JOIN syncing_change AS l ON l.resource = %(resource)s AND l.version = touched.last
WHERE NOT (f.action = 'created' AND l.action = 'deleted')"""
DOWN = "UPDATE syncing_change SET version = version - %s WHERE resource = %s AND version > %s"


@contextmanager
def one_version_each() -> Iterator[None]:
    """What is written inside makes one version of each object that it touches. Needs a transaction that began here."""
    if connection.vendor != "sqlite":
        yield
        return
    before = dict(SyncedResource.objects.values_list("name", "version"))
    yield
    for resource, top in SyncedResource.objects.values_list("name", "version"):
        if top - (base := before.get(resource, 0)) > 1:
            _merge(resource, base, top)


def _merge(resource: str, base: int, top: int) -> None:
    new = Change.objects.filter(resource=resource, version__gt=base, version__lte=top)
    if new.aggregate(objects=Count("object_id", distinct=True))["objects"] == top - base:
        return
    with connection.cursor() as cursor:
        cursor.execute(MERGED, {"resource": resource, "base": base, "top": top})
        count = cursor.rowcount
        new.delete()
        cursor.execute(DOWN, [top - base, resource, top])
        SyncedResource.objects.filter(name=resource).update(version=base + count)
