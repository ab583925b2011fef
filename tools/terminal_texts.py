"""The texts of the page at /terminal/: read out of its modules, and made into the files that it loads.

In clients/browser/app a text is a literal: ``t("…")``, or ``plural("…", "…", count)`` where English has two forms.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "clients" / "browser" / "app"
HEADER = "# Texts of the terminal's page. `make messages` updates this file, and clients/browser/app/texts from it."
# The page's name of each language that it speaks, and the folder under locale/; English is what the modules have.
LANGUAGES = {"en": None, "es": "es", "zh-hans": "zh_Hans"}

DEFINED = APP / "parts" / "texts.js"  # defines both functions, and calls neither
LITERAL = r"""\s*("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')\s*"""
CALL = re.compile(r"(?<![\w.$])(t|plural)\((?!\))")
ONE = re.compile(LITERAL + r"[,)]")
TWO = re.compile(f"{LITERAL},{LITERAL},")


class NoLiteral(ValueError):
    """A text isn't a literal, so nobody can translate it."""


def texts() -> Iterator[tuple[str, str | tuple[str, str]]]:
    """Every (file relative to the project, id) of the page. Raises NoLiteral."""
    for path in sorted(APP.rglob("*.js")):
        if path == DEFINED:
            continue
        source = path.read_text()
        for call in CALL.finditer(source):
            found = (ONE if call[1] == "t" else TWO).match(source, call.end())
            if found is None:
                line = source.count("\n", 0, call.start()) + 1
                raise NoLiteral(f"{path.relative_to(ROOT)}:{line}: the text of {call[1]}() is no literal")
            strings = tuple(str(ast.literal_eval(literal)) for literal in found.groups())
            yield path.relative_to(ROOT).as_posix(), strings[0] if len(strings) == 1 else (strings[0], strings[1])


def wanted() -> Catalog:
    """Every text of the page."""
    catalog = Catalog(header_comment=HEADER, charset="utf-8")
    for file, id in texts():
        catalog.add(id, locations=[(file, 0)])
    return catalog


def path_of(language: str) -> Path:
    return APP / "texts" / f"{language}.json"


def file_of(catalog: Catalog | None) -> bytes:
    """What the page loads: text → translation, or → the forms of a plural. Without a catalogue: in English.

    A text without a translation is left out: the page says it in English.
    """
    said: dict[str, str | list[str]] = {}
    for message in catalog or wanted():
        string = message.string if catalog else message.id
        if isinstance(message.id, tuple | list):
            said[message.id[0]] = list(string or ())
        elif message.id:
            said[message.id] = str(string)
    ordered = {id: string for id, string in sorted(said.items()) if string and all(string)}
    return json.dumps(ordered, ensure_ascii=False, indent=0).encode() + b"\n"
