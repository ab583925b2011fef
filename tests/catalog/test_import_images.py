"""Pictures of an older system, with names that say nothing, find their products."""

import signal
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command

from catalog import image_import
from catalog.models import Category, Product
from images.blobs import StorageUnavailable, blobs, image_key
from images.blobs.folder import LocalBlobs
from images.models import Image
from images.services import add_image
from tests.images.pictures import encoded, normal_jpeg, photograph
from tests.parts import ROOT, shared_environment

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def files(settings: LazySettings, tmp_path: Path) -> Path:
    settings.FILES_DIR = tmp_path / "files"
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "files"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The folder of the older system."""
    folder = tmp_path / "old"
    (folder / "2019").mkdir(parents=True)
    return folder


@pytest.fixture
def product() -> Callable[..., Product]:
    category = Category.objects.create(name="Drinks")

    def make(name: str, **values: str) -> Product:
        return Product.objects.create(name=name, price="2.00", category=category, **values)

    return make


def run(*words: object) -> str:
    out = StringIO()
    call_command("import_images", *map(str, words), stdout=out, stderr=StringIO())
    return out.getvalue()


def hash_of(seed: int) -> str:
    return sha256(normal_jpeg(seed)).hexdigest()


def test_pictures_with_old_names_come_to_the_products_of_the_map(
    old: Path, tmp_path: Path, product: Callable[..., Product]
) -> None:
    tea, coffee, water = product("Tea"), product("Coffee", sku="C-1"), product("Water", barcode="400123")
    names = [uuid4() for _ in range(3)]
    (old / f"{names[0]}.jpg").write_bytes(normal_jpeg(1))
    (old / "2019" / f"{names[1]}.png").write_bytes(encoded(photograph(64, 48, 2), "PNG"))
    (old / str(names[2])).write_bytes(normal_jpeg(3))
    (old / ".hidden").write_bytes(b"no picture")
    table = tmp_path / "map.csv"
    table.write_text(
        f"\ufeffname;image;product\nTea;{str(names[0]).upper()};{tea.pk}\n\nCoffee;2019/{names[1]}.png;C-1\n"
        f"Water;{names[2]};400123\n"
    )

    said = run(old, "--map", table)

    assert said.startswith("3 pictures stored, 0 known; 3 products got theirs, 0 had.")
    for row in (tea, coffee, water):
        row.refresh_from_db()
        assert row.image_id is not None
        assert blobs().read(image_key(row.image_id), sha256=row.image_id)
    assert (tea.image_id, water.image_id) == (hash_of(1), hash_of(3))


def test_what_was_done_is_not_done_again_and_a_manager_s_choice_stays(
    old: Path, tmp_path: Path, product: Callable[..., Product], monkeypatch: pytest.MonkeyPatch
) -> None:
    tea = product("Tea", sku="T")
    (old / "a.jpg").write_bytes(normal_jpeg(1))
    table = tmp_path / "map.csv"
    table.write_text("T,a\n")
    run(old, "--map", table)
    chosen = add_image(data=normal_jpeg(2)).image
    Product.objects.filter(pk=tea.pk).update(image=chosen)
    decoded: list[bytes] = []
    monkeypatch.setattr(image_import, "add_image", lambda *, data: decoded.append(data))

    said = run(old, "--map", table)

    assert said.startswith("0 pictures stored, 1 known; 0 products got theirs, 1 had.")
    assert decoded == []
    tea.refresh_from_db()
    assert tea.image_id == chosen.hash


def test_a_file_that_changed_or_whose_image_is_gone_is_stored_again(old: Path) -> None:
    (old / "a.jpg").write_bytes(normal_jpeg(1))
    (old / "b.jpg").write_bytes(normal_jpeg(2))
    run(old)
    (old / "a.jpg").write_bytes(normal_jpeg(3, 320, 240))
    Image.objects.filter(pk=hash_of(2)).delete()

    assert run(old).startswith("2 pictures stored, 0 known")
    assert Image.objects.filter(pk=hash_of(2)).exists()


def test_a_storage_that_fails_ends_it_and_the_next_run_goes_on(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in (1, 2, 3):
        (old / f"{seed}.jpg").write_bytes(normal_jpeg(seed))
    put = LocalBlobs.put
    failed: list[str] = []

    def fail_at_the_third(self: LocalBlobs, key: str, *arguments: object, **options: object) -> bool:
        if key == image_key(hash_of(3)):
            failed.append(key)
            raise StorageUnavailable("full")
        return put(self, key, *arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(LocalBlobs, "put", fail_at_the_third)
        with pytest.raises(CommandError, match="goes on where it was"):
            run(old)

    assert failed
    assert run(old).startswith("1 pictures stored, 2 known")


DYING = """
import os, signal, sys, django
django.setup()
from django.core.management import call_command
from catalog.image_import import Journal
note, notes = Journal.note, []
def note_and_die(self, *row):
    note(self, *row)
    notes.append(row)
    if len(notes) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
Journal.note = note_and_die
call_command("import_images", sys.argv[1], journal=sys.argv[2])
"""


def test_a_run_that_was_killed_goes_on(old: Path, tmp_path: Path, settings: LazySettings) -> None:
    for seed in range(1, 7):
        (old / f"{seed}.jpg").write_bytes(normal_jpeg(seed))
    journal = tmp_path / "journal.csv"
    command = [sys.executable, "-c", DYING, str(old), str(journal)]
    environment = {**shared_environment(), "DATA_DIR": str(tmp_path / "data")}
    died = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode
    with journal.open("ab") as file:
        file.write(b"file,half a li")
    settings.FILES_DIR = tmp_path / "data" / "uploads"

    said = run(old, "--journal", journal)

    assert died == -signal.SIGKILL
    assert said.startswith("3 pictures stored, 3 known")
    assert Image.objects.usable().count() == 6


def test_what_can_not_be_done_is_named_and_the_rest_is_done(
    old: Path, tmp_path: Path, product: Callable[..., Product], capsys: pytest.CaptureFixture[str]
) -> None:
    product("Tea", sku="T")
    (old / "tea.jpg").write_bytes(normal_jpeg(1))
    (old / "2019" / "cup.jpg").write_bytes(normal_jpeg(2))
    (old / "cup.jpg").write_bytes(normal_jpeg(3))
    (old / "menu.pdf").write_bytes(b"%PDF-1.7")
    table = tmp_path / "map.csv"
    table.write_text("sku,picture\nT,tea.jpg\nT,cup\nX,tea\nT,gone\n")
    error = StringIO()

    with pytest.raises(CommandError, match="4 lines"):
        call_command("import_images", str(old), map=table, stdout=StringIO(), stderr=error)

    said = error.getvalue()
    assert "menu.pdf: The file is none of JPEG" in said
    assert "line 3: several pictures are called cup" in said
    assert "line 4: there is no product X" in said
    assert "line 5: there is no picture gone" in said
    assert Product.objects.get().image_id == hash_of(1)


@pytest.mark.parametrize("table", [b"product,price\nx,1\n", b"\xff\xfe\x00", b"only\n"])
def test_a_map_without_its_columns_is_refused(old: Path, tmp_path: Path, table: bytes) -> None:
    (tmp_path / "map.csv").write_bytes(table)

    with pytest.raises(CommandError, match="no columns"):
        run(old, "--map", tmp_path / "map.csv")
    with pytest.raises(CommandError, match="no folder"):
        run(tmp_path / "nowhere")
    with pytest.raises(CommandError, match="No such file"):
        run(old, "--map", tmp_path / "nothing.csv")
