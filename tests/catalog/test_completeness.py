"""A kind of record is more than a model: every kind has all that terminals, clients and managers need of it."""

import pytest
from django.apps import apps

from catalog import resources
from catalog.models import Edit
from catalog.resources import KINDS, Kind
from syncing import registry

from .completeness import lacks
from .conftest import Api


def test_no_kind_lacks_anything(demo: None, api: Api) -> None:
    lines = [line for kind in KINDS for line in lacks(kind, api)]

    assert not lines, "\n".join(lines)


def test_every_model_of_the_catalogue_is_a_kind_or_travels_inside_one_or_tells_of_one() -> None:
    inside = {child.model for kind in resources.KINDS for child in kind.resource.children}
    kinds = {kind.model for kind in resources.KINDS}
    assert set(apps.get_app_config("catalog").get_models()) == inside | kinds | {Edit}


def test_every_synced_resource_is_in_the_list() -> None:
    assert registry.names() == sorted(kind.name for kind in resources.KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_model_is_found_by_its_kind_and_a_kind_by_its_model(kind: Kind) -> None:
    assert resources.kind_of(kind.model) is kind
    assert registry.resource(kind.name) is kind.resource
