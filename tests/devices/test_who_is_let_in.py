import pytest
from django.contrib.auth.models import User
from django.test import Client

from devices.services import Enrolled

from .conftest import bearer

pytestmark = pytest.mark.django_db
ME = "/api/devices/me"


def test_nobody_is_told_how_to_say_who_one_is(client: Client) -> None:
    response = client.get(ME)

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "not_authenticated"


@pytest.mark.parametrize(
    "header",
    [
        "Bearer wrong",
        "Bearer",
        "Bearer ",
        "bearer a b",
        "BEARER é",
        "Bearer \udcff",
        "Bearer a,b",
        "Bearer\tx",
    ],
)
def test_a_wrong_or_malformed_token_is_invalid(client: Client, header: str) -> None:
    response = client.get(ME, HTTP_AUTHORIZATION=header)

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert response.json()["code"] == "invalid_token"


@pytest.mark.parametrize("header", ["", " ", "Basic YTpi", "Basic", "Bearers x", "Digest a b c"])
def test_another_scheme_is_as_good_as_none(client: Client, header: str) -> None:
    response = client.get(ME, HTTP_AUTHORIZATION=header)

    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")


def test_the_scheme_is_read_in_any_case(client: Client, till: Enrolled) -> None:
    assert client.get(ME, HTTP_AUTHORIZATION=f"bEARER  {till.token} ").status_code == 200


def test_a_wrong_token_is_invalid_even_with_a_login(client: Client, manager: User) -> None:
    client.force_login(manager)

    response = client.get("/api/devices/me", headers=bearer("wrong"))

    assert (response.status_code, response.json()["code"]) == (401, "invalid_token")


def test_a_right_token_counts_more_than_a_login(client: Client, manager: User, till: Enrolled) -> None:
    client.force_login(manager)

    assert client.get(ME, headers=bearer(till.token)).json()["name"] == "Till 1"


def test_staff_are_no_device(client: Client, staff: User) -> None:
    client.force_login(staff)

    response = client.get(ME)

    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


def test_a_login_without_staff_access_is_not_let_in(client: Client) -> None:
    client.force_login(User.objects.create_user("guest"))

    response = client.get(ME)

    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


def test_a_login_that_was_deactivated_is_nobody(client: Client, staff: User) -> None:
    client.force_login(staff)
    User.objects.update(is_active=False)

    assert client.get(ME).status_code == 401


def test_a_bearer_write_needs_no_csrf_header(till: Enrolled) -> None:
    client = Client(enforce_csrf_checks=True)

    assert client.post("/api/devices/rotate", headers=bearer(till.token)).status_code == 200
