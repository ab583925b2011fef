"""What it costs at the start that nothing is bundled: the modules beside one file, both by a service worker."""

import json
import re
import statistics
import subprocess
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from .made_up import CLIENT, MadeUp
from .table import Table

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROUNDS = 7
ENTRY = "app/main.js"
IMPORT = re.compile(r"""^(?:import|export)\b[^;"'()]*?["'](\.{1,2}/[^"']+)["'];?$""", re.MULTILINE)
WORKER = """
addEventListener("install", (event) => event.waitUntil(
  caches.open("all").then((cache) => cache.addAll(ADDRESSES)).then(() => skipWaiting())));
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => event.respondWith(
  caches.open("all").then((cache) => cache.match(event.request)).then((found) => found ?? fetch(event.request))));
"""
PAGE = """<!doctype html><meta charset="utf-8"><title>modules</title>{preloads}
<script type="module" src="{entry}"></script>"""


def modules() -> list[str]:
    """All that the page needs before it runs but its first, which would run it."""
    found = [ENTRY]
    for path in found:
        for address in IMPORT.findall((CLIENT / path).read_text()):
            wanted = (CLIENT / PurePosixPath(path).parent / address).resolve().relative_to(CLIENT).as_posix()
            if wanted not in found:
                found.append(wanted)
    return found[1:]


def bundle(entry: str) -> str:
    esbuild = CLIENT / "node_modules" / ".bin" / "esbuild"
    made = subprocess.run(
        [str(esbuild), "--bundle", "--format=esm"], input=entry, cwd=CLIENT, capture_output=True, text=True, check=True
    )
    return made.stdout


def measure(browser: "Browser", table: Table) -> None:
    paths = modules()
    imports = "".join(f'import "./{path}";\n' for path in paths)
    ready = "globalThis.readyAt = performance.now();\n"
    preloads = "".join(f'<link rel="modulepreload" href="/redcoral/{path}">' for path in paths)
    with MadeUp() as server:
        server.files = {
            "/modules": ("text/html", PAGE.format(preloads=preloads, entry="/redcoral/entry.js")),
            "/redcoral/entry.js": ("text/javascript", imports + ready),
            "/bundled": ("text/html", PAGE.format(preloads="", entry="/bundle.js")),
            "/bundle.js": ("text/javascript", bundle(imports + ready)),
        }
        addresses = [*server.files, *(f"/redcoral/{path}" for path in paths)]
        server.files["/sw.js"] = ("text/javascript", WORKER.replace("ADDRESSES", json.dumps(addresses)))
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{server.url}/")
        page.evaluate("navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready)")
        page.wait_for_function("navigator.serviceWorker.controller")
        session = context.new_cdp_session(page)
        for slower in (1, 4):
            session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
            spent: dict[str, list[float]] = {"modules": [], "bundled": []}
            for _round in range(ROUNDS + 2):
                for name, times in spent.items():
                    page.goto(f"{server.url}/{name}")
                    times.append(page.wait_for_function("globalThis.readyAt").json_value())
            ours, beside = (statistics.median(times[2:]) for times in spent.values())
            table.row(f"{len(paths)} modules beside one file, {slower} × slower", ours, beside=beside)
        context.close()
