from collections.abc import Iterator

import pytest

from tests.studio import provider


@pytest.fixture(scope="session")
def provider_process() -> Iterator[provider.Running]:
    with provider.running() as running:
        yield running


@pytest.fixture
def remote(provider_process: provider.Running) -> provider.Running:
    """A provider that nobody has asked anything yet."""
    provider_process.reset()
    return provider_process
