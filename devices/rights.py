"""What logins of the back office may do, by Django's permissions, and what a device's scope is worth in them.

Nobody gives what they don't have: whoever gives a device a scope has all permissions that the scope stands for, and
whoever gives a login or a group permissions has them.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext_lazy as _

from refusals import Refusal

VERBS = ("view", "change", "add", "delete")
# By scope, the permissions that a login needs for the same; the rooms add theirs when they are ready. ``read`` is in
# the right to make codes: every device reads.
WORTH: dict[str, set[str]] = defaultdict(set)


class NotPermitted(Refusal):
    status, code = 403, "forbidden"
    detail = _("This login may not look at that.")


def worth(scope: str, permissions: Iterable[str]) -> None:
    """Note that a device of ``scope`` does what needs these ``permissions`` of a login."""
    WORTH[scope].update(permissions)


def may_give(user: Any, scope: str) -> bool:
    """Whether ``user`` could do by itself all that a device of ``scope`` does."""
    return bool(user.has_perms(WORTH[scope]))


def permission(verb: str, model: type[Model]) -> str:
    """The name of Django's permission."""
    return f"{model._meta.app_label}.{verb}_{model._meta.model_name}"


def may_see(user: Any, model: type[Model]) -> bool:
    """Whether ``user`` may look at records of ``model``: who may do anything with them may."""
    return any(user.has_perm(permission(verb, model)) for verb in VERBS)


def governs(user: Any, other: Any) -> bool:
    """Whether ``user`` may change the login ``other``: whoever sets its password can do all that it can."""
    return bool(user.is_superuser or (not other.is_superuser and lacking(user, permissions_of(other)) == set()))


def lacking(user: Any, permissions: set[str]) -> set[str]:
    """Those of ``permissions`` that ``user`` doesn't have."""
    return set() if user.is_superuser else permissions - user.get_all_permissions()


def permissions_of(user: Any) -> set[str]:
    """Also of one who may not log in just now."""
    found = set()
    for row in (*user.user_permissions.all(), *(one for group in user.groups.all() for one in group.permissions.all())):
        found.add(name_of(row))
    return found


def name_of(row: Any) -> str:
    """What ``has_perm`` calls this row of permissions."""
    return f"{row.content_type.app_label}.{row.codename}"
