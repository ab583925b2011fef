"""Which tests run on which database, and how ``-n`` hands them out. A pytest plugin (``-p tests.distribution``).

Once, on SQLite, runs what no database makes a difference to: a test that no database is near, and what is marked
``any_database``. Nothing else decides: what isn't let near a database and reaches for one fails, on SQLite.

``-n`` hands out what takes longest first, so that no process waits for another's last test, and what stands on the same
`SHARED` part to one process, so that it is started once.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import pytest

# Fixtures that let a test near a database.
DATABASES = frozenset({"db", "transactional_db", "live_server", "django_db_setup", "new_database"})

TRANSACTIONAL = frozenset({"transactional_db", "live_server"})
# Fixtures that take seconds to start, and that many tests share.
SHARED = (
    "cluster", "shop", "cloud_shop", "chromium", "life", "neighbours", "web_of_the_session", "shown_server",
    "celery_worker_process",
)  # fmt: skip


def reaches_a_database(item: pytest.Item) -> bool:
    """Whether anything lets the test near a database; nothing else does, see `only_with_a_database_near`."""
    return item.get_closest_marker("django_db") is not None or not DATABASES.isdisjoint(fixtures_of(item))


def fixtures_of(item: pytest.Item) -> Sequence[str]:
    names: Sequence[str] = getattr(item, "fixturenames", ())
    return names


def runs_once(item: pytest.Item) -> bool:
    """Whether the run on SQLite proves all of it: no database is near, or it is marked that none makes a difference."""
    return item.get_closest_marker("any_database") is not None or not reaches_a_database(item)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Leaves out what runs once, and orders the rest for ``-n``."""
    if config.option.database == "postgresql":
        config.hook.pytest_deselected(items=[item for item in items if runs_once(item)])
        items[:] = [item for item in items if not runs_once(item)]
    seconds: dict[str, float] = defaultdict(float)
    for item in items:
        if part := shared_part(item):
            seconds[part] += likely_seconds(item)
            item.add_marker(pytest.mark.xdist_group(part))
    result = yield
    items.sort(key=lambda item: (-(seconds[shared_part(item)] or likely_seconds(item)), shared_part(item)))
    return result


def shared_part(item: pytest.Item) -> str:
    """What ``-n`` would start in each of its processes, if it handed the tests that stand on it to several of them."""
    return next((part for part in SHARED if part in fixtures_of(item)), "")


def likely_seconds(item: pytest.Item) -> float:
    """A guess, so that no long test is among the last ones."""
    if item.get_closest_marker("timeout"):
        return 10
    if shared_part(item) or not TRANSACTIONAL.isdisjoint(fixtures_of(item)):
        return 1
    mark = item.get_closest_marker("django_db")
    return 1 if mark and mark.kwargs.get("transaction") else 0.1


@pytest.fixture(autouse=True)
def only_with_a_database_near(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Holds the other tests to it. pytest-django stops them in this process; this stops the processes they start."""
    if not reaches_a_database(request.node):
        monkeypatch.setenv("DATABASE_URL", "sqlite:////dev/null/not-in-this-test")
