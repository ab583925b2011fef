"""Files that were damaged at random: bits, cuts, lengths, chunks that change places. The same for the same seed.

``python -m tests.images.damage SEED SECONDS``, with normalform on the path, normalises such files for so long, within a
gigabyte and 10 seconds of computing each, and prints how often each outcome came. It ends with an error at the first
one that isn't a picture in normal form or a refusal; its message has the seed of that file alone.
"""

import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable

Numbers = random.Random
PLACES = re.compile(
    rb"\xff[\xc0-\xfe]|[IiPtc][A-Za-z]{3}|VP8[ LX]|ALPH|ICCP|EXIF"
    rb"|ftyp|meta|iloc|iinf|iprp|ipco|ipma|ispe|colr|av1C|hvcC|mdat"
)


def joints(data: bytes) -> list[int]:
    """Where segments, chunks, boxes or fields may begin."""
    if data[:2] in (b"II", b"MM"):
        start = int.from_bytes(data[4:8], "little" if data[:2] == b"II" else "big")
        return list(range(start, min(len(data), start + 400), 12)) or [8]
    return [found.start() for found in PLACES.finditer(data)] or [0]


def flip(data: bytearray, numbers: Numbers) -> None:
    for _ in range(numbers.randint(1, 8)):
        at = numbers.randrange(min(len(data), numbers.choice([64, 400, len(data)])))
        data[at] ^= 1 << numbers.randrange(8)


def cut(data: bytearray, numbers: Numbers) -> None:
    del data[numbers.randrange(len(data)) :]


def drop(data: bytearray, numbers: Numbers) -> None:
    at = numbers.randrange(len(data))
    del data[at : at + numbers.randint(1, 64)]


def repeat(data: bytearray, numbers: Numbers) -> None:
    at, size = numbers.randrange(len(data)), numbers.randint(1, 400)
    data[at:at] = data[at : at + size] * numbers.randint(1, 3)


def swap(data: bytearray, numbers: Numbers) -> None:
    places = joints(bytes(data))
    first, second = sorted((numbers.choice(places), numbers.choice(places)))
    size = numbers.choice([4, 12, 40, 200])
    one, other = bytes(data[first : first + size]), bytes(data[second : second + size])
    data[second : second + size], data[first : first + size] = one, other


def lengthen(data: bytearray, numbers: Numbers) -> None:
    """Other lengths, counts and offsets."""
    at = max(0, numbers.choice(joints(bytes(data))) + numbers.choice([-4, 2, 4, 8]))
    size = numbers.choice([2, 4])
    value = numbers.choice([0, 1, 2**31 - 1, 2**32 - 1, len(data), numbers.randrange(2**32), numbers.randrange(4096)])
    data[at : at + size] = (value % 256**size).to_bytes(size, numbers.choice(["little", "big"]))


def fill(data: bytearray, numbers: Numbers) -> None:
    at, size = numbers.randrange(len(data)), numbers.randint(1, 400)
    size = min(size, len(data) - at)
    data[at : at + size] = bytes([numbers.choice([0, 0xFF])]) * size


WAYS: tuple[Callable[[bytearray, Numbers], None], ...] = (flip, cut, drop, repeat, swap, lengthen, fill)


def damaged(files: list[bytes], seed: int) -> bytes:
    """One of the files, damaged in up to three ways."""
    numbers = random.Random(seed)  # noqa: S311 - no secret
    data = bytearray(numbers.choice(files))
    for _ in range(numbers.randint(1, 3)):
        if data:
            numbers.choice(WAYS)(data, numbers)
    return bytes(data)


def main(seed: int, seconds: float) -> None:
    import faulthandler
    import resource
    from pathlib import Path

    from normalform import ImageRefused, is_normal_form, normalize
    from normalform.failures import MOST_MEMORY
    from tests.images.small import SMALL_FILES

    files = [make() for make in SMALL_FILES.values()]
    for data in files:  # whatever is loaded and kept once is loaded now
        normalize(data)
    status = Path("/proc/self/status").read_text()
    # A file that asks for more than there can be is broken only where there is room for the largest good picture.
    limit = int(status.split("VmSize:")[1].split()[0]) * 1024 + MOST_MEMORY + 100 * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    outcomes: Counter[str] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.process_time()  # the machine may be busy with other things
        Path("/proc/self/comm").write_text(f"seed {seed}"[:15])
        faulthandler.dump_traceback_later(60, exit=True)
        data = damaged(files, seed)
        try:
            made = normalize(data)
        except ImageRefused as refused:
            outcomes[refused.code] += 1
        except BaseException as error:
            raise SystemExit(f"seed {seed}: {error!r}") from error
        else:
            outcomes["taken"] += 1
            if not is_normal_form(made.data):
                raise SystemExit(f"seed {seed}: not in normal form")
        took = time.process_time() - begun
        if took > 10:
            raise SystemExit(f"seed {seed}: took {took:.1f} s")
        seed += 1
    faulthandler.cancel_dump_traceback_later()
    sys.stdout.write(f"{json.dumps(outcomes)}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
