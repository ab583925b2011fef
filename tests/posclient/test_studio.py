"""The main job of the studio: a product without a picture gets one, and a terminal has it on its disk."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from PIL import Image

from posclient import Bridge, Terminal
from tests.parts import wait_until
from tests.posclient.conftest import BRISK, Shop
from tests.running import SERVE, RunningServer
from tests.studio import provider

# Placing a picture under locks is tested on both databases in tests/studio.
pytestmark = [pytest.mark.any_database, pytest.mark.timeout(300)]  # a whole server starts

MAKE = """
import uuid
from django.contrib.auth.models import User
from django.test import Client
from catalog.models import Category, Product
from devices.services import enroll
manager = Client()
manager.force_login(User.objects.create_superuser(f"manager {uuid.uuid4().hex[:8]}"))
(session,) = manager.cookies.values()
category = Category.objects.create(name=f"Tapas {uuid.uuid4().hex[:8]}")
product = Product.objects.create(name="Tortilla", price="4.50", category=category)
print(session.value, product.pk, enroll(name="Till").token)
"""


@dataclass
class Counter:
    """A product without a picture, a manager who is logged in, and the token of a terminal."""

    server: RunningServer
    manager: httpx.Client
    product: str
    token: str

    def by_the_list_of_products(self) -> None:
        """The action, and its page's button."""
        form = {"action": "generate_pictures", "_selected_action": self.product}
        page = self.manager.post("/admin/catalog/product/", data=form)
        assert "1 chosen product has no picture." in page.text
        assert self.manager.post("/admin/catalog/product/", data={**form, "apply": "1"}).status_code == 302

    def by_the_api(self) -> None:
        """Twice, as after a lost answer: it is the same picture."""
        wish = {"id": str(uuid4()), "product": self.product}
        for statuses in ({201, 202}, {200}):
            answer = self.manager.post("/api/image/generate", json=wish)
            assert answer.status_code in statuses, answer.text

    def item(self) -> dict[str, object]:
        """What the manager's history says of the only picture in it."""
        (item,) = self.manager.get("/api/history").raise_for_status().json()["results"]
        return dict(item)


def counter_of(server: RunningServer) -> Counter:
    session, product, token = server.manage("shell", "-c", MAKE).split()[-3:]
    secret = "c" * 32  # a browser has it from a form
    manager = httpx.Client(
        base_url=server.url,
        cookies={f"sessionid_{server.port}": session, "csrftoken": secret},
        headers={"X-CSRFToken": secret, "Accept-Language": "en"},
        timeout=30,
    )
    return Counter(server, server.clients.enter_context(manager), product, token)


def comes_to_a_terminal(counter: Counter, folder: Path, ask: Callable[[], None]) -> bytes:
    """The picture of the product on the disk of a terminal that was there before it was asked for."""
    bridge = Bridge.client(counter.server.url, token=counter.token, timeouts=BRISK)
    with Terminal(bridge, folder) as terminal:
        replica = terminal.replica.start()

        def shown() -> str | None:
            product = replica.get("product", counter.product)
            return product["image"] if product else None

        assert replica.wait_until_live()
        assert replica.get("product", counter.product)
        assert shown() is None
        ask()
        assert replica.wait_for(shown, seconds=60), counter.server.said
        hash = str(shown())
        wait_until(lambda: terminal.images.get_cached_path(hash), what="the picture on the disk")
        path = terminal.images.get_cached_path(hash)
        assert path is not None
        data = path.read_bytes()
    assert sha256(data).hexdigest() == hash
    return data


@pytest.fixture(scope="module")
def scripted() -> Iterator[provider.Running]:
    with provider.running() as running:
        yield running


@pytest.fixture(scope="module")
def paying(scripted: provider.Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server that asks a provider, by the worker that it starts for it."""
    wanted = {
        "STUDIO_PROVIDER": "openai",
        "STUDIO_BASE_URL": scripted.openai,
        "STUDIO_API_KEY": provider.KEY,
        "STUDIO_MODEL": "some-model-1",
    }
    with RunningServer(tmp_path_factory.mktemp("paying") / "data", wanted, (*SERVE, "--no-demo")) as server:
        yield server.until_ready()


def test_a_label_that_was_asked_for_in_the_list_of_products_comes_to_a_terminal(shop: Shop, tmp_path: Path) -> None:
    counter = counter_of(shop.server)
    data = comes_to_a_terminal(counter, tmp_path / "till", counter.by_the_list_of_products)
    with Image.open(BytesIO(data)) as picture:
        assert picture.size == (1024, 1024)
    item = counter.item()
    assert (item["kind"], item["status"], item["placed"]) == ("drawn", "ready", True)


@pytest.mark.parametrize("ask", [Counter.by_the_list_of_products, Counter.by_the_api])
def test_a_picture_of_a_provider_comes_to_a_terminal_and_is_paid_once(
    paying: RunningServer, scripted: provider.Running, ask: Callable[[Counter], None], tmp_path: Path
) -> None:
    scripted.reset()
    counter = counter_of(paying)
    data = comes_to_a_terminal(counter, tmp_path / "till", lambda: ask(counter))
    with Image.open(BytesIO(data)) as picture:
        assert picture.size == (64, 48)
    item = counter.item()
    assert (item["kind"], item["model"], item["placed"]) == ("generated", "some-model-1", True)
    assert scripted.count() == 1
    original = counter.manager.get(str(item["r2_url"])).raise_for_status()
    assert original.content == provider.picture()  # as it came
