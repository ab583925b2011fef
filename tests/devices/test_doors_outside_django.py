"""The event stream is a plain ASGI callable; it asks the same question with a request made from its scope."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from devices.identity import COOKIE, NotStaff, TokenInvalid, identify, request_from_scope
from devices.services import Enrolled

pytestmark = pytest.mark.django_db


def scope(*headers: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": "/api/sync/events",
        "query_string": b"resources=product",
        "headers": [(name.encode("latin1"), value.encode("latin1")) for name, value in headers],
        **more,
    }


def session_cookie(user: User) -> tuple[str, str]:
    client = Client()
    client.force_login(user)
    return "cookie", f"sessionid={client.cookies['sessionid'].value}"


def test_a_bearer_token_is_understood(till: Enrolled) -> None:
    caller = identify(request_from_scope(scope(("authorization", f"Bearer {till.token}"))))

    assert caller is not None
    assert (caller.kind, caller.id, caller.name) == ("device", str(till.device.id), "Till 1")
    assert caller.scopes == {"read"}


def test_a_device_cookie_is_understood(till: Enrolled) -> None:
    caller = identify(request_from_scope(scope(("cookie", f"a=b; {COOKIE}={till.token}"))))

    assert caller is not None
    assert caller.id == str(till.device.id)


def test_a_staff_session_is_understood(staff: User) -> None:
    caller = identify(request_from_scope(scope(session_cookie(staff))))

    assert caller is not None
    assert (caller.kind, caller.id, caller.name) == ("staff", str(staff.pk), "mara")


def test_a_login_without_staff_access_is_told_so() -> None:
    with pytest.raises(NotStaff) as refused:
        identify(request_from_scope(scope(session_cookie(User.objects.create_user("guest")))))

    assert (refused.value.status, refused.value.code) == (403, "forbidden")


def test_a_wrong_token_is_told_so() -> None:
    with pytest.raises(TokenInvalid) as refused:
        identify(request_from_scope(scope(("authorization", "Bearer wrong"))))

    assert (refused.value.status, refused.value.code) == (401, "invalid_token")


@pytest.mark.parametrize("cookie", ["", "sessionid=", "sessionid=unknown", "=;;=\xff", "sessionid=\x00"])
def test_nobody_is_nobody(cookie: str) -> None:
    assert identify(request_from_scope(scope(("cookie", cookie)))) is None


def test_a_query_that_is_not_text_is_no_failure() -> None:
    assert identify(request_from_scope(scope(query_string=b"\xff\xfe"))) is None


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["a/b; x*=bogus''y", "a/b; charset=hex", "\xff"])
def test_a_type_that_cannot_be_read_is_no_failure(till: Enrolled, kind: str) -> None:
    caller = identify(request_from_scope(scope(("content-type", kind), ("authorization", f"Bearer {till.token}"))))
    assert caller is not None


def test_a_header_with_an_underscore_is_not_taken_for_the_one_with_a_dash(till: Enrolled) -> None:
    request = request_from_scope(scope(("x_client_verify", "SUCCESS")))

    assert "HTTP_X_CLIENT_VERIFY" not in request.META


def test_an_identification_costs_one_query(till: Enrolled, django_assert_num_queries) -> None:
    request = request_from_scope(scope(("authorization", f"Bearer {till.token}")))

    with django_assert_num_queries(1):
        caller = identify(request)
    assert caller is not None
    assert caller.id == str(till.device.pk)
