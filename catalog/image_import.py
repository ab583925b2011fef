"""Image files of an older system: stored under their hashes, and shown by the products that a map names.

Every step is noted in a journal. So an import that was broken off goes on where it was, and one that is run again
changes nothing: an image that a manager gave a product since stays.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from uuid import UUID

from images.normalize import OverCapacity, PictureRefused
from images.services import HashUnknown, add_image, missing_images
from normalform import MAX_BYTES

from .edits import Author, Way
from .models import Product
from .services import show_image

# Shows a walk through the given things as progress.
Progress = Callable[[Iterable[Any]], Iterable[Any]]
PRODUCT_COLUMNS = ("product", "product_id", "id", "sku", "barcode")
IMAGE_COLUMNS = ("image", "picture", "file", "filename", "old_name")


@dataclass(frozen=True)
class Wanted:
    """One line of the map: this product shows the image of this old name."""

    line: int
    product: str
    old_name: str


@dataclass
class Report:
    """What one run did. ``troubles`` are lines for people."""

    stored: int = 0  # files whose image is stored now
    known: int = 0  # files that an earlier run had stored
    shown: int = 0  # products that got their image
    done_before: int = 0  # lines of the map that an earlier run had done
    troubles: list[str] = field(default_factory=list)


class Journal:
    """What was done, a line for each step: ``file,<stamp>,<hash>`` and ``product,<id>,<old name>``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files: dict[str, str] = {}
        self.products: set[tuple[str, str]] = set()

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.mend()
        with self.path.open(newline="") as file:
            for row in csv.reader(file):
                if len(row) == 3 and row[0] == "file":
                    self.files[row[1]] = row[2]
                elif len(row) == 3 and row[0] == "product":
                    self.products.add((row[1], row[2]))
        self.file = self.path.open("a", newline="")
        self.writer = csv.writer(self.file)
        return self

    def __exit__(self, *_error: object) -> None:
        self.file.close()

    def mend(self) -> None:
        """Cuts off a last line that was only half written when a run was killed."""
        with self.path.open("ab+") as file:
            file.seek(0)
            whole = file.read()
            file.truncate(whole.rfind(b"\n") + 1)

    def note(self, *row: str) -> None:
        self.writer.writerow(row)
        self.file.flush()

    def has_file(self, stamp: str, hash: str) -> None:
        self.files[stamp] = hash
        self.note("file", stamp, hash)

    def has_product(self, product: str, old_name: str) -> None:
        self.products.add((product, old_name))
        self.note("product", product, old_name)


def import_images(*, folder: Path, wanted: Iterable[Wanted] = (), journal: Path, progress: Progress = iter) -> Report:
    """Store every image below ``folder``, then let products show those that ``wanted`` names.

    An image is named by its path below ``folder``, or by its file name, with or without the suffix. Raises
    ``StorageUnavailable``: run it again, what was done is noted.
    """
    report = Report()
    hashes: dict[str, str] = {}
    ambiguous: set[str] = set()
    with Journal(journal) as done:
        for path in progress(sorted(files_below(folder))):
            hash = stored_hash(path, folder, done, report)
            if hash is None:
                continue
            for name in names_of(path, folder):
                if hashes.setdefault(name, hash) != hash:
                    ambiguous.add(name)
        for line in progress(list(wanted)):
            give(line, hashes, ambiguous, done, report)
    return report


def files_below(folder: Path) -> Iterator[Path]:
    """The files below a folder, without those that are hidden."""
    for path in folder.rglob("*"):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def names_of(path: Path, folder: Path) -> set[str]:
    """What a map may call the file, in lower case: UUIDs are written either way."""
    below = path.relative_to(folder)
    return {name.casefold() for name in (below.as_posix(), below.with_suffix("").as_posix(), path.name, path.stem)}


def stored_hash(path: Path, folder: Path, done: Journal, report: Report) -> str | None:
    """The hash under which the image is stored; None, with the reason in the report, when it can't be."""
    try:
        found = path.stat()
        stamp = f"{path.relative_to(folder).as_posix()}|{found.st_size}|{found.st_mtime_ns}"
        known = done.files.get(stamp)
        if known and not missing_images(hashes=[known]):
            report.known += 1
            return known
        if found.st_size > MAX_BYTES:
            raise PictureRefused("too_large")
        hash = add_image(data=path.read_bytes()).image.hash
    except (PictureRefused, OverCapacity) as refused:
        report.troubles.append(f"{path}: {refused}")
        return None
    except (FileNotFoundError, PermissionError) as error:
        report.troubles.append(f"{path}: {error.strerror}")
        return None
    report.stored += 1
    done.has_file(stamp, hash)
    return hash


def give(line: Wanted, hashes: dict[str, str], ambiguous: set[str], done: Journal, report: Report) -> None:
    """Let one product show its image, once."""
    old_name = line.old_name.casefold()
    if old_name in ambiguous:
        report.troubles.append(f"line {line.line}: several pictures are called {line.old_name}")
        return
    hash = hashes.get(old_name)
    if hash is None:
        report.troubles.append(f"line {line.line}: there is no picture {line.old_name}")
        return
    product = product_of(line.product)
    if product is None:
        report.troubles.append(f"line {line.line}: there is no product {line.product}")
        return
    if (str(product), old_name) in done.products:
        report.done_before += 1
        return
    try:
        show_image(product_id=product, hash=hash, author=Author(Way.IMPORT))
    except HashUnknown:
        report.troubles.append(f"line {line.line}: the picture went meanwhile; run the import again")
        return
    report.shown += 1
    done.has_product(str(product), old_name)


def product_of(text: str) -> UUID | None:
    """The product with this id, SKU or barcode."""
    with suppress(ValueError):
        if found := Product.objects.filter(pk=UUID(text)).values_list("pk", flat=True).first():
            return found
    for name in ("sku", "barcode"):
        if text and (found := Product.objects.filter(**{name: text}).values_list("pk", flat=True).first()):
            return found
    return None


def read_map(path: Path) -> Iterator[Wanted]:
    """The lines of a CSV file: a header that names both columns, or two columns without one. Raises ValueError."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            sample = file.read(4096)
            file.seek(0)
            delimiter = ";" if sample.count(";") > sample.count(",") else ","
            rows = [(number, row) for number, row in enumerate(csv.reader(file, delimiter=delimiter), 1) if any(row)]
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(str(error)) from error
    header = [cell.strip().casefold() for cell in rows[0][1]] if rows else []
    product = next((header.index(name) for name in PRODUCT_COLUMNS if name in header), None)
    image = next((header.index(name) for name in IMAGE_COLUMNS if name in header), None)
    if product is not None and image is not None:
        rows = rows[1:]
    elif product is None and image is None:
        product, image = 0, 1
    else:
        raise ValueError(", ".join(header))
    for number, row in rows:
        if max(product, image) >= len(row):
            raise ValueError(f"line {number} is too short")
        yield Wanted(number, row[product].strip(), row[image].strip())
