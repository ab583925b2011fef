"""Everything that a person reads is there in each of the three languages."""

import re
from collections import Counter

import pytest
from babel.messages.catalog import Catalog
from django.conf import settings

from tools import translations

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}|<[^>]+>")


@pytest.fixture(params=translations.LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def ids(catalog: Catalog) -> set[object]:
    return {(message.id, message.context) for message in catalog if message.id}


def test_every_language_but_english_has_a_catalogue() -> None:
    assert {code.replace("hans", "Hans").replace("-", "_") for code, _name in settings.LANGUAGES} == {
        "en",
        *translations.LANGUAGES,
    }


def test_every_text_has_a_translation_and_no_translation_lacks_its_text(language: str) -> None:
    present = translations.present(language)

    assert ids(present) == ids(translations.wanted()), "make messages"
    assert translations.lacking(present) == []


def test_a_translation_has_the_placeholders_and_the_markup_of_its_text(language: str) -> None:
    for message in translations.present(language):
        if message.id:
            texts = [message.id] if isinstance(message.id, str) else message.id
            # A language without plural has one form, that of the plural.
            promised = Counter(PLACEHOLDER.findall(texts[-1]))
            for string in translations.strings(message):
                assert Counter(PLACEHOLDER.findall(string)) == promised, message.id
                assert (string[0].isspace(), string[-1] == "\n") == (texts[0][0].isspace(), texts[0][-1] == "\n")


def test_a_language_has_as_many_forms_as_it_counts_with(language: str) -> None:
    present = translations.present(language)

    assert present.num_plurals == {"es": 2, "zh_Hans": 1}[language]
    assert all(len(translations.strings(m)) == present.num_plurals for m in present if m.id and m.pluralizable)


def test_the_files_are_what_make_messages_would_write(language: str) -> None:
    catalog = translations.updated(language)
    folder = translations.folder_of(language)

    assert (folder / "django.po").read_bytes() == translations.po(catalog), "make messages"
    assert (folder / "django.mo").read_bytes() == translations.mo(catalog), "make messages"
