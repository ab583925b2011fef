"""What sync costs and how fast it is, as ratios of one run: ``python -m benchmarks.sync [PART …]``, all unless told.

Starts a PostgreSQL that keeps what it commits, servers, writers and listeners, and prints a table with the target
beside each line. Ends non-zero when something failed; a target that was missed is said, not a failure.
"""

import argparse
import resource
import sys

from . import patches, peers, reads, shop, streams, writes

PARTS = {
    "writes": (writes.measure, 10_000),
    "patches": (patches.measure, 10_000),
    "peers": (peers.measure, 10_000),
    "reads": (reads.measure, reads.SIZES[0]),
    "streams": (streams.measure, 100),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all unless told", default=list(PARTS))
    parts = parser.parse_args().parts
    if unknown := set(parts) - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    # Streams are file descriptors, here and in the servers, which inherit the limit.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    table = shop.Table()
    with shop.open_shop(PARTS[parts[0]][1]) as one:
        for part in parts:
            measure, products = PARTS[part]
            shop.fill(products)
            measure(one, table)
    table.print()
    if table.missed:
        print(f"Missed: {'; '.join(table.missed)}.", file=sys.stderr)


if __name__ == "__main__":
    main()
