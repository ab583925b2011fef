"""The page and its headers: the same for everybody, never stale, and nothing from elsewhere."""

import gzip
import re

import pytest
from django.conf import LazySettings
from django.test import Client

from terminal.shell import shell
from tests.contracts.conftest import use_bucket
from tests.parts import Bucket

ADDRESSES = ("/terminal/", "/terminal/sw.js", "/terminal/manifest.webmanifest", "/terminal/version", "/terminal/reset")


def policy(client: Client, address: str = "/terminal/") -> dict[str, list[str]]:
    parts = client.get(address)["Content-Security-Policy"].split("; ")
    return {name: sources for name, *sources in map(str.split, parts)}


def test_the_page_needs_no_login_and_no_database(client: Client) -> None:
    response = client.get("/terminal/")

    assert response.status_code == 200
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert response["Cache-Control"] == "no-cache"
    assert f'data-build="{shell().build}"' in response.content.decode()


def test_the_page_is_asked_for_each_time_and_comes_once(client: Client) -> None:
    first = client.get("/terminal/")

    again = client.get("/terminal/", headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    assert "default-src 'none'" in again["Content-Security-Policy"]


def test_the_page_may_reach_nothing_but_its_server(client: Client) -> None:
    assert policy(client) == {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "connect-src": ["'self'"],
        "img-src": ["'self'", "blob:"],
        "manifest-src": ["'self'"],
        "worker-src": ["'self'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
    assert policy(client, "/terminal/reset") == policy(client, "/terminal/sw.js") == policy(client)


def test_with_a_bucket_the_page_reaches_that_too(client: Client, settings: LazySettings, s3: Bucket) -> None:
    use_bucket(settings, s3)
    settings.R2_PUBLIC_DOMAIN = "https://pictures.example/"

    found = policy(client)

    assert found["connect-src"] == ["'self'", s3.endpoint_url, "https://pictures.example"]
    assert found["img-src"] == [*found["connect-src"], "blob:"]
    assert found["script-src"] == ["'self'"]


@pytest.mark.parametrize("address", ["/terminal/", "/terminal/reset"])
def test_a_page_has_no_script_and_no_style_inside(client: Client, address: str) -> None:
    html = client.get(address).content.decode()

    assert re.findall(r"<script(?![^>]* src=)|<style|\bstyle=|\bon\w+=|javascript:", html) == []
    assert re.findall(r"""(?:src|href)="(?:\w+:|//)[^"]*""", html) == []


@pytest.mark.django_db
@pytest.mark.any_database
@pytest.mark.parametrize("address", ADDRESSES)
def test_an_answer_is_the_same_for_everybody(client: Client, admin_client: Client, address: str) -> None:
    client.cookies["django_language"] = "es"
    answers = [
        client.get(address, headers={"Accept-Language": "zh-hans"}),
        admin_client.get(address, headers={"Host": "till.local"}),
    ]

    assert answers[0].content == answers[1].content
    assert [response.get("Vary", "") in {"", "Accept-Encoding"} for response in answers] == [True, True]
    assert [response.cookies for response in answers] == [{}, {}]


@pytest.mark.parametrize("address", ADDRESSES)
def test_only_reading_is_answered(client: Client, address: str) -> None:
    assert client.head(address).status_code == 200
    for ask in (client.post, client.put, client.delete, client.options):
        response = ask(address)
        assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("address", ADDRESSES)
def test_no_answer_is_taken_for_another_type(client: Client, address: str) -> None:
    assert client.get(address)["X-Content-Type-Options"] == "nosniff"


def test_over_plain_http_no_header_makes_the_console_complain(client: Client) -> None:
    assert client.get("/terminal/")["Cross-Origin-Opener-Policy"] == "unsafe-none"
    assert client.get("/terminal/", secure=True)["Cross-Origin-Opener-Policy"] == "same-origin"


def test_the_page_is_compressed_for_those_who_take_it(client: Client) -> None:
    plain = client.get("/terminal/", headers={"Accept-Encoding": "identity"})
    packed = client.get("/terminal/", headers={"Accept-Encoding": "br, gzip"})

    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert packed["ETag"] == f"W/{plain['ETag']}"
    assert plain["Vary"] == packed["Vary"] == "Accept-Encoding"


def test_the_address_without_its_slash_leads_to_the_page(client: Client) -> None:
    assert client.get("/terminal")["Location"] == "/terminal/"


def test_version_names_the_build(client: Client) -> None:
    response = client.get("/terminal/version")

    assert response.json() == {"build": shell().build}
    assert response["Cache-Control"] == "no-store"


def test_the_manifest_installs_the_page_and_nothing_beside(client: Client) -> None:
    response = client.get("/terminal/manifest.webmanifest")

    assert response["Content-Type"] == "application/manifest+json"
    manifest = response.json()
    assert (manifest["id"], manifest["start_url"], manifest["scope"]) == ("./", "./", "./")
    for icon in manifest["icons"]:
        assert client.get(f"/terminal/{icon['src']}")["Content-Type"] == icon["type"]
