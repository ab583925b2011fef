"""Which tests run on which database, and how ``-n`` hands them out. A pytest plugin (``-p tests.distribution``).

Once, on SQLite, runs what no database makes a difference to: a test that no database is near, and what is marked
``any_database``. Nothing else decides: what isn't let near a database and reaches for one fails, on SQLite.

A test of Chromium or of a whole server that fails is run once more, and named in the summary (``-rR``) when it passes
then: what it waits for is done by processes that share two cores with it. Whatever proves that nothing is lost gets
one try.

``-n`` hands out what takes longest first, so that no process waits for another's last test, and what belongs `TOGETHER`
to one process, so that what it stands on is started once.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# Fixtures that let a test near a database.
DATABASES = frozenset({"db", "transactional_db", "live_server", "django_db_setup", "new_database"})

TRANSACTIONAL = frozenset({"transactional_db", "live_server"})
# Tests that stand on something that takes seconds to start and that they share. `-n` knows tests by their paths only.
TOGETHER = (
    ("tests/faults/test_fault_matrix.py",),  # forked processes
    ("tests/posclient/",),  # a server
    (  # Chromium and a server with its proxy, and once more for the rest of them
        "tests/browser/terminal/test_access_for_everybody.py",
        "tests/browser/terminal/test_menu.py",
        "tests/browser/terminal/test_photos_taken_offline.py",
        "tests/browser/terminal/test_pictures.py",
        "tests/browser/terminal/test_ticket.py",
    ),
    ("tests/browser/terminal/",),
    ("tests/browser/library/",),  # Chromium
    ("tests/browser/",),  # Chromium
    ("tests/serving/test_serve.py",),  # servers
    ("tests/serving/test_broker_states.py",),  # a server, and a broker that is brought into each state
    ("tests/serving/test_full_disk.py",),  # a server on a small disk
    ("tests/serving/test_client_certificates.py",),  # a server and two nginx
    ("tests/main_job/test_examples.py",),  # a server with the demo
    (  # a web process
        "tests/syncing/test_convergence.py",
        "tests/syncing/test_database_faults.py",
        "tests/syncing/test_histories_under_faults.py",
        "tests/syncing/test_lag.py",
        "tests/syncing/test_many_streams.py",
        "tests/syncing/test_slow_reader.py",
        "tests/syncing/test_snapshots.py",
        "tests/syncing/test_stream.py",
    ),
    (  # a Celery worker
        "tests/images/test_upkeep_commands.py",
        "tests/serving/test_probes.py",
        "tests/uploads/test_a_real_worker.py",
    ),
)


TRIED_AGAIN = ("tests/browser/", "tests/serving/")


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
    result = yield
    for item in items:
        if item.nodeid.startswith(TRIED_AGAIN):
            item.add_marker(pytest.mark.flaky(reruns=1))
    seconds: dict[str, float] = defaultdict(float)
    for item in items:
        seconds[unit(item.nodeid)] += likely_seconds(item)
    items.sort(key=lambda item: (-seconds[unit(item.nodeid)], together(item.nodeid)))
    return result


def together(nodeid: str) -> str:
    """The first path of those whose tests belong together; "" for one that stands alone."""
    return next((paths[0] for paths in TOGETHER if nodeid.startswith(paths)), "")


def unit(nodeid: str) -> str:
    """What ``-n`` hands out at once: tests that belong together, or one."""
    return together(nodeid) or nodeid


class InUnits(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> InUnits:
    return InUnits(config, log)


def likely_seconds(item: pytest.Item) -> float:
    """A guess, so that no long test is among the last ones."""
    if item.get_closest_marker("timeout"):
        return 10
    if together(item.nodeid) or not TRANSACTIONAL.isdisjoint(fixtures_of(item)):
        return 1
    mark = item.get_closest_marker("django_db")
    return 1 if mark and mark.kwargs.get("transaction") else 0.1


@pytest.fixture(autouse=True)
def only_with_a_database_near(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Holds the other tests to it. pytest-django stops them in this process; this stops the processes they start."""
    if not reaches_a_database(request.node):
        monkeypatch.setenv("DATABASE_URL", "sqlite:////dev/null/not-in-this-test")
