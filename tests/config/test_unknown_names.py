"""A name that nobody reads is refused, everywhere: a typing mistake would else list or change something else."""

import pytest
from drf_spectacular.generators import SchemaGenerator

from catalog.resources import KINDS
from devices.services import enroll
from refusals import InvalidParameter
from syncing.events import parse
from tests.catalog.conftest import ADDRESSES, Api, minimal_body

ZERO = "00000000-0000-0000-0000-000000000000"
KNOWN = {
    "since": "0",
    "epoch": ZERO,
    "limit": "1",
    "resource": "tag",
    "w": "160",
    "format": "jpeg",
    "cursor": "",
    "ordering": "name",
}


@pytest.fixture
def api(db):
    return Api(enroll(name="back office", may_upload=True, may_manage=True).token)


def reads():
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return [(path, one["get"]) for path, one in schema["paths"].items() if "get" in one and path != "/api/sync/events"]


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "operation"), reads(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_read_knows_the_parameters_that_it_publishes_and_no_other(api, path, operation):
    address = path.replace("{resource}", "tag").replace("{name}", f"{'0' * 64}.jpg")
    address = (
        address.replace("{id}", ZERO).replace("{album_id}", ZERO).replace("{photo_id}", ZERO).replace("{item_id}", ZERO)
    )
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "query":
            answer = api.get(address, {parameter["name"]: KNOWN.get(parameter["name"], "x")})
            assert not [e for e in answer.json().get("errors", []) if e["code"] == "unknown"], parameter["name"]
    answer = api.get(address, {"unheard_of": "x"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
    assert answer.json()["errors"][0].items() >= {"field": "unheard_of", "code": "unknown"}.items()


def test_a_slip_of_the_keyboard_is_told_what_was_meant(api):
    answer = api.get("/api/products?is_activ=true").json()
    assert answer["detail"] == "“is_activ” is not known here. Did you mean “is_active”?"
    assert answer["type"] == "/api/errors#invalid_parameter"
    assert api.get("/api/sync/status?epoch=1").status_code == 400
    assert api.post("/api/tags?name=hot", {"name": "hot"}).status_code == 400


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_object_can_be_sent_back_as_it_was_read_but_with_no_other_key(api, kind):
    made = api.post(ADDRESSES[kind.name], minimal_body(kind))
    assert api.put(made["Location"], made.json()).status_code == 200
    for method in (api.put, api.patch):
        answer = method(made["Location"], made.json() | {"nmae": "x"})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
        assert [error["field"] for error in answer.json()["errors"]] == ["nmae"]
    wrong = {"operations": [{"op": "update", "id": made.json()["id"], "data": {"nmae": "x"}}]}
    refused = api.post(f"{ADDRESSES[kind.name]}/batch", wrong).json()["results"][0]["problem"]
    assert refused["errors"][0]["field"] == "nmae"


def test_a_key_inside_of_a_list_is_named_by_its_place_beside_the_other_mistakes(api):
    answer = api.post("/api/attributes", {"name": "", "options": [{"name": "Small"}, {"name": "Big", "prise": "1.00"}]})
    assert {error["field"] for error in answer.json()["errors"]} == {"name", "options.1.prise"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/devices/enroll", {"code": "x", "name": "x"}),
        ("/api/images/missing", {"hashes": []}),
        ("/api/albums", {"name": "x"}),
        (f"/api/albums/{ZERO}/photos", {"filename": "a.jpg", "content_type": "image/jpeg", "size": 1}),
        ("/api/photos/match", {"filenames": []}),
        ("/api/tags/batch", {"operations": []}),
        ("/api/tags/batch", {"operations": [{"op": "delete", "id": ZERO, "nam": 1}]}),
    ],
)
def test_other_bodies_are_as_strict(api, path, body):
    answer = api.post(path, body | ({} if "nam" in str(body.get("operations", "")) else {"nam": "x"}))
    assert answer.status_code == 400
    assert any(error["field"].endswith("nam") and error["code"] == "unknown" for error in answer.json()["errors"])


def test_a_thousand_unknown_keys_cost_little_and_a_few_are_named(api):
    answer = api.post("/api/tags", {"name": "hot"} | {f"{n}{'name' * 1000}": n for n in range(100)})
    assert len(answer.json()["errors"]) == 5
    assert all(len(error["detail"]) < 500 for error in answer.json()["errors"])


def test_the_type_of_a_problem_leads_to_its_row(client):
    page = client.get("/api/errors")
    assert 'id="invalid_parameter"' in page.content.decode()
    assert 'id="unknown_resource"' in page.content.decode()


def test_the_stream_refuses_one_as_well():
    with pytest.raises(InvalidParameter, match="Did you mean “resources”"):
        parse({"query_string": b"resource=tag", "headers": []})
