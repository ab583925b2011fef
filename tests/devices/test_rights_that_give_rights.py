"""Nobody gives what they don't have: not by a code, not on a device, not to a login or a group."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from devices.models import Device, EnrolmentCode
from devices.rights import WORTH
from devices.services import enroll

pytestmark = pytest.mark.django_db

Login = Callable[..., User]


@pytest.fixture
def login(client: Client) -> Login:
    """``login(name, …)`` logs a member of the staff in who has these permissions."""

    def make(*permissions: str) -> User:
        user = User.objects.create_user("mara", password="secret", is_staff=True)
        user.user_permissions.set(map(permission, permissions))
        client.force_login(user)
        return user

    return make


def permission(name: str) -> Permission:
    app, _, codename = name.partition(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)


def test_each_scope_is_worth_permissions_that_exist() -> None:
    assert {"catalog.change_product", "catalog.delete_employee"} <= WORTH["manage"]
    assert {"uploads.add_photo", "images.add_image", "catalog.change_product"} == WORTH["upload"]
    for scope in ("upload", "manage"):
        assert all(map(permission, WORTH[scope]))


@pytest.mark.parametrize("scope", ["upload", "manage"])
def test_a_code_gives_no_scope_that_its_maker_does_not_have(client: Client, login: Login, scope: str) -> None:
    user = login("devices.add_enrolmentcode", *sorted(WORTH[scope])[1:])

    page = client.post("/admin/devices/enrolmentcode/add/", {f"may_{scope}": "on"})

    assert sorted(WORTH[scope])[0] in page.content.decode()
    assert not EnrolmentCode.objects.exists()
    user.user_permissions.add(permission(sorted(WORTH[scope])[0]))
    assert client.post("/admin/devices/enrolmentcode/add/", {f"may_{scope}": "on"}).status_code == 200
    assert EnrolmentCode.objects.get().scopes == ["read", scope]


@pytest.mark.parametrize("scope", ["upload", "manage"])
def test_a_device_gets_no_scope_that_its_editor_does_not_have(client: Client, login: Login, scope: str) -> None:
    device = enroll(name="Till 1").device
    user = login("devices.change_device")
    address = reverse("admin:devices_device_change", args=[device.pk])

    assert client.post(address, {"name": "Till 1", f"may_{scope}": "on"}).status_code == 200
    assert Device.objects.get().scopes == ["read"]

    user.user_permissions.add(*map(permission, WORTH[scope]))
    assert client.post(address, {"name": "Till 1", f"may_{scope}": "on"}).status_code == 302
    assert Device.objects.get().scopes == ["read", scope]


def test_who_may_not_give_a_scope_renames_a_device_and_takes_it_away(client: Client, login: Login) -> None:
    device = enroll(name="Till 1", may_upload=True, may_manage=True).device
    login("devices.change_device")
    address = reverse("admin:devices_device_change", args=[device.pk])

    assert client.post(address, {"name": "Bar", "may_upload": "on", "may_manage": "on"}).status_code == 302
    assert Device.objects.get().scopes == ["read", "upload", "manage"]
    assert client.post(address, {"name": "Bar"}).status_code == 302
    assert Device.objects.get().scopes == ["read"]


def form_of(user: User, **more: object) -> dict[str, object]:
    joined = user.date_joined
    return {
        "username": user.username,
        "is_active": "on",
        "is_staff": "on",
        "date_joined_0": joined.strftime("%Y-%m-%d"),
        "date_joined_1": joined.strftime("%H:%M:%S"),
        **more,
    }


def test_nobody_becomes_superuser_by_their_own_hand(client: Client, login: Login) -> None:
    user = login("auth.change_user")
    address = reverse("admin:auth_user_change", args=[user.pk])

    assert client.post(address, form_of(user, is_superuser="on")).status_code == 302

    assert not User.objects.get(pk=user.pk).is_superuser


def test_nobody_gives_a_permission_that_one_does_not_have(client: Client, login: Login) -> None:
    user = login("auth.change_user", "catalog.view_product")
    other = User.objects.create_user("paula", is_staff=True)
    for whom in (user, other):
        address = reverse("admin:auth_user_change", args=[whom.pk])
        page = client.post(address, form_of(whom, user_permissions=[permission("catalog.delete_product").pk]))
        assert "catalog.delete_product" in page.content.decode()
        assert not User.objects.get(pk=whom.pk).has_perm("catalog.delete_product")

    given = form_of(other, user_permissions=[permission("catalog.view_product").pk])
    assert client.post(reverse("admin:auth_user_change", args=[other.pk]), given).status_code == 302
    assert User.objects.get(pk=other.pk).has_perm("catalog.view_product")


def test_nobody_joins_a_group_that_may_more(client: Client, login: Login) -> None:
    user = login("auth.change_user", "auth.view_group")
    group = Group.objects.create(name="Managers")
    group.permissions.add(permission("catalog.change_product"))

    client.post(reverse("admin:auth_user_change", args=[user.pk]), form_of(user, groups=[group.pk]))

    assert not User.objects.get(pk=user.pk).groups.exists()


def test_nobody_gives_their_own_group_more(client: Client, login: Login) -> None:
    user, group = login("auth.change_group"), Group.objects.create(name="Waiters")
    user.groups.add(group)
    address = reverse("admin:auth_group_change", args=[group.pk])

    more = {"name": "Waiters", "permissions": [permission("catalog.change_product").pk]}
    assert client.post(address, more).status_code == 200
    assert not group.permissions.exists()
    assert client.post(address, {"name": "Service"}).status_code == 302


def test_a_new_group_holds_what_its_maker_has(client: Client, login: Login) -> None:
    login("auth.add_group", "catalog.view_tag")
    for name, status in (("catalog.change_tag", 200), ("catalog.view_tag", 302)):
        group = {"name": name, "permissions": [permission(name).pk]}
        assert client.post(reverse("admin:auth_group_add"), group).status_code == status
    assert Group.objects.get().name == "catalog.view_tag"


@pytest.mark.parametrize("more", ["superuser", "permission", "group"])
def test_nobody_takes_over_a_login_that_may_more(client: Client, login: Login, more: str) -> None:
    login("auth.change_user", "auth.delete_user", "auth.view_user")
    boss = User.objects.create_user("boss", password="first", is_staff=True, is_superuser=more == "superuser")
    if more == "permission":
        boss.user_permissions.add(permission("catalog.change_product"))
    if more == "group":
        group = Group.objects.create(name="Managers")
        group.permissions.add(permission("catalog.change_product"))
        boss.groups.add(group)
    password = {"password1": "Ourselves-7", "password2": "Ourselves-7", "usable_password": "true"}

    answers = [
        client.post(reverse("admin:auth_user_password_change", args=[boss.pk]), password),
        client.post(reverse("admin:auth_user_change", args=[boss.pk]), form_of(boss, email="me@here.example")),
        client.post(reverse("admin:auth_user_delete", args=[boss.pk]), {"post": "yes"}),
    ]

    chosen = {"action": "delete_selected", "_selected_action": [boss.pk], "post": "yes"}
    client.post(reverse("admin:auth_user_changelist"), chosen)

    assert [answer.status_code for answer in answers] == [403, 403, 403]
    boss.refresh_from_db()
    assert boss.check_password("first")
    assert boss.email == ""


def test_who_may_as_much_changes_a_login(client: Client, login: Login) -> None:
    login("auth.change_user", "catalog.change_product")
    other = User.objects.create_user("paula", password="first", is_staff=True)
    other.user_permissions.add(permission("catalog.change_product"))
    password = {"password1": "Ourselves-7", "password2": "Ourselves-7", "usable_password": "true"}

    assert client.post(reverse("admin:auth_user_password_change", args=[other.pk]), password).status_code == 302

    other.refresh_from_db()
    assert other.check_password("Ourselves-7")


def test_a_superuser_gives_all(client: Client, manager: User) -> None:
    client.force_login(manager)
    other = User.objects.create_user("paula", is_staff=True)
    given = form_of(other, is_superuser="on", user_permissions=[permission("catalog.delete_product").pk])

    assert client.post(reverse("admin:auth_user_change", args=[other.pk]), given).status_code == 302

    other.refresh_from_db()
    assert other.is_superuser
