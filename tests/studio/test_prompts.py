"""What a provider is told of a product, and that it never has more than 4,000 characters."""

import pytest

from studio.prompts import SAME_DISH, STYLES, Dish, prompt_for

SOUP = Dish("Tomato soup", description="With\n basil", category="Soups", diets=("vegan", "hot"))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("improving", [False, True])
def test_everything_that_is_known_is_told(style: str, improving: bool) -> None:
    text = prompt_for(words="in a blue bowl", dish=SOUP, style=style, improving=improving)

    for part in ("in a blue bowl", "Tomato soup", "With basil", "Soups", "vegan, hot", STYLES[style]):
        assert part in text
    assert (SAME_DISH in text) is improving


def test_words_alone_are_enough() -> None:
    assert prompt_for(words="a soup").startswith("a soup\n")


def test_it_never_gets_too_long_and_can_always_be_sent() -> None:
    text = prompt_for(words="\ud800" + "ü" * 5000, dish=Dish("x" * 200, description="y" * 9000))

    assert len(text) == 4000
    text.encode()
