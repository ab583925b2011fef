"""One writer of the application's kind: edits rows of its own through the ORM, a transaction each.

``python -m benchmarks.sync.writer NUMBER OF SECONDS``: one of so many, for so long. It says when it is ready, waits for
a line, and prints how many edits it made.
"""

import sys
import time

import django


def main(number: int, writers: int, seconds: float) -> None:
    django.setup()
    from catalog.models import Product

    mine = list(Product.objects.order_by("pk"))[number::writers]
    print("ready", flush=True)
    sys.stdin.readline()
    count, until = 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        product = mine[count % len(mine)]
        product.position += 1
        product.save(update_fields=["position", "updated_at"])
        count += 1
    print(count, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
