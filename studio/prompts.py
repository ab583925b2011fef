"""What is asked of a provider for a product: its name, description, category and diet tags, and nothing else. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

LONGEST = 4000  # characters
LONGEST_DESCRIPTION = 600
DEFAULT_STYLE = "menu"
# How a picture looks. The keys are part of the wire and of rows: existing ones never change.
STYLES = {
    "menu": "Appetising photograph for a restaurant menu: soft daylight from the side, shallow depth of field, "
    "a clean neutral table, the dish in the middle and wholly in view.",
    "plain": "Product photograph on a plain white background with a soft shadow, even light, nothing else in view.",
    "dark": "Moody photograph: dark slate background, one warm light from the side, deep shadows, "
    "the dish itself well lit.",
    "square": "Photograph from straight above in a square frame: soft even light, a light neutral table, "
    "the dish in the middle with a margin on all sides.",
}
# Guests get what they are shown: improving changes light and surroundings, never the food.
SAME_DISH = (
    "Improve this photo of a dish. The dish stays exactly what it is: the same food, portion, pieces, garnish and "
    "tableware; nothing is added, removed or swapped. Correct light, colours, sharpness and background only."
)
NO_LETTERING = "No text, no logos, no watermark, no people."


@dataclass(frozen=True)
class Dish:
    """What of a product is told to a provider."""

    name: str
    description: str = ""
    category: str = ""
    diets: Sequence[str] = ()  # names of its tags, such as vegan


def prompt_for(
    *, words: str = "", dish: Dish | None = None, style: str = DEFAULT_STYLE, improving: bool = False
) -> str:
    """The text that is sent, at most 4,000 characters: own ``words`` first, then the product, the style.

    Raises ``KeyError`` for an unknown style.
    """
    look = STYLES[style]
    said = [one_line(words)] if words.strip() else []
    if dish is not None:
        said.append(about(dish))
    sentences = [SAME_DISH, *said, look] if improving else [*said, look, NO_LETTERING]
    text = "\n".join(sentences)
    return text.encode(errors="ignore").decode()[:LONGEST]  # half a surrogate pair can't be sent


def about(dish: Dish) -> str:
    sentences = [f"The dish: {one_line(dish.name)}."]
    if dish.category:
        sentences.append(f"Category: {one_line(dish.category)}.")
    if description := one_line(dish.description)[:LONGEST_DESCRIPTION]:
        sentences.append(f"Description: {description}")
    if dish.diets:
        sentences.append(f"Diet: {', '.join(map(one_line, dish.diets))}.")
    return " ".join(sentences)


def one_line(text: str) -> str:
    return " ".join(text.split())
