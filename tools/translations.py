"""The catalogues under locale/: ``python -m tools.translations`` updates and compiles them.

A development tool (it needs Babel, the server doesn't). ``django.po`` has every text in our Python modules and
templates, and those of the admin theme that neither it nor Django has translated. ``terminal.po`` has those of the
page at /terminal/ (``terminal_texts.py``). The compiled files are kept in the repository too: a box needs no tools.
"""

import ast
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from . import terminal_texts

ROOT = Path(__file__).resolve().parent.parent
ROOMS = (
    "adminpages",
    "backoffice",
    "catalog",
    "config",
    "devices",
    "images",
    "refusals",
    "telemetry",
    "serving",
    "studio",
    "syncing",
    "terminal",
    "uploads",
)
FOLDERS = (*ROOMS, "templates")
# The part of the admin theme that we use beside its heart; it has no catalogues.
THEME = ("unfold/contrib/filters",)
LANGUAGES = ("es", "zh_Hans")
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), None),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ((1, "c"), 2)),
}
HEADER = "# Texts of the server. `make messages` updates this file."


def package(name: str) -> Path:
    """The folder of an installed package."""
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def texts(folder: Path, base: Path) -> Iterator[tuple[str, str | tuple[str, ...], str | None]]:
    """Every (file relative to ``base``, id, context) under ``folder``."""
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".html":
            # Babel reads templates as Django's own extraction does: as Python calls, which have no indentation.
            calls = templatize(path.read_text())
            source = "\n".join(line.strip() for line in calls.splitlines()).encode()
        elif path.suffix == ".py":
            source = path.read_bytes()
            # Before Python 3.12 the inside of an f-string is no token that Babel sees.
            inside = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FormattedValue)]
            source = b"\n".join([source, *(ast.unparse(node).encode() for node in inside)])
        else:
            continue
        for _line, id, _comments, context in extract("python", BytesIO(source), KEYWORDS):
            yield path.relative_to(base).as_posix(), id, context


def translated_elsewhere(language: str) -> Catalog:
    """What Django brings along."""
    known = Catalog(locale=language)
    django = package("django")
    for folder in (django / "conf", django / "contrib" / "admin", django / "contrib" / "auth"):
        with (folder / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
            for message in read_mo(file):
                known[message.id] = message
    return known


@cache
def wanted() -> Catalog:
    """Every text that needs a translation of ours."""
    catalog = Catalog(header_comment=HEADER, project="RedCoral", charset="utf-8")
    for folder in FOLDERS:
        for file, id, context in texts(ROOT / folder, ROOT):
            catalog.add(id, locations=[(file, 0)], context=context)
    elsewhere = [translated_elsewhere(language) for language in LANGUAGES]
    theme = package("unfold")
    for file, id, context in texts(theme, theme.parent):
        if file.startswith("unfold/contrib/") and not file.startswith(THEME):
            continue
        if catalog.get(id, context) or not all(known.get(id, context) for known in elsewhere):
            catalog.add(id, locations=[(file, 0)], context=context)
    return catalog


# What each catalogue under locale/<language>/LC_MESSAGES is made of, and its first line.
DOMAINS: dict[str, tuple[Callable[[], Catalog], str]] = {
    "django": (wanted, HEADER),
    "terminal": (terminal_texts.wanted, terminal_texts.HEADER),
}


def folder_of(language: str) -> Path:
    return ROOT / "locale" / language / "LC_MESSAGES"


class Texts(Catalog):
    """A catalogue whose header says what reading it needs, and no dates: only texts make a difference."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", str(self.locale_identifier)),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
            ("Plural-Forms", self.plural_forms),
        ]


def present(language: str, domain: str = "django") -> Catalog:
    """The catalogue as it is under locale/; empty when there is none."""
    path = folder_of(language) / f"{domain}.po"
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language, ignore_obsolete=True, abort_invalid=True)


def updated(language: str, domain: str = "django") -> Texts:
    """The wanted texts with the translations that there are; a text that is gone from the code goes here, too."""
    before = present(language, domain)
    wanted, header = DOMAINS[domain]
    catalog = Texts(locale=language, header_comment=header, charset="utf-8", fuzzy=False)
    for message in wanted():
        if message.id:
            files = sorted(set(message.locations))
            known = before.get(message.id, message.context)
            if known is None or known.id != message.id:
                catalog.add(message.id, locations=files, context=message.context)
            else:
                catalog.add(
                    message.id,
                    known.string,
                    locations=files,
                    flags=known.flags & {"fuzzy"},
                    context=message.context,
                )
    return catalog


def po(catalog: Texts) -> bytes:
    """The form that people edit."""
    out = BytesIO()
    write_po(out, catalog, width=0, include_lineno=False, sort_by_file=True)
    return out.getvalue()


def mo(catalog: Texts) -> bytes:
    """The form that Django reads."""
    out = BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def lacking(catalog: Catalog) -> list[str]:
    """The ids without a whole and certain translation."""
    return [str(message.id) for message in catalog if message.id and (message.fuzzy or not all(strings(message)))]


def strings(message: Message) -> list[str]:
    """The translation's forms: one, or one for each plural of the language."""
    return list(message.string) if isinstance(message.string, tuple | list) else [message.string or ""]


def files() -> Iterator[tuple[Path, bytes]]:
    """Every file that ``make messages`` writes, and what is in it."""
    catalogues = {(language, domain): updated(language, domain) for language in LANGUAGES for domain in DOMAINS}
    for (language, domain), catalog in catalogues.items():
        yield folder_of(language) / f"{domain}.po", po(catalog)
        if domain == "django":
            yield folder_of(language) / "django.mo", mo(catalog)
    for name, locale in terminal_texts.LANGUAGES.items():
        yield terminal_texts.path_of(name), terminal_texts.file_of(catalogues[locale, "terminal"] if locale else None)


def main() -> int:
    """Update and compile every language; 1 when texts lack a translation."""
    for path, content in files():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    lacks = 0
    for language in LANGUAGES:
        for domain in DOMAINS:
            catalog = present(language, domain)
            missing = lacking(catalog)
            lacks += len(missing)
            sys.stdout.write(f"{language}, {domain}: {len(catalog)} texts, {len(missing)} without translation\n")
            sys.stdout.writelines(f"  {id}\n" for id in missing)
    return 1 if lacks else 0


if __name__ == "__main__":
    sys.exit(main())
