"""A scripted provider in a process of its own, a manager, and items that she asked for."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from catalog.models import Category, Product
from studio import queueing, services
from studio.models import Item
from studio.services import Wish
from tests.studio import provider
from tests.studio.workers import Workers, running
from tests.uploads.conftest import broken_storage as broken_storage

Ask = Callable[..., Item]


@pytest.fixture(scope="session")
def provider_process() -> Iterator[provider.Running]:
    with provider.running() as running:
        yield running


@pytest.fixture(scope="session")
def workers(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workers]:
    with running(tmp_path_factory.mktemp("workers")) as workers:
        yield workers


@pytest.fixture
def remote(provider_process: provider.Running) -> provider.Running:
    """A provider that nobody has asked anything yet."""
    provider_process.reset()
    return provider_process


@pytest.fixture
def paid(settings: LazySettings, remote: provider.Running) -> provider.Running:
    """The provider of the settings costs money, and isn't waited for long."""
    settings.STUDIO_PROVIDER, settings.STUDIO_MODEL = "openai", "some-model-1"
    settings.STUDIO_BASE_URL, settings.STUDIO_API_KEY = remote.openai, provider.KEY
    settings.STUDIO_TIMEOUT_SECONDS = 10
    return remote


@pytest.fixture(autouse=True)
def no_messages(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that works on items itself isn't overtaken by a worker that another test has started."""
    if "celery_worker_process" not in request.fixturenames:
        monkeypatch.setattr(queueing, "send", lambda items, until: None)


@pytest.fixture
def manager(transactional_db: None) -> User:
    return User.objects.create_superuser("manager")


@pytest.fixture
def staff(manager: User) -> Client:
    client = Client(headers={"Prefer": "respond-async"})
    client.force_login(manager)
    return client


@pytest.fixture
def product(transactional_db: None) -> Product:
    return Product.objects.create(name="Tortilla", price="4.50", category=Category.objects.create(name="Tapas"))


@pytest.fixture
def ask(manager: User) -> Ask:
    """Asks for a picture as the API does; what was asked for is pending."""

    def ask_for(prompt: str = "a soup", *, id: UUID | None = None, now: datetime | None = None, **more: Any) -> Item:
        item, _created = services.ask_for(
            owner=manager, item_id=id or uuid4(), wish=Wish(prompt=prompt, **more), now=now or timezone.now()
        )
        return Item.objects.get(pk=item.pk)

    return ask_for
