"""What the commands of the command line share: where they print, and how they end."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ._images import Progress as Told

FAILED, NOT_LET_IN, UNREACHABLE, FULL = 1, 3, 4, 5  # exit codes; 2 is wrong usage

out, err = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def stop(error: Exception, code: int, *, as_json: bool) -> None:
    """Says what went wrong, and where, and ends with this exit code; ``as_json`` as the one document of the command."""
    server, said = getattr(error, "server", ""), str(error) or type(error).__name__
    if as_json:
        found = {"exit_code": code, "server": server or None, "code": getattr(error, "code", None), "detail": said}
        typer.echo(json.dumps({"error": found}, ensure_ascii=False))
    else:
        err.print(f"{server}: {said}" if server else said, markup=False, highlight=False)
    raise SystemExit(code) from error


def show(value: Any, as_json: bool, words: str) -> None:
    """``value`` for scripts, or else ``words`` for people."""
    if as_json:
        typer.echo(json.dumps(value, ensure_ascii=False))
    else:
        out.print(words, markup=False, highlight=False)


@contextmanager
def progress_bar(what: str, *, quiet: bool) -> Iterator[Told]:
    """Gives the callback that moves the bar."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=quiet) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)
