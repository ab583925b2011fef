"""A login that has an authenticator app is asked for its code."""

import re
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django_otp.oath import totp as code_of
from django_otp.plugins.otp_totp.models import TOTPDevice

pytestmark = pytest.mark.django_db


def is_in(name: str, **more: str) -> bool:
    client = Client()
    client.post("/admin/login/", {"username": name, "password": "secret", **more})
    return SESSION_KEY in client.session


@pytest.fixture
def app(manager: User, capsys: Any) -> TOTPDevice:
    call_command("totp", "boss")
    said = capsys.readouterr().out
    device = TOTPDevice.objects.get()
    assert re.search(r"^otpauth://totp/\S+secret=\w+", said, re.MULTILINE)
    assert "██" in said
    return device


def code(app: TOTPDevice) -> str:
    return f"{code_of(app.bin_key, t0=0):06d}"


def test_without_an_app_nothing_is_asked_for(manager: User) -> None:
    assert 'name="code"' not in Client().get("/admin/login/").content.decode()
    assert is_in("boss")


def test_with_one_the_password_alone_is_not_enough(app: TOTPDevice) -> None:
    assert 'name="code"' in Client().get("/admin/login/").content.decode()

    assert not is_in("boss")
    assert not is_in("boss", code="")
    assert not is_in("boss", code="12")
    assert is_in("boss", code=f"{code(app)[:3]} {code(app)[3:]}")


def test_a_code_is_good_once(app: TOTPDevice) -> None:
    assert is_in("boss", code=code(app))
    assert not is_in("boss", code=code(app))


def test_a_wrong_code_is_a_wrong_login(app: TOTPDevice) -> None:
    wrong = f"{(int(code(app)) + 1) % 10**6:06d}"
    answers = [
        Client().post("/admin/login/", {"username": "boss", "password": "secret", "code": wrong}) for _ in range(11)
    ]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert "correct" in answers[0].content.decode()


def test_others_log_in_as_before(app: TOTPDevice) -> None:
    User.objects.create_user("ana", password="secret", is_staff=True)
    assert is_in("ana")


def test_superusers_need_one_where_the_setting_says_so(manager: User, settings: Any) -> None:
    settings.TOTP_FOR_SUPERUSERS = True
    User.objects.create_user("ana", password="secret", is_staff=True)

    answer = Client().post("/admin/login/", {"username": "boss", "password": "secret"})

    assert "manage.py totp" in answer.content.decode()
    assert not is_in("boss")
    assert is_in("ana")
    call_command("totp", "boss")
    assert is_in("boss", code=code(TOTPDevice.objects.get()))


def test_an_app_is_replaced_and_removed(app: TOTPDevice) -> None:
    call_command("totp", "boss")
    assert TOTPDevice.objects.get().key != app.key
    call_command("totp", "boss", "--remove")
    assert is_in("boss")
    with pytest.raises(CommandError, match="nobody"):
        call_command("totp", "nobody")


def test_no_page_shows_its_secret(app: TOTPDevice, manager: User) -> None:
    client = Client()
    client.force_login(manager)
    for address in ("/admin/", reverse("admin:auth_user_change", args=[manager.pk]), "/admin/otp_totp/totpdevice/"):
        page = client.get(address)
        assert app.key not in page.content.decode()
    assert page.status_code == 404
