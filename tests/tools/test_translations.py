"""Everything that a person reads is there in each of the three languages."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from django.conf import settings

from tools import terminal_texts, translations

PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd%]|\{\w*\}|<[^>]+>")


@pytest.fixture(params=translations.DOMAINS)
def domain(request: pytest.FixtureRequest) -> str:
    return str(request.param)


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


def test_every_text_has_a_translation_and_no_translation_lacks_its_text(language: str, domain: str) -> None:
    present = translations.present(language, domain)
    wanted, _header = translations.DOMAINS[domain]

    assert ids(present) == ids(wanted()), "make messages"
    assert translations.lacking(present) == []


def test_a_translation_has_the_placeholders_and_the_markup_of_its_text(language: str, domain: str) -> None:
    for message in translations.present(language, domain):
        if message.id:
            texts = [message.id] if isinstance(message.id, str) else message.id
            # A language without plural has one form, that of the plural.
            promised = Counter(PLACEHOLDER.findall(texts[-1]))
            for string in translations.strings(message):
                assert Counter(PLACEHOLDER.findall(string)) == promised, message.id
                assert (string[0].isspace(), string[-1] == "\n") == (texts[0][0].isspace(), texts[0][-1] == "\n")


def test_a_language_has_as_many_forms_as_it_counts_with(language: str, domain: str) -> None:
    present = translations.present(language, domain)

    assert present.num_plurals == {"es": 2, "zh_Hans": 1}[language]
    assert all(len(translations.strings(m)) == present.num_plurals for m in present if m.id and m.pluralizable)


def test_the_files_are_what_make_messages_would_write() -> None:
    for path, content in translations.files():
        assert path.read_bytes() == content, f"{path.name}: make messages"


def test_the_page_has_each_text_in_each_language() -> None:
    files = {name: json.loads(terminal_texts.path_of(name).read_text()) for name in terminal_texts.LANGUAGES}

    assert set(files["en"]) == set(files["es"]) == set(files["zh-hans"])
    assert all(files["en"].values())
    forms = {name: {len(said) for said in file.values() if isinstance(said, list)} for name, file in files.items()}
    assert forms == {"en": {2}, "es": {2}, "zh-hans": {1}}  # one for each number that the language counts with


def test_a_text_of_the_page_that_nobody_can_translate_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "one.js").write_text('t("A text");\nt(name);\n')
    monkeypatch.setattr(terminal_texts, "APP", tmp_path)
    monkeypatch.setattr(terminal_texts, "ROOT", tmp_path)

    with pytest.raises(terminal_texts.NoLiteral, match=r"one\.js:2"):
        list(terminal_texts.texts())


def test_texts_of_the_page_are_read_as_they_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = [
        'html`<p>${t("It\'s {name}", { name })} ${at("no text")}</p>`;',
        "t('\"Menu\"');",
        'plural(\n  "{count} line",\n  "{count} lines",\n  lines.length,\n);',
    ]
    (tmp_path / "one.js").write_text("\n".join(written))
    monkeypatch.setattr(terminal_texts, "APP", tmp_path)
    monkeypatch.setattr(terminal_texts, "ROOT", tmp_path)

    assert [id for _file, id in terminal_texts.texts()] == ["It's {name}", '"Menu"', ("{count} line", "{count} lines")]
