"""Tags and option groups of the demo's products."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tag:
    name: str
    kind: str
    color: str = ""


@dataclass(frozen=True)
class Option:
    name: str
    change: str = "0.00"
    default: bool = False


@dataclass(frozen=True)
class Attribute:
    name: str
    options: tuple[Option, ...]
    choice: str = "one"
    required: bool = False
    min: int = 0
    max: int | None = None
    free: int = 0


TAGS = (
    Tag("House special", "menu", "#b91c1c"),
    Tag("New", "menu", "#2563eb"),
    Tag("Kids", "menu", "#d97706"),
    Tag("Spicy", "menu", "#dc2626"),
    Tag("Vegetarian", "diet", "#16a34a"),
    Tag("Vegan", "diet", "#15803d"),
    Tag("Gluten free", "diet", "#0d9488"),
    Tag("Alcohol free", "diet", "#0891b2"),
    Tag("Gluten", "allergen"),
    Tag("Milk", "allergen"),
    Tag("Eggs", "allergen"),
    Tag("Nuts", "allergen"),
    Tag("Fish", "allergen"),
    Tag("Shellfish", "allergen"),
    Tag("Sesame", "allergen"),
    Tag("Sulphites", "allergen"),
)

ATTRIBUTES = (
    Attribute(
        "Coffee size",
        (Option("Small", default=True), Option("Medium", "0.60"), Option("Large", "1.10")),
        required=True,
    ),
    Attribute(
        "Milk",
        (
            Option("Whole milk", default=True),
            Option("Skimmed milk"),
            Option("Oat milk", "0.50"),
            Option("Soy milk", "0.50"),
            Option("Almond milk", "0.60"),
            Option("Lactose free"),
        ),
        required=True,
    ),
    Attribute(
        "Coffee extras",
        (
            Option("Extra shot", "0.80"),
            Option("Vanilla syrup", "0.50"),
            Option("Caramel syrup", "0.50"),
            Option("Whipped cream", "0.60"),
            Option("Decaf"),
        ),
        choice="many",
        max=4,
    ),
    Attribute(
        "Doneness",
        (
            Option("Rare"),
            Option("Medium rare"),
            Option("Medium", default=True),
            Option("Medium well"),
            Option("Well done"),
        ),
        required=True,
    ),
    Attribute(
        "Sauces",
        (
            Option("Ketchup", "0.40"),
            Option("Mayonnaise", "0.40"),
            Option("Barbecue", "0.50"),
            Option("Garlic aioli", "0.50"),
            Option("Hot chilli", "0.50"),
            Option("Blue cheese", "0.80"),
        ),
        choice="many",
        max=4,
        free=2,
    ),
    Attribute(
        "Side dish",
        (
            Option("French fries", default=True),
            Option("Green salad"),
            Option("Sweet potato fries", "1.00"),
            Option("Grilled vegetables", "0.80"),
            Option("Mashed potatoes"),
        ),
        required=True,
    ),
    Attribute(
        "Pizza size",
        (Option("26 cm", "-1.50"), Option("32 cm", default=True), Option("40 cm", "4.00")),
        required=True,
    ),
    Attribute(
        "Pizza extras",
        (
            Option("Extra mozzarella", "1.50"),
            Option("Mushrooms", "1.00"),
            Option("Olives", "0.80"),
            Option("Rocket", "0.80"),
            Option("Prosciutto", "2.20"),
            Option("Anchovies", "1.60"),
            Option("Gluten free base", "2.00"),
        ),
        choice="many",
        max=6,
    ),
    Attribute(
        "Burger extras",
        (
            Option("Bacon", "1.50"),
            Option("Cheddar", "1.00"),
            Option("Fried egg", "1.20"),
            Option("Jalapeños", "0.70"),
            Option("No onions"),
            Option("Gluten free bun", "1.20"),
        ),
        choice="many",
    ),
    Attribute("Glass size", (Option("0.3 l", default=True), Option("0.5 l", "1.70")), required=True),
    Attribute(
        "Ice and lemon",
        (Option("Ice", default=True), Option("Lemon", default=True), Option("No ice")),
        choice="many",
        max=2,
    ),
    Attribute(
        "Ice cream flavours",
        (
            Option("Vanilla"),
            Option("Chocolate"),
            Option("Strawberry"),
            Option("Pistachio", "0.40"),
            Option("Lemon sorbet"),
            Option("Hazelnut"),
        ),
        choice="many",
        required=True,
        min=1,
        max=3,
        free=3,
    ),
)
