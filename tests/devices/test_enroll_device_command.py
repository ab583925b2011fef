from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from devices.models import Device

from .conftest import bearer

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    output = StringIO()
    call_command("enroll_device", *words, stdout=output)
    return output.getvalue()


def test_its_last_word_is_a_token_that_works(client: Client) -> None:
    token = run("Kitchen screen").split()[-1]

    me = client.get("/api/devices/me", headers=bearer(token)).json()

    assert me["name"] == "Kitchen screen"
    assert me["scopes"] == ["read"]


@pytest.mark.parametrize(
    ("options", "scopes"),
    [
        (["--upload"], ["read", "upload"]),
        (["--manage"], ["read", "manage"]),
        (["--upload", "--manage"], ["read", "upload", "manage"]),
    ],
)
def test_options_give_scopes(options: list[str], scopes: list[str]) -> None:
    run("Till", *options)

    assert Device.objects.get().scopes == scopes


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "\udcff"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(CommandError):
        run(name)

    assert not Device.objects.exists()
