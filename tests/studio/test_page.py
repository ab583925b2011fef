"""The page at /studio/: its files are those of one build, and the worker knows each by its digest."""

import json
import re
from hashlib import sha256

import pytest
from django.contrib.auth.models import User
from django.test import Client

from studio.build import build
from terminal.shell import shell

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("manager"))
    return client


def test_every_file_that_the_page_names_is_there_for_ever(staff: Client) -> None:
    html = staff.get("/studio/").content.decode()
    named = re.findall(r'(?:src|href)="(app/[^"]+)"', html)
    assert f'data-build="{build().name}"' in html
    assert len(named) == len(build().first) + 2
    for path in named:
        answer = Client().get(f"/studio/{path}")
        assert answer.status_code == 200
        assert "immutable" in answer["Cache-Control"]
    assert Client().get(f"/studio/app/{'0' * 16}/page/studio.js").status_code == 404
    assert Client().get(f"/studio/app/{build().name}/page/page.html").status_code == 404


def test_the_worker_lists_the_files_and_no_page(staff: Client) -> None:
    answer = Client().get("/studio/sw.js")
    found = re.match(r"self\.SHELL = (.*);\n", answer.content.decode())
    assert found is not None
    listed = json.loads(found[1])
    assert listed["page"] is None
    for path, digest in listed["files"].items():
        assert sha256(Client().get(f"/studio/app/{listed['build']}/{path}").content).hexdigest() == digest
    assert answer["Content-Security-Policy"] == staff.get("/studio/")["Content-Security-Policy"]


def test_the_page_has_what_it_needs_of_the_library_and_nothing_of_the_terminal() -> None:
    files = build().files
    assert {"src/history/history.js", "src/memory.js", "vendor/idb.js", "vendor/noble-hashes.js"} <= set(files)
    assert not {path for path in files if path.startswith("app/") or "lit" in path or "prices" in path}
    assert build().name != shell().build


def test_nothing_is_inline_but_what_the_script_reads(staff: Client) -> None:
    answer = staff.get("/studio/")
    assert "unsafe" not in answer["Content-Security-Policy"]
    scripts = re.findall(r"<script([^>]*)>", answer.content.decode())
    assert [script for script in scripts if "src=" not in script] == [' id="studio-facts" type="application/json"']


def test_a_log_out_has_another_token(staff: Client) -> None:
    staff.get("/studio/")
    before = staff.cookies["csrftoken"].value
    staff.post("/admin/logout/")
    assert staff.cookies["csrftoken"].value != before


def test_a_history_says_whose_it_is(staff: Client) -> None:
    assert staff.get("/api/history/sync?since=0").json()["owner"] == User.objects.get().pk
