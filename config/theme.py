"""How the admin looks: the shades of its one colour, from the lightest to the darkest."""

CORAL = {
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
