"""``posclient history sync``: a manager's originals and their list in a folder."""

from pathlib import Path
from typing import Annotated

import typer

from ._console import FAILED, AsJson, err, progress_bar, show
from ._history import Wanted, favorites, last, sync_history
from ._terminal import Terminal

history = typer.Typer(help="The pictures that a manager asked the studio for.", no_args_is_help=True)


@history.command("sync")
def sync(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where originals and history.json are kept.")],
    only: Annotated[str, typer.Option(metavar="favorites|last:N", help="Bring only these originals.")] = "",
    delete: Annotated[bool, typer.Option("--delete", help="Remove what it brought and isn't wanted now.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the history's list and originals into DIR; again, only what is new. Needs the scope *history*."""
    wanted = choice(only)
    with Terminal.configured() as terminal, progress_bar("originals", quiet=as_json) as told:
        result = sync_history(terminal.bridge, folder, wanted=wanted, delete=delete, progress=told)
    words = "{items} in the history: {downloaded_count} downloaded, {already_here} were here, {failed_count} failed"
    words += ", {not_stored} aren't stored, {removed_count} removed"
    show(result, as_json, words.format(**result))
    if result["failed"]:
        if not as_json:
            for failure in result["failed"]:
                err.print(f"{failure['id']}: {failure['detail']}", markup=False, highlight=False)
        raise SystemExit(FAILED)


def choice(only: str) -> Wanted | None:
    kind, _, count = only.partition(":")
    if not only:
        return None
    if only == "favorites":
        return favorites
    if kind == "last" and count.isascii() and count.isdecimal() and int(count[:10]) > 0:
        return last(int(count[:10]))
    raise typer.BadParameter("--only is favorites, or last:N with N above 0")
