"""The command line. ``--json`` prints one JSON document (``watch``: one a line) for scripts; progress goes to stderr.

Exit codes: 0 all is well, 1 something failed (what is printed says what), 2 wrong usage, 3 not enrolled or refused,
4 the server can't be reached, 5 the disk is full. With ``--json`` a failure is ``{"error": {…}}``.
"""

import json
import socket
import sqlite3
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from . import _configuration
from ._configuration import Configuration
from ._console import FAILED, FULL, NOT_LET_IN, UNREACHABLE, AsJson, err, out, progress_bar, show, stop
from ._doctor import examine
from ._errors import NotConfigured, PosclientError, Refused, ServerUnavailable, StorageFull
from ._history_command import history
from ._outbox import take_over
from ._subscriptions import Update
from ._terminal import Terminal
from ._upload_command import upload

app = typer.Typer(help="A terminal of a RedCoral edge server.", no_args_is_help=True, add_completion=False)


def run() -> None:
    """The program; ends with one of the exit codes."""
    as_json = "--json" in sys.argv
    try:
        app()
    except (Refused, NotConfigured) as error:
        stop(error, NOT_LET_IN, as_json=as_json)
    except ServerUnavailable as error:
        stop(error, UNREACHABLE, as_json=as_json)
    except StorageFull as error:
        stop(error, FULL, as_json=as_json)
    except (PosclientError, OSError, sqlite3.Error) as error:
        stop(error, FAILED, as_json=as_json)


def print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"posclient {own_version()}")
        raise typer.Exit


def own_version() -> str:
    try:
        return version("posclient")
    except PackageNotFoundError:
        return "from its source"


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=print_version, is_eager=True, help="Say it.")] = False,
) -> None:
    """A terminal of a RedCoral edge server."""


@app.command()
def enroll(
    server: Annotated[str, typer.Argument(help="The server's address, such as http://192.168.1.10:8000.")],
    code: Annotated[str, typer.Argument(help="The one-time code from the admin; '-' reads a token instead.")] = "",
    name: Annotated[str, typer.Option(help="How people will know this terminal.")] = "",
    tenant: Annotated[str, typer.Option(help="Keeps the data of several shops on one machine apart.")] = "",
    ca: Annotated[Path | None, typer.Option(help="PEM of whoever signed the server's certificate.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="This device's certificate (PEM), for mTLS.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its key, unless it is in the same file.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="The server's data directory, when it runs here.")] = None,
    folder: Annotated[Path | None, typer.Option(help="Where to keep copies and pictures.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make this machine a terminal: by a code, by a token from standard input ('-'), or by its certificate.

    Again, it replaces the enrolment before, once the server has agreed; copies, pictures and what waits stay.
    """
    try:
        server = _configuration.server_of(server)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if not code and certificate is None:
        raise typer.BadParameter("a code is needed, or a certificate that the server knows")
    configuration = Configuration(
        server=server,
        tenant=tenant,
        ca=absolute(ca),
        certificate=absolute(certificate),
        key=absolute(key),
        data_dir=absolute(data_dir),
        folder=absolute(folder),
    )
    _configuration.check_it_can_be_saved()  # a folder that can't be written to costs no code
    token: str | None = None
    if code in ("", "-"):
        token = sys.stdin.read().strip() or None if code else None
        if token is not None and not token.isascii():
            raise typer.BadParameter("this can't be a token")
        with configuration.bridge(token) as bridge:
            device = bridge.get_json("/api/devices/me")
    else:
        with configuration.bridge(None) as bridge:
            device = _configuration.enroll(bridge, code, name or socket.gethostname())
        token = device.pop("token")
    moved = take_over_outbox(configuration)
    _configuration.save(configuration, token)
    said = {"device": device["id"], "name": device["name"], "scopes": device["scopes"], "server": configuration.server}
    words = f"This is {device['name']}, and may {', '.join(device['scopes'])}."
    if moved:
        words += f" {moved} photos that waited for the address before go there now."
    show({**said, "taken_over": moved}, as_json, words)


@app.command()
def status(as_json: AsJson = False) -> None:
    """What is kept here, how current it is, and whether the server answers."""
    with Terminal.configured() as terminal:
        replica, usage = terminal.replica, terminal.images.usage()
        waiting = terminal.outbox.waiting()
        said: dict[str, Any] = {
            "server": terminal.bridge.base_url,
            "mode": terminal.bridge.current_mode.value,
            "network": terminal.bridge.is_network_available(),
            "epoch": replica.epoch,
            "versions": replica.versions,
            "counts": {name: replica.count(name) for name in sorted(replica.versions)},
            "last_sync_time": iso(replica.last_sync_time),
            "images": usage,
            "outbox": {"waiting": sum(not p.failed for p in waiting), "failed": sum(bool(p.failed) for p in waiting)},
            "folder": str(terminal.folder),
        }
    if as_json:
        show(said, True, "")
    else:
        print_status(said)
    if not said["network"]:
        raise SystemExit(UNREACHABLE)


def print_status(said: Mapping[str, Any]) -> None:
    table, usage = Table(show_header=False, box=None), said["images"]
    for key in ("server", "mode", "network", "last_sync_time", "folder"):
        table.add_row(key.replace("_", " "), str(said[key]))
    for name, count in said["counts"].items():
        table.add_row(name, f"{count} at version {said['versions'][name]}")
    table.add_row("pictures", f"{usage['count']}, {usage['bytes'] / 1e6:.1f} MB")
    table.add_row("outbox", f"{said['outbox']['waiting']} wait, {said['outbox']['failed']} failed")
    out.print(table)


@app.command()
def watch(
    resource: Annotated[list[str] | None, typer.Argument(help="Only these resources.")] = None,
    seconds: Annotated[float | None, typer.Option(help="End after so many seconds.")] = None,
    as_json: AsJson = False,
) -> None:
    """Follow every change until Ctrl-C, and keep the local copy current meanwhile."""
    with Terminal.configured() as terminal:

        def tell(updates: list[Update]) -> None:
            for update in updates:
                if not resource or update.resource in resource:
                    print_update(update, as_json)

        terminal.replica.subscribe(tell)
        terminal.replica.start()
        deadline = time.monotonic() + seconds if seconds is not None else None
        shown = None
        err.print(f"connecting to {terminal.bridge.base_url}", markup=False, highlight=False)
        try:
            while deadline is None or time.monotonic() < deadline:
                state = terminal.replica.state
                why = terminal.replica.last_error
                if state is not shown and (shown or why or state != "offline"):  # it begins there, and says nothing yet
                    err.print(f"{state.value}: {why}" if why else state.value, markup=False)
                    shown = state
                if state == "refused" and terminal.replica.last_error is not None:
                    raise terminal.replica.last_error
                time.sleep(0.1)
        except KeyboardInterrupt:
            pass


@app.command()
def products(
    offline: Annotated[bool, typer.Option("--offline", help="Don't ask the server; show what is here.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the products."""
    with Terminal.configured() as terminal:
        if not offline:
            catch_up_if_possible(terminal)
        with terminal.replica.reading():
            items = terminal.replica.all("product")
            names = {item["id"]: item["name"] for item in terminal.replica.all("category")}
        shown = {item["id"]: image_here(terminal, item) for item in items}
    if as_json:
        show(items, True, "")
        return
    table = Table("name", "category", "price", "picture")
    rows = [(names.get(item.get("category"), ""), item.get("position", 0), item["name"], item) for item in items]
    for category, _position, name, item in sorted(rows, key=lambda row: row[:3]):
        table.add_row(name, category, str(item.get("price", "")), shown[item["id"]])
    out.print(table)


@app.command()
def prefetch(as_json: AsJson = False) -> None:
    """Download every picture that a product shows."""
    with Terminal.configured() as terminal:
        terminal.replica.catch_up()
        with progress_bar("pictures", quiet=as_json) as told:
            result = terminal.images.prefetch_images(active_hashes(terminal), progress=told)
    words = "{success_count} downloaded, {already_cached} were here, {failed_count} failed"
    show(result, as_json, words.format(**result))
    if result["failed_count"]:
        raise SystemExit(FAILED)


@app.command()
def cleanup(
    days: Annotated[float | None, typer.Option(help="Remove what wasn't used for so many days instead.")] = None,
    as_json: AsJson = False,
) -> None:
    """Remove the pictures that no product shows."""
    with Terminal.configured() as terminal:
        if days is not None:
            result = terminal.images.cleanup_old_cache(days)
        else:
            terminal.replica.catch_up()
            result = terminal.images.cleanup_image_cache(active_hashes(terminal))
    show(result, as_json, f"{result['removed_count']} removed, {result['freed_bytes'] / 1e6:.1f} MB freed")


app.command()(upload)
app.add_typer(history, name="history")


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look for what is wrong: network, clock, token, certificate, disk, versions."""
    configuration, token = _configuration.load()
    findings = examine(configuration, token)
    if as_json:
        show([asdict(finding) for finding in findings], True, "")
    else:
        signs = {"ok": "[green]ok[/green]", "warning": "[yellow]warning[/yellow]", "failed": "[red]failed[/red]"}
        table = Table(show_header=False, box=None)
        for finding in findings:
            table.add_row(finding.about, signs[finding.verdict], finding.detail)
        out.print(table)
    failed = {finding.about for finding in findings if finding.verdict == "failed"}
    if failed:
        raise SystemExit(UNREACHABLE if "network" in failed else FAILED)


# --- What they share ----------------------------------------------------------------------------------------
def take_over_outbox(configuration: Configuration) -> int:
    """Moves what waits for the address that this shop had before; returns how many photos."""
    try:
        before, _token = _configuration.load()
    except NotConfigured:
        return 0
    if before.tenant != configuration.tenant:
        return 0
    return take_over(before.data_folder() / "outbox", configuration.data_folder() / "outbox")


def catch_up_if_possible(terminal: Terminal) -> None:
    """Raises ServerUnavailable only while there is no copy here: an old one is better than none."""
    try:
        terminal.replica.catch_up()
    except ServerUnavailable as error:
        if terminal.replica.versions.get("product") is None:
            raise
        since = iso(terminal.replica.last_sync_time) or "an unknown time"
        err.print(f"{error.server}: {error}; this is the copy of {since}", markup=False, highlight=False)


def active_hashes(terminal: Terminal) -> list[str]:
    """The pictures that products show, in a stable order.

    Raises ServerUnavailable while nobody knows them: another process may be at fetching them, for the first time.
    """
    if terminal.replica.versions.get("product") is None:
        raise ServerUnavailable("the products aren't here yet")
    hashes = (item.get("image") for item in terminal.replica.all("product"))
    return sorted({hash for hash in hashes if hash})


def image_here(terminal: Terminal, product: dict[str, Any]) -> str:
    if not product.get("image"):
        return ""
    return "here" if terminal.images.get_cached_path(product["image"]) else "not here"


def print_update(update: Update, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(update), ensure_ascii=False))
    else:
        name = (update.data or {}).get("name") or update.id or ""
        out.print(f"{update.version:>8} {update.resource} {update.action} {name}", markup=False, highlight=False)


def iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def absolute(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())
