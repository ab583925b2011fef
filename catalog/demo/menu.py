"""What the demo restaurant sells. Only data, hence as long as the menu.

A product's picture, if any, is ``photos/<slug>.jpg``; the slug is its name in lower case with dashes.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Category:
    name: str
    color: str
    sku: str = ""
    printers: tuple[str, ...] = ()
    parent: str = ""
    tax: str = "10.00"
    attributes: tuple[str, ...] = ()
    products: "tuple[Product, ...]" = ()


@dataclass(frozen=True)
class Product:
    """``price`` as on the menu; a ``unit`` makes it a sale by weight; empty names are made of the name."""

    name: str
    price: str
    description: str = ""
    tags: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    short: str = ""
    kitchen: str = ""
    unit: str = ""
    printers: tuple[str, ...] = ()
    sold_out: bool = False


VEGGIE = ("Vegetarian",)
VEGAN = ("Vegan", "Vegetarian")
PIZZA = ("Gluten", "Milk")

CATEGORIES = (
    Category(
        "Breakfast",
        "#f59e0b",
        sku="BRK",
        printers=("Kitchen",),
        products=(
            Product(
                "Croissant",
                "2.10",
                "Butter croissant, baked every morning.",
                ("Vegetarian", "Gluten", "Milk"),
            ),
            Product("Donut", "2.60", "Glazed ring with sugar sprinkles.", ("Vegetarian", "Gluten", "Kids")),
            Product(
                "Pancakes",
                "7.90",
                "Three fluffy pancakes with maple syrup and butter.",
                ("Vegetarian", "Gluten", "Milk", "Eggs"),
            ),
            Product(
                "Avocado Toast",
                "8.50",
                "Sourdough, avocado, radish and lime.",
                ("Vegan", "Vegetarian", "Gluten"),
            ),
            Product("Eggs Benedict", "10.20", "Poached eggs, ham, hollandaise.", ("Eggs", "Gluten", "Milk")),
            Product("Granola Bowl", "6.80", "Yoghurt, granola, berries, honey.", ("Vegetarian", "Milk", "Nuts")),
            Product("Fried Egg", "5.90", "Two, from the iron pan, with tomatoes.", ("Vegetarian", "Eggs")),
        ),
    ),
    Category(
        "Starters",
        "#84cc16",
        sku="STA",
        printers=("Kitchen",),
        products=(
            Product("Tomato Soup", "6.20", "Roasted tomatoes, basil oil.", (*VEGAN, "Gluten free")),
            Product("Garlic Bread", "4.50", "With parsley butter.", ("Vegetarian", "Gluten", "Milk")),
            Product("Bruschetta", "6.90", "Tomato, basil, garlic, olive oil.", (*VEGAN, "Gluten")),
            Product("Beef Carpaccio", "12.50", "Parmesan, rocket, lemon.", ("Milk", "House special")),
            Product("Fried Calamari", "10.90", "With garlic aioli.", ("Gluten", "Shellfish", "Eggs")),
            Product("Cheese Board", "13.90", "Four cheeses, grapes, walnuts.", ("Vegetarian", "Milk", "Nuts")),
            Product("Sushi Roll", "9.80", "Six maki with salmon, wasabi, ginger.", ("Fish",)),
        ),
    ),
    Category(
        "Salads",
        "#22c55e",
        sku="SAL",
        printers=("Kitchen",),
        products=(
            Product("Caesar Salad", "10.50", "Chicken, parmesan, croutons.", ("Gluten", "Milk", "Eggs", "Fish")),
            Product(
                "Greek Salad",
                "9.80",
                "Feta, olives, cucumber, oregano.",
                ("Vegetarian", "Milk", "Gluten free"),
            ),
            Product("Quinoa Salad", "10.20", "Roasted vegetables, lemon, mint.", (*VEGAN, "Gluten free", "New")),
            Product("Caprese", "9.20", "Buffalo mozzarella, tomato, basil.", ("Vegetarian", "Milk", "Gluten free")),
            Product("Tuna Niçoise", "12.40", "Seared tuna, egg, green beans.", ("Fish", "Eggs", "Gluten free")),
        ),
    ),
    Category(
        "Pizza",
        "#ef4444",
        sku="PIZ",
        printers=("Pizza oven",),
        attributes=("Pizza size", "Pizza extras"),
        products=(
            Product(
                "Margherita Pizza",
                "9.50",
                "Tomato, mozzarella, basil.",
                (*VEGGIE, *PIZZA),
                short="Margherita",
            ),
            Product("Pizza Prosciutto", "11.90", "Ham, mushrooms, mozzarella.", PIZZA, short="Prosciutto"),
            Product("Pizza Diavola", "12.40", "Spicy salami, chilli, olives.", (*PIZZA, "Spicy"), short="Diavola"),
            Product("Pizza Quattro Formaggi", "12.90", "Four cheeses.", (*VEGGIE, *PIZZA), short="4 Formaggi"),
            Product("Pizza Napoli", "11.40", "Anchovies, capers, olives.", (*PIZZA, "Fish"), short="Napoli"),
            Product("Pizza Verdura", "11.60", "Grilled vegetables, rocket.", (*VEGGIE, *PIZZA), short="Verdura"),
            Product(
                "Pizza Frutti di Mare",
                "14.50",
                "Prawns, mussels, squid, garlic.",
                (*PIZZA, "Shellfish"),
                short="Frutti",
                kitchen="FRUTTI MARE",
                sold_out=True,
            ),
            Product("Marinara", "8.20", "Tomato, garlic, oregano. No cheese.", (*VEGAN, "Gluten")),
        ),
    ),
    Category(
        "Pasta",
        "#f97316",
        sku="PAS",
        printers=("Kitchen",),
        products=(
            Product("Spaghetti Carbonara", "11.80", "Guanciale, egg, pecorino.", ("Gluten", "Eggs", "Milk")),
            Product("Spaghetti", "10.90", "Meatballs, tomato, basil.", ("Gluten", "Eggs")),
            Product("Tagliatelle Bolognese", "11.90", "Slow-cooked beef ragù.", ("Gluten", "Eggs")),
            Product("Penne Arrabbiata", "9.90", "Tomato, garlic, chilli.", (*VEGAN, "Gluten", "Spicy")),
            Product("Lasagne", "12.60", "From the oven, with béchamel.", ("Gluten", "Milk", "Eggs")),
            Product("Mushroom Risotto", "13.20", "Porcini, parmesan.", ("Vegetarian", "Milk", "Gluten free")),
            Product(
                "Linguine Vongole",
                "14.80",
                "Clams, white wine, parsley.",
                ("Gluten", "Shellfish", "Sulphites"),
            ),
        ),
    ),
    Category(
        "Burgers",
        "#b45309",
        sku="BUR",
        printers=("Grill",),
        attributes=("Doneness", "Burger extras", "Sauces"),
        products=(
            Product("Cheeseburger", "11.50", "180 g beef, cheddar, pickles.", ("Gluten", "Milk", "Sesame")),
            Product("Bacon Burger", "12.90", "With smoked bacon and barbecue sauce.", ("Gluten", "Sesame")),
            Product(
                "House Burger",
                "14.20",
                "Blue cheese, caramelised onions.",
                ("Gluten", "Milk", "House special"),
            ),
            Product("Chicken Burger", "11.90", "Crispy chicken, coleslaw.", ("Gluten", "Eggs", "Sesame")),
            Product("Veggie Burger", "11.20", "Chickpea patty, hummus.", (*VEGAN, "Gluten", "Sesame", "New")),
            Product("Kids Burger", "7.50", "90 g beef, cheese, with fries.", ("Kids", "Gluten", "Milk")),
        ),
    ),
    Category(
        "Mains",
        "#991b1b",
        sku="MAI",
        printers=("Grill",),
        attributes=("Side dish",),
        products=(
            Product(
                "Rib-eye Steak",
                "26.50",
                "300 g, herb butter.",
                ("Milk", "Gluten free"),
                ("Doneness", "Sauces"),
            ),
            Product("Steak Frites", "21.90", "220 g flank steak.", ("Gluten free",), ("Doneness", "Sauces")),
            Product("Steak by Weight", "52.00", "Dry aged, priced by the kilogram.", (), ("Doneness",), unit="kg"),
            Product("Roast Chicken", "15.40", "Half a chicken, lemon, thyme.", ("Gluten free",)),
            Product("Grilled Salmon", "18.90", "With dill and lemon.", ("Fish", "Gluten free")),
            Product("Fish and Chips", "14.90", "Cod in beer batter, tartare sauce.", ("Fish", "Gluten", "Eggs")),
            Product("Vegetable Curry", "12.80", "Coconut, chickpeas, rice.", (*VEGAN, "Spicy", "Gluten free")),
            Product(
                "Sea Bass of the Day",
                "64.00",
                "Whole fish, by the kilogram.",
                ("Fish",),
                unit="kg",
                short="Sea bass",
            ),
        ),
    ),
    Category(
        "Sides",
        "#eab308",
        sku="SID",
        printers=("Kitchen",),
        products=(
            Product("French Fries", "3.90", "", (*VEGAN, "Gluten free"), ("Sauces",)),
            Product("Sweet Potato Fries", "4.80", "", (*VEGAN, "Gluten free"), ("Sauces",)),
            Product("Green Salad", "4.20", "House dressing.", (*VEGAN, "Gluten free")),
            Product("Grilled Vegetables", "4.90", "", (*VEGAN, "Gluten free")),
            Product("Bread Basket", "2.50", "", (*VEGAN, "Gluten")),
        ),
    ),
    Category(
        "Desserts",
        "#ec4899",
        sku="DES",
        printers=("Kitchen",),
        products=(
            Product("Chocolate Cake", "6.50", "Warm, with raspberries.", ("Vegetarian", "Gluten", "Milk", "Eggs")),
            Product("Tiramisu", "6.20", "Made here.", ("Vegetarian", "Gluten", "Milk", "Eggs", "House special")),
            Product(
                "Ice Cream Sundae",
                "6.90",
                "Three scoops, whipped cream.",
                ("Vegetarian", "Milk", "Kids"),
                ("Ice cream flavours",),
            ),
            Product("Apple Pie", "5.80", "With cinnamon.", ("Vegetarian", "Gluten", "Milk")),
            Product("Crème Brûlée", "6.40", "", ("Vegetarian", "Milk", "Eggs", "Gluten free")),
            Product("Fruit Salad", "5.20", "Of the season.", (*VEGAN, "Gluten free")),
        ),
    ),
    Category("Drinks", "#0ea5e9"),
    Category(
        "Coffee and Tea",
        "#6f4e37",
        sku="COF",
        printers=("Bar",),
        parent="Drinks",
        products=(
            Product("Espresso", "2.20", "", VEGAN, ("Coffee extras",)),
            Product("Double Espresso", "3.10", "", VEGAN, ("Coffee extras",)),
            Product("Americano", "2.60", "", VEGAN, ("Coffee size", "Coffee extras")),
            Product("Cappuccino", "3.40", "", (*VEGGIE, "Milk"), ("Coffee size", "Milk", "Coffee extras")),
            Product("Latte Macchiato", "3.80", "", (*VEGGIE, "Milk"), ("Coffee size", "Milk", "Coffee extras")),
            Product("Flat White", "3.90", "", (*VEGGIE, "Milk", "New"), ("Milk", "Coffee extras")),
            Product("Hot Chocolate", "3.90", "", (*VEGGIE, "Milk", "Kids"), ("Milk",)),
            Product("Pot of Tea", "3.60", "Black, green, mint or camomile.", VEGAN),
        ),
    ),
    Category(
        "Soft Drinks",
        "#06b6d4",
        sku="SOF",
        printers=("Bar",),
        parent="Drinks",
        attributes=("Ice and lemon",),
        products=(
            Product("Lemonade", "3.90", "Made here, with mint.", (*VEGAN, "Alcohol free", "House special")),
            Product("Cola", "3.20", "", (*VEGAN, "Alcohol free")),
            Product("Orange Juice", "4.20", "Freshly pressed.", (*VEGAN, "Alcohol free")),
            Product("Mineral Water", "2.80", "Still or sparkling.", (*VEGAN, "Alcohol free")),
            Product("Iced Tea", "3.50", "Peach.", (*VEGAN, "Alcohol free")),
            Product("Ginger Ale", "3.40", "", (*VEGAN, "Alcohol free")),
        ),
    ),
    Category(
        "Beer and Wine",
        "#7f1d1d",
        sku="ALC",
        printers=("Bar",),
        parent="Drinks",
        tax="21.00",
        products=(
            Product("Draft Beer", "3.80", "Lager from the tap.", ("Gluten",), ("Glass size",)),
            Product("Wheat Beer", "4.60", "", ("Gluten",), ("Glass size",)),
            Product("Alcohol-free Beer", "3.60", "", ("Gluten", "Alcohol free")),
            Product("Red Wine", "5.20", "Tempranillo, by the glass.", ("Sulphites",)),
            Product("White Wine", "5.00", "Verdejo, by the glass.", ("Sulphites",)),
            Product("Prosecco", "6.20", "By the glass.", ("Sulphites",)),
        ),
    ),
    Category(
        "Cocktails",
        "#a21caf",
        sku="CKT",
        printers=("Bar",),
        parent="Drinks",
        tax="21.00",
        products=(
            Product("Mojito", "8.90", "Rum, mint, lime, soda.", VEGAN),
            Product("Aperol Spritz", "7.90", "Aperol, prosecco, soda.", ("Sulphites",)),
            Product("Gin and Tonic", "8.50", "", VEGAN),
            Product("Virgin Colada", "6.90", "Pineapple, coconut.", (*VEGAN, "Alcohol free")),
        ),
    ),
)
