"""How the admin looks: the settings of its theme, and the shades of its one colour."""

from django.templatetags.static import static

CORAL = {  # from the lightest to the darkest
    "50": "oklch(97.1% .013 17)",
    "100": "oklch(94% .03 18)",
    "200": "oklch(88.5% .062 18)",
    "300": "oklch(81% .11 19)",
    "400": "oklch(71% .17 22)",
    "500": "oklch(64% .19 25)",
    "600": "oklch(56% .19 26)",
    "700": "oklch(49% .17 26)",
    "800": "oklch(42% .14 26)",
    "900": "oklch(36% .11 26)",
    "950": "oklch(26% .08 26)",
}

UNFOLD = {
    "SITE_TITLE": "RedCoral",
    "SITE_HEADER": "RedCoral",
    "SITE_SYMBOL": "restaurant",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("backoffice/favicon.svg")}
    ],
    "SHOW_LANGUAGES": True,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "DASHBOARD_CALLBACK": "backoffice.dashboard.overview",
    "LOGIN": {"form": "backoffice.logins.LoginForm"},
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": "backoffice.dashboard.navigation"},
    "SCRIPTS": [lambda request: static("backoffice/access.js")],
    "STYLES": [
        lambda request: static("backoffice/lists.css"),
        lambda request: static("backoffice/admin.css"),
    ],
    "COLORS": {"primary": CORAL},
}
