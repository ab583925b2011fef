"""``python -m benchmarks.browser [PART …]``, all of `PARTS` unless told: Debian's Chromium, medians of seven."""

import sys

from playwright.sync_api import sync_playwright

from . import library, modules, page, painting, studio
from .table import Table

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
PARTS = {
    "library": library.measure,
    "page": page.measure,
    "painting": painting.measure,
    "modules": modules.measure,
    "studio": studio.measure,
}


def main(chosen: list[str]) -> int:
    table = Table()
    print("| case | ours | beside | ratio | target |\n|---|---|---|---|---|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for name in chosen or PARTS:
            PARTS[name](browser, table)
        browser.close()
    return int(table.missed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
