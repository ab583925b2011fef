"""Whatever an operator can set, a client can be told and a terminal can call is written down under docs/."""

import ast
import os
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import TypeVar

import pytest
from drf_spectacular.generators import SchemaGenerator
from rest_framework.exceptions import APIException

from config.problems import CODES
from refusals import Refusal
from tests.test_architecture import ROOMS, ROOT, sources

T = TypeVar("T")

LONGEST_LINE = 160
ANY_ID = re.compile(r"\{[^{}\s]*\}|<[\w ]+>")


def settings_read() -> set[str]:
    """The names in ``env.…("NAME", …)`` of config/settings.py."""
    calls = [n for n in ast.walk(ast.parse((ROOT / "config/settings.py").read_text())) if isinstance(n, ast.Call)]
    return {
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }


def refused() -> dict[tuple[int, str], str]:
    """Status and code of every answer that says no, with who gives it.

    They are those of ``Refusal`` (one that has several has a table ``answers``) and of REST framework's own exceptions,
    and what config/problems.py names.
    """
    for room in ROOMS:
        for module in walk_packages([str(ROOT / room)], f"{room}."):
            if "migrations" not in module.name:
                import_module(module.name)
    found: dict[tuple[int, str], str] = {}
    for kind in subclasses(Refusal):
        answers = {code: status for code, (status, _detail) in getattr(kind, "answers", {}).items()}
        if hasattr(kind, "status") and hasattr(kind, "code"):
            answers[kind.code] = kind.status
        for code, status in answers.items():
            found[status, code] = f"{kind.__module__}.{kind.__name__}"
    for error in subclasses(APIException):
        code = str(error.default_code)
        found[error.status_code, CODES.get(code, code)] = f"{error.__module__}.{error.__name__}"
    for call in ast.walk(ast.parse((ROOT / "config/problems.py").read_text())):
        if (
            isinstance(call, ast.Call)
            and ast.unparse(call.func) == "Problem"
            and isinstance(call.args[0], ast.Constant)
        ):
            found[int(str(call.args[0].value)), ast.literal_eval(call.args[1])] = "config.problems"
    return found


def subclasses(kind: type[T]) -> Iterator[type[T]]:
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)


def refused_by_the_documents() -> set[tuple[int, str]]:
    """Status and code of each row of docs/errors.md that has both."""
    rows = re.findall(r"^\| (\d+(?:, \d+)*) \| `(\w+)` \|", page("errors.md"), re.MULTILINE)
    return {(int(status), code) for several, code in rows for status in several.split(", ")}


def assignments(node: ast.stmt) -> list[tuple[str, ast.expr]]:
    """Each name that a statement assigns, with its value; ``a, b = 1, 2`` assigns two."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return []
    pairs: list[tuple[ast.expr, ast.expr]] = []
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs += zip(target.elts, node.value.elts, strict=True)
        else:
            pairs.append((target, node.value))
    return [(target.id, value) for target, value in pairs if isinstance(target, ast.Name)]


def documents() -> str:
    """README and every page of docs/, as one text."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return "\n".join(page.read_text() for page in pages if page.exists())


def page(name: str) -> str:
    path: Path = ROOT / "docs" / name
    return path.read_text() if path.exists() else ""


def test_the_search_finds_what_is_known_to_exist() -> None:
    assert {"DATA_DIR", "PORT", "DATABASE_URL", "S3_BUCKET"} <= settings_read()
    assert {(401, "invalid_token"), (409, "not_uploaded"), (404, "not_found"), (409, "in_use")} <= set(refused())


def test_every_setting_is_documented() -> None:
    text = page("settings.md")
    missing = sorted(name for name in settings_read() if f"`{name}`" not in text)

    assert not missing, f"docs/settings.md lacks {', '.join(missing)}"


def test_every_error_is_documented_with_its_status() -> None:
    documented = refused_by_the_documents()

    assert {said: who for said, who in refused().items() if said not in documented} == {}


def test_no_error_is_documented_that_nobody_answers() -> None:
    assert refused_by_the_documents() - set(refused()) == set()


@pytest.mark.django_db
def test_every_endpoint_is_documented() -> None:
    text = ANY_ID.sub("{}", documents())
    schema = SchemaGenerator().get_schema(request=None, public=True)
    wanted = {path: re.escape(ANY_ID.sub("{}", path)) + r"(?![\w/-])" for path in schema["paths"]}
    missing = sorted(path for path, pattern in wanted.items() if not re.search(pattern, text))

    assert not missing, f"README and docs/ lack {', '.join(missing)}"


def files_of_the_project() -> list[Path]:
    """Every file but those of tools, and of a server that runs here."""
    foreign = {".venv", ".venv-clients", ".venv-kinto", ".git", "var", "node_modules", "__pycache__"}
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in foreign]
        found += [Path(folder, name) for name in names]
    return sorted(found)


def written() -> list[Path]:
    """Every document that people wrote."""
    return [path for path in files_of_the_project() if path.suffix == ".md"]


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(path: Path) -> set[str]:
    """What a link to a heading of this document may name after its ``#``, as GitHub makes it."""
    headings = re.findall(r"^#+ (.*)$", without_code(path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_no_line_of_a_document_is_too_long() -> None:
    long_ones = [
        f"{path.relative_to(ROOT)}:{number} has {len(line)}"
        for path in written()
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > LONGEST_LINE
    ]

    assert long_ones == []


def test_links_of_documents_lead_somewhere() -> None:
    broken = []
    for path in written():
        for link in re.findall(r"\]\(([^)\s]+)\)", without_code(path.read_text())):
            if re.match(r"[a-z]+:", link):
                continue  # another server's business
            target, _, anchor = link.partition("#")
            there = path.parent / target if target else path
            if not there.exists() or (anchor and anchor not in anchors(there)):
                broken.append(f"{path.relative_to(ROOT)} → {link}")

    assert broken == []


DOCUMENTED_ALL_THE_SAME = {"_meta", "_state", "_base_manager", "_default_manager", "_exit"}  # by Django, and by os


def is_inside(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and len(name) > 1 and name not in DOCUMENTED_ALL_THE_SAME


class Insides(ast.NodeVisitor):
    """The names with an underscore in our code: which it defines, calls its own, and takes from elsewhere."""

    def __init__(self) -> None:
        self.ours: set[str] = set()
        self.methods: set[str] = set()
        self.used: set[str] = set()
        self.imported: set[str] = set()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.ours.add(node.name)
        for item in node.body:
            self.ours.update(name for name, _value in assignments(item))
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                self.ours.add(item.target.id)
            if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
                self.methods.add(item.name)
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if node.name not in self.methods:
            self.ours.add(node.name)
        self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Assign(self, node: ast.Assign) -> None:
        self.ours.update(name for name, _value in assignments(node))
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name) and node.value.id == "self":
            self.ours.add(node.attr)
        elif not (isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "super"):
            self.used.add(node.attr)
        self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level == 0 and node.module and node.module.partition(".")[0] not in {*ROOMS, "posclient", "normalform"}:
            self.imported.update([*node.module.split("."), *(alias.name for alias in node.names)])

    def of_libraries(self) -> set[str]:
        """What is used and not ours, and methods that nobody of us calls: a library does."""
        taken = self.used - self.ours - self.methods
        return set(filter(is_inside, taken | self.imported | (self.methods - self.used)))


def test_every_inside_of_a_library_that_is_used_stands_in_adr_5() -> None:
    insides = Insides()
    for path in sources(*ROOMS, "normalform", "clients"):
        insides.visit(ast.parse(path.read_text()))
    text = page("adr/0005-dependencies.md")

    assert {"_map_basic_serializer", "_set_content_type_params"} <= insides.of_libraries()
    assert sorted(name for name in insides.of_libraries() if name not in text) == []


def test_files_and_tests_that_documents_name_are_there() -> None:
    files = [str(path.relative_to(ROOT)) for path in files_of_the_project()]
    missing = set()
    for path in written():
        for name, test in re.findall(r"`([\w./-]+\.(?:py|ya?ml|toml|txt|js))(?:::(\w+))?`", path.read_text()):
            there = [file for file in files if f"/{file}".endswith(f"/{name}")]
            if not there or (test and f"def {test}(" not in (ROOT / there[0]).read_text()):
                missing.add(f"{path.relative_to(ROOT)}: {name}{f'::{test}' if test else ''}")

    assert missing == set()


def test_the_readme_draws_every_room_and_nothing_that_is_not_there() -> None:
    drawn = set(re.findall(r"^(\w+)/ ", (ROOT / "README.md").read_text(), re.MULTILINE))

    assert set(ROOMS) <= drawn
    assert {name for name in drawn if not (ROOT / name).is_dir()} == set()


# Words that had several meanings, and a process that was a person: docs/glossary.md.
BANNED = re.compile(r"\b(settle[sd]?|settling(?!\.js)|[Hh]e|[Hh]is|[Hh]im|[Hh]imself)\b|^log = ", re.MULTILINE)


def test_the_code_and_the_documents_keep_to_the_glossary() -> None:
    texts = [path for path in files_of_the_project() if path.suffix in {".py", ".md", ".js", ".html"}]
    vendored = (ROOT / "clients/browser/vendor").glob("*")
    exempt = {ROOT / "docs/glossary.md", Path(__file__).resolve(), *vendored}
    found = {
        f"{path.relative_to(ROOT)}: {match[0].strip()}"
        for path in texts
        if path not in exempt
        for match in BANNED.finditer(path.read_text())
    }

    assert found == set()


def test_every_library_that_the_server_needs_has_its_reason() -> None:
    pinned = re.findall(r"^(\w[\w.-]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    text = page("adr/0005-dependencies.md").casefold()

    assert [name for name in pinned if name.casefold() not in text] == []
