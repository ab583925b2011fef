"""Guesses at passwords are limited before anything is hashed, and the demo login is for the machine itself."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY, hashers
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from catalog.demo.loading import make_superuser
from devices import logins
from devices.models import FailedTry

pytestmark = pytest.mark.django_db

LOGIN = "/admin/login/"
LAN = "192.168.1.9"


def log_in(name: str, password: str, *, address: str = "127.0.0.1", **options: Any) -> Any:
    client = Client(REMOTE_ADDR=address)
    answer: Any = client.post(LOGIN, {"username": name, "password": password}, **options)
    answer.is_in = SESSION_KEY in client.session
    return answer


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that were hashed."""
    done: list[str] = []
    verify = hashers.MD5PasswordHasher.encode

    def encode(self: Any, password: str, salt: str) -> str:
        done.append(password)
        return verify(self, password, salt)

    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", encode)
    return done


def test_the_eleventh_guess_from_one_address_has_to_wait_and_costs_no_hash(manager: User, hashed: list[str]) -> None:
    answers = [log_in(f"name{number}", "wrong") for number in range(10)]
    assert [answer.status_code for answer in answers] == [200] * 10
    hashed.clear()

    answer = log_in("boss", "secret")

    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 900
    assert not answer.is_in
    assert hashed == []
    assert log_in("boss", "secret", address=LAN).is_in


def test_the_eleventh_guess_at_one_name_has_to_wait_wherever_it_comes_from(manager: User, hashed: list[str]) -> None:
    for number in range(10):
        assert log_in("BOSS" if number % 2 else "boss", "wrong", address=f"10.0.0.{number}").status_code == 200
    hashed.clear()

    answer = log_in("boss", "secret", address=LAN)

    assert (answer.status_code, answer.is_in, hashed) == (429, False, [])


def test_a_person_reads_a_page(manager: User) -> None:
    for number in range(10):
        log_in("boss", "wrong", address=f"10.0.0.{number}")

    answer = log_in("boss", "secret", headers={"Accept": "text/html"})

    assert answer.status_code == 429
    assert answer["Retry-After"]
    assert "Expected available in" in answer.content.decode()


def test_time_and_the_right_password_forgive_a_name_and_no_address(manager: User) -> None:
    for _ in range(2):
        for _ in range(4):
            log_in("boss", "wrong")
        assert log_in("boss", "secret").is_in
    for _ in range(2):
        assert log_in("boss", "wrong").status_code == 200
    assert log_in("boss", "secret").status_code == 429

    FailedTry.objects.update(at=timezone.now() - timedelta(minutes=16))
    assert log_in("boss", "secret").is_in


def test_tries_of_tomorrow_lock_nobody(manager: User) -> None:
    for _ in range(10):
        log_in("boss", "wrong")
    FailedTry.objects.update(at=timezone.now() + timedelta(days=400))

    assert log_in("boss", "secret").is_in


@pytest.mark.parametrize("name", ["nul\x00", "x" * 5000, "ﬀ"], ids=ascii)
def test_a_name_of_whatever_kind_is_only_wrong(name: str) -> None:
    assert log_in(name, "wrong").status_code in (200, 400)


@pytest.fixture
def demo(db: None) -> User:
    make_superuser()
    return User.objects.get(username="demo")


@pytest.mark.parametrize(
    ("where", "is_in"),
    [
        ({}, True),
        ({"address": "::1"}, True),
        ({"headers": {"Host": "localhost:8000"}}, True),
        ({"headers": {"Host": "127.0.0.1:8000"}}, True),
        ({"address": LAN}, False),
        ({"address": "172.17.0.1"}, False),
        ({"headers": {"X-Forwarded-For": LAN}}, False),
        ({"headers": {"X-Forwarded-For": "127.0.0.1"}}, False),
        ({"headers": {"X-Real-IP": LAN}}, False),
        ({"headers": {"X-Forwarded-Proto": "http"}}, False),
        ({"headers": {"Via": "1.1 front"}}, False),
        ({"headers": {"Host": "evil.local"}}, False),
        ({"headers": {"Host": "evil.lan:8000"}}, False),
    ],
)
def test_the_demo_login_works_on_the_machine_itself(demo: User, where: dict[str, Any], is_in: bool) -> None:
    answer = log_in("demo", "demo", **where)

    assert answer.is_in is is_in
    assert is_in or "only on the machine" in answer.content.decode()


def test_once_its_password_is_changed_it_works_from_everywhere(demo: User) -> None:
    demo.set_password("Ourselves-7")
    demo.save()

    assert log_in("demo", "Ourselves-7", address=LAN).is_in
    assert not log_in("demo", "demo").is_in
    assert "demo / demo" not in Client().get(LOGIN).content.decode()


def test_the_login_page_says_so(demo: User) -> None:
    assert "The login demo / demo works only on the machine" in Client().get(LOGIN).content.decode()


def test_without_a_demo_it_says_nothing(manager: User) -> None:
    assert "demo" not in Client().get(LOGIN).content.decode()


def test_the_page_hashes_once_for_each_password(demo: User, hashed: list[str]) -> None:
    logins._is_first.cache_clear()
    for _ in range(3):
        Client().get(LOGIN)
    assert hashed == ["demo"]


Hosts = Callable[..., Any]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("192.168.1.5", 200),
        ("[::1]:8000", 200),
        ("[fe80::1]", 200),
        ("localhost", 200),
        ("till.local:8000", 200),
        ("till.lan", 200),
        ("evil.example", 400),
        ("evil.example:8000", 400),
        ("127.0.0.1.evil.example", 400),
        ("localhost.evil.example", 400),
        ("evil-local", 400),
        ("1.2.3", 400),
        ("", 200),
    ],
)
def test_a_name_that_is_not_ours_is_refused(host: str, status: int) -> None:
    for address in (LOGIN, "/api/schema", "/terminal/"):
        assert Client().get(address, headers={"Host": host} if host else {}).status_code == status


def test_the_names_of_the_machine_are_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    from devices import hosts

    (tmp_path / "resolv.conf").write_text("# by dhcp\nsearch fritz.box lan.\nnameserver 10.0.0.1\n")
    monkeypatch.setattr(hosts, "RESOLVER", tmp_path / "resolv.conf")
    monkeypatch.setattr("socket.gethostname", lambda: "Pos-1.shop.example")
    hosts.machine_names.cache_clear()
    try:
        assert hosts.machine_names() == (
            *("localhost", "pos-1.shop.example", "pos-1", "pos-1.local", "pos-1.fritz.box", "pos-1.lan"),
        )
    finally:
        hosts.machine_names.cache_clear()
