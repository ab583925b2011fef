"""A server that begins a new history, at a start of `manage.py serve` or after a restore: all is fetched once."""

from collections.abc import Callable, Iterator

import pytest

from tests.browser.terminal.conftest import House, OpenTerminal, Watch
from tests.browser.terminal.looking import BROKEN_NETWORK, deltas, rows, snapshots, until_shown, until_state
from tests.posclient.proxy import Proxy
from tests.running import SERVE, RunningServer


@pytest.fixture
def cleared() -> None:
    """Nobody else meets this server."""


@pytest.fixture
def house(new_database: Callable[[], dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One of our own, since it is stopped."""
    data = tmp_path_factory.mktemp("house") / "data"
    with RunningServer(data, new_database(), (*SERVE, "--no-demo", "--access-log")) as server:
        yield House(server.until_ready())


def test_a_server_that_was_restarted_or_restored_is_refetched_once(
    house: House, proxy: Proxy, open_terminal: OpenTerminal, watch: Watch
) -> None:
    watch.allow(BROKEN_NETWORK)
    product = house.product(price="1.00")
    page = open_terminal()
    until_shown(page, product["id"], price="1.00")
    first = snapshots(proxy)

    house.server.stop()
    until_state(page, "waiting")
    house.server.start()
    house.server.until_ready()
    proxy.upstream_port = house.server.port
    until_state(page, "live")
    until_shown(page, product["id"], price="1.00")
    assert (snapshots(proxy), deltas(proxy)) == (2 * first, 0)

    house.server.manage("new_epoch")
    house.change(product["id"], price="2.00")
    until_shown(page, product["id"], price="2.00")
    until_state(page, "live")

    assert rows(page) == house.snapshot("product")
    assert (snapshots(proxy), deltas(proxy)) == (3 * first, 0)
