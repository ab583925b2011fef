"""Optimistic concurrency: whoever wrote last knew what they overwrote, if they ask for it."""

from uuid import uuid4

import pytest

from catalog import models


@pytest.fixture
def tag(api):
    return api.post("/api/tags", {"name": "hot"})


def test_every_answer_with_an_object_carries_its_strong_etag(api, tag):
    here = tag["Location"]
    assert tag["ETag"].startswith('"')
    assert api.get(here)["ETag"] == tag["ETag"]
    patched = api.patch(here, {"name": "very hot"})
    assert patched["ETag"] not in ("", tag["ETag"])
    assert api.get(here)["ETag"] == patched["ETag"]
    put = api.put(here, {"name": "mild"})
    assert api.get(here)["ETag"] == put["ETag"]
    assert api.put(f"/api/tags/{uuid4()}", {"name": "new"})["ETag"]


def test_reading_what_one_has_costs_no_bytes(api, tag):
    here = tag["Location"]
    for known in (tag["ETag"], f"W/{tag['ETag']}", f'"other", {tag["ETag"]}', "*"):
        answer = api.get(here, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag["ETag"])
        assert {"Content-Type", "Content-Length"}.isdisjoint(answer.headers)  # a cache would believe them
    for other in ('"other"', "nonsense", ""):
        assert api.get(here, headers={"If-None-Match": other}).status_code == 200


@pytest.mark.parametrize("method", ["put", "patch"])
def test_a_write_with_the_current_etag_goes_through_and_a_stale_one_does_not(api, tag, method):
    here, write = tag["Location"], getattr(api, method)
    good = write(here, {"name": "first"}, headers={"If-Match": tag["ETag"]})
    assert good.status_code == 200
    stale = write(here, {"name": "second"}, headers={"If-Match": tag["ETag"]})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    assert stale["Content-Type"] == "application/problem+json"
    assert api.get(here).json()["name"] == "first"


def test_a_delete_with_a_stale_etag_deletes_nothing(api, tag):
    here = tag["Location"]
    assert api.delete(here, headers={"If-Match": '"stale"'}).status_code == 412
    assert api.delete(here, headers={"If-Match": tag["ETag"]}).status_code == 204


def test_lists_weak_ones_and_the_star_match(api, tag):
    here = tag["Location"]
    assert api.patch(here, {"name": "a"}, headers={"If-Match": f'"x", W/{tag["ETag"]}'}).status_code == 200
    assert api.patch(here, {"name": "b"}, headers={"If-Match": "*"}).status_code == 200
    for nonsense in ("", "nonsense", tag["ETag"].strip('"')):
        assert api.patch(here, {"name": "c"}, headers={"If-Match": nonsense}).status_code == 412


def test_an_object_that_is_not_there_matches_nothing(api):
    here = f"/api/tags/{uuid4()}"
    for condition in ("*", '"any"'):
        assert api.put(here, {"name": "hot"}, headers={"If-Match": condition}).status_code == 412
    assert not models.Tag.objects.exists()


def test_put_can_insist_on_making_something_new(api, tag):
    insist = {"If-None-Match": "*"}
    assert api.put(tag["Location"], {"name": "mild"}, headers=insist).status_code == 412
    assert api.put(f"/api/tags/{uuid4()}", {"name": "mild"}, headers=insist).status_code == 201


def test_an_etag_that_compression_weakened_still_matches(api, minimal):
    made = api.post("/api/products", minimal("product") | {"description": "long " * 700})
    zipped = api.get(made["Location"], headers={"Accept-Encoding": "gzip"})
    assert (zipped["Content-Encoding"], zipped["ETag"]) == ("gzip", f"W/{made['ETag']}")
    again = api.get(made["Location"], headers={"Accept-Encoding": "gzip", "If-None-Match": zipped["ETag"]})
    assert again.status_code == 304
    written = api.patch(
        made["Location"], {"name": "Tea"}, headers={"Accept-Encoding": "gzip", "If-Match": zipped["ETag"]}
    )
    assert written.status_code == 200


def test_the_etag_changes_with_a_link_too(api, minimal):
    made = api.post("/api/products", minimal("product"))
    models.Product.objects.get(pk=made.json()["id"]).tags.add(models.Tag.objects.create(name="hot"))
    assert api.put(made["Location"], made.json(), headers={"If-Match": made["ETag"]}).status_code == 412
