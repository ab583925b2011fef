"""Pictures that lie in a bucket: the server redirects there, and the page follows, checks and keeps what comes."""

from collections.abc import Callable, Iterator

import pytest

from tests.parts import Bucket
from tests.posclient.proxy import Proxy
from tests.running import SERVE, RunningServer

from .conftest import House, OpenTerminal, Watch, until_connection
from .pictures import product_with_picture, show, until_complete

pytestmark = [pytest.mark.any_database, pytest.mark.timeout(240)]


@pytest.fixture
def cleared() -> None:
    """Nobody else meets this server."""


@pytest.fixture
def house(
    new_database: Callable[[], dict[str, str]], new_bucket: Bucket, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """A shop whose pictures are in a bucket of another host."""
    data = tmp_path_factory.mktemp("house") / "data"
    settings = {**new_database(), **new_bucket.environment, "IMAGE_DELIVERY": "redirect"}
    with RunningServer(data, settings, (*SERVE, "--no-demo", "--access-log")) as server:
        yield House(server.until_ready())


def test_a_picture_of_a_bucket_is_shown_kept_and_fetched_once(
    house: House, proxy: Proxy, open_terminal: OpenTerminal, watch: Watch, new_bucket: Bucket
) -> None:
    watch.allow(f"request to another host: {new_bucket.endpoint_url}/{new_bucket.name}/images/")
    wide = product_with_picture(house)["image"]
    narrow = product_with_picture(house, width=200, height=150)["image"]

    page = open_terminal()

    until_complete(page, [wide, narrow])
    assert [show(page, wide), show(page, narrow)] == [(320, 240), (200, 150)]
    page.wait_for_selector(f"[data-product] img[data-hash='{wide}']")
    page.reload()
    until_connection(page)
    until_complete(page, [wide, narrow])
    assert {asked.status for asked in proxy.asked_below("/api/image/")} == {302}
    for hash in (wide, narrow):
        assert sum(hash in asked.path for asked in proxy.asked_below("/api/image/")) == 1
        assert sum(new_bucket.name in url and hash in url for url in watch.requests) == 1
