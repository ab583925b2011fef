"""Security events in words: the log and the rows have short names, the admin says them in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

SCOPE_NAMES = {"read": _("read"), "upload": _("upload"), "manage": _("manage"), "history": _("history")}
WHO = {"staff": _("login"), "device": _("device"), "code": _("enrolment code"), "operator": _("operator")}
ABOUT = {
    "name": _("name"),
    "kind": _("kind"),
    "scopes": _("scopes"),
    "fields": _("fields"),
    "reason": _("reason"),
    "code": _("enrolment code"),
    "employee": _("employee"),
    "device": _("device"),
}
KINDS = {"user": _("login"), "group": _("group")}
FIELDS = {
    "groups": _("groups"),
    "user_permissions": _("permissions"),
    "permissions": _("permissions"),
    "is_active": _("active"),
    "is_staff": _("may log in here"),
    "is_superuser": _("may do everything"),
}


def said_by(who: str) -> str:
    """Who did it: ``staff demo`` and ``device <id> Till`` as a reader knows them."""
    kind, _space, name = who.partition(" ")
    if kind not in WHO:
        return who
    if kind == "device":
        name = name.partition(" ")[2]
    return f"{capfirst(str(WHO[kind]))} {name}".strip()


def said_about(about: Mapping[str, Any]) -> str:
    """What it concerns, without ids of what has a name."""
    words: dict[str, Any] = {"scopes": SCOPE_NAMES, "kind": KINDS, "fields": FIELDS}
    found = []
    for key in [*(key for key in ABOUT if key in about), *(about.keys() - ABOUT.keys())]:
        if key == "device" and "name" in about:
            continue
        values = about[key] if isinstance(about[key], list) else [about[key]]
        known = words.get(key, {})
        found.append(f"{capfirst(str(ABOUT.get(key, key)))}: {', '.join(str(known.get(one, one)) for one in values)}")
    return "; ".join(found) or "–"
