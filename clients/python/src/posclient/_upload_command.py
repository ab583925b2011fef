"""``posclient upload``: a folder of pictures to the server, by way of the outbox or into an album."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ._album import AlbumUpload, is_text, photos_in
from ._console import FAILED, AsJson, err, out, progress_bar, show
from ._errors import PictureRefused
from ._photos import matching_products
from ._terminal import Terminal

NO_TEXT = "its name is no text in UTF-8: rename it"


class Match(StrEnum):
    """By what a file's name says which product it is for."""

    none = "none"
    id = "id"
    sku = "sku"
    barcode = "barcode"
    name = "name"
    any = "any"  # SKU, barcode or name


BY_THE_SERVER = {
    Match.sku: ["sku"],
    Match.barcode: ["barcode"],
    Match.name: ["name"],
    Match.any: ["sku", "barcode", "name"],
}


def upload(
    folder: Annotated[Path, typer.Argument(help="A folder, with those below it, or one picture.", exists=True)],
    match: Annotated[Match, typer.Option(help="Find each product by the name of the file.")] = Match.none,
    album: Annotated[str, typer.Option(help="Send them into this album, as they are.")] = "",
    offline: Annotated[bool, typer.Option("--offline", help="Only put them into the outbox.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send every picture of a folder, each to its product with --match.

    What the network prevents stays in the outbox, and goes with the next call. With --album nothing stays here: run it
    again, and it goes on where it stopped.
    """
    if offline and album:
        raise typer.BadParameter("an album is the server's: --album can't be --offline")
    if offline and match in (Match.name, Match.any):
        raise typer.BadParameter(f"only the server finds products by {match.value}: not --offline")
    paths = photos_in(folder)
    if album and not paths:
        raise typer.BadParameter(f"there are no photos in {folder}")
    named = [path for path in paths if is_text(path.name)]
    refused = [failure(path, folder, NO_TEXT) for path in paths if not is_text(path.name)]
    with Terminal.configured() as terminal:
        products = find_products(terminal, named, match, offline=offline)
        if album:
            result = send_into(album, terminal, folder, products, is_matched=match is not Match.none, as_json=as_json)
        else:
            wanted = {path: id for path, id in products.items() if id or match is Match.none}
            refused += [
                failure(path, folder, f"unknown_product: no product has the {match.value} {path.stem!r}")
                for path in named
                if path not in wanted
            ]
            result = send_by_outbox(terminal, folder, wanted, offline=offline, as_json=as_json)
    result["refused"] = sorted(refused + result["refused"], key=lambda found: str(found["file"]))
    failures = result["refused"] + list(result.get("failed", []))
    sent = result.get("uploaded_count", 0) + result.get("already_there", 0)
    show(result, as_json, f"{sent} sent, {result['waiting_count']} wait, {len(failures)} failed")
    if not as_json:
        for failed in failures:
            what = failed.get("file") or failed.get("hash")
            out.print(f"  {what}: {failed['reason']}", markup=False, highlight=False)
    if failures:
        raise SystemExit(FAILED)


def find_products(terminal: Terminal, paths: list[Path], match: Match, *, offline: bool) -> dict[Path, str | None]:
    """The id of the product that each file is for; None: of none, or several would fit.

    By the server's rules. Offline, and by id, the file has to be called exactly so.
    """
    if match is Match.none:
        return dict.fromkeys(paths)
    if match in BY_THE_SERVER and not offline:
        found = matching_products(terminal.bridge, [path.name for path in paths], BY_THE_SERVER[match])
        return dict(zip(paths, found, strict=True))
    if not offline:
        terminal.replica.catch_up()
    ids = {item[match.value]: item["id"] for item in terminal.replica.all("product") if item.get(match.value)}
    return {path: ids.get(path.stem) for path in paths}


def send_by_outbox(
    terminal: Terminal, folder: Path, products: dict[Path, str | None], *, offline: bool, as_json: bool
) -> dict[str, Any]:
    refused: list[dict[str, str]] = []
    with progress_bar("prepared", quiet=as_json) as told:
        for number, (path, product) in enumerate(products.items(), 1):
            try:
                terminal.outbox.add_image(path, product)
            except PictureRefused as error:
                refused.append(failure(path, folder, str(error)))
            told(number, len(products))
    if offline:
        waiting = sum(not photo.failed for photo in terminal.outbox.waiting())
        return {"refused": refused, "waiting_count": waiting}
    with progress_bar("sent", quiet=as_json) as told:
        return {"refused": refused, **terminal.outbox.sync_image_uploads(told)}


def send_into(
    album: str, terminal: Terminal, folder: Path, products: dict[Path, str | None], *, is_matched: bool, as_json: bool
) -> dict[str, Any]:
    without_product = [label(path, folder) for path, product in products.items() if is_matched and product is None]
    for name in without_product:
        err.print(f"{name}: no product found; it comes into the album only", markup=False, highlight=False)
    failed: list[dict[str, str]] = []
    with progress_bar("ready", quiet=as_json) as told:
        for number, outcome in enumerate(AlbumUpload(terminal.bridge, album).send(products), 1):
            if outcome.error:
                failed.append(failure(outcome.path, folder, outcome.error))
            told(number, len(products))
    ready = len(products) - len(failed)
    return {
        "refused": [],
        "uploaded_count": ready,
        "waiting_count": 0,
        "failed": failed,
        "without_product": without_product,
    }


def failure(path: Path, folder: Path, reason: str) -> dict[str, str]:
    return {"file": label(path, folder), "reason": reason}


def label(path: Path, folder: Path) -> str:
    """The file as people know it, also when its name is no text."""
    shown = path.relative_to(folder) if path != folder else Path(path.name)
    return os.fsencode(shown).decode(errors="replace")
