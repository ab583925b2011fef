"""OpenAPI says what is delivered."""

from pathlib import Path

import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator

from .conftest import ADDRESSES

EVERY = pytest.mark.parametrize("resource", sorted(ADDRESSES))
JSON_TYPES = {"string": str, "integer": int, "boolean": bool, "array": list}


@pytest.fixture(scope="module")
def schema():
    return SchemaGenerator().get_schema(request=None, public=True)


def resolved(schema, part):
    while "$ref" in part or "allOf" in part:
        reference = part.get("$ref") or part["allOf"][0]["$ref"]
        part = schema["components"]["schemas"][reference.rpartition("/")[2]]
    return part


def answer_shape(schema, operation, status):
    return resolved(schema, operation["responses"][status]["content"]["application/json"]["schema"])


def check(schema, shape, value, where):
    """``value`` is of ``shape``: the same keys in the same order, each of its type."""
    shape = resolved(schema, shape)
    if value is None:
        assert shape.get("nullable"), where
    elif "properties" in shape:
        assert list(value) == list(shape["properties"]), where
        assert set(shape["required"]) == set(value), where
        for key, inner in value.items():
            check(schema, shape["properties"][key], inner, f"{where}.{key}")
    elif "type" in shape:
        assert type(value) is JSON_TYPES[shape["type"]], where
        for inner in value if isinstance(value, list) else []:
            check(schema, shape["items"], inner, where)


@EVERY
def test_an_object_has_the_shape_that_the_schema_promises(api, minimal, schema, resource):
    body = minimal(resource) | ({"options": [{"name": "Small"}]} if resource == "attribute" else {})
    address = ADDRESSES[resource]
    made = api.post(address, body)
    one, many = schema["paths"][f"{address}/{{id}}"], schema["paths"][address]
    check(schema, answer_shape(schema, many["post"], "201"), made.json(), resource)
    check(schema, answer_shape(schema, one["get"], "200"), api.get(made["Location"]).json(), resource)
    check(
        schema,
        answer_shape(schema, one["put"], "200"),
        api.put(made["Location"], made.json()).json(),
        resource,
    )
    check(schema, answer_shape(schema, one["patch"], "200"), api.patch(made["Location"], {}).json(), resource)
    page = answer_shape(schema, many["get"], "200")
    assert list(page["properties"]) == ["next", "previous", "results"]
    check(schema, page["properties"]["results"]["items"], api.get(address).json()["results"][0], resource)


@EVERY
def test_operations_have_stable_names_and_tell_their_problems(schema, resource):
    address = ADDRESSES[resource]
    prefix = address.removeprefix("/api/").replace("-", "_")
    one, many = schema["paths"][f"{address}/{{id}}"], schema["paths"][address]
    operations = {**{f"many {m}": o for m, o in many.items()}, **{f"one {m}": o for m, o in one.items()}}
    assert {name: operation["operationId"] for name, operation in operations.items()} == {
        "many get": f"{prefix}_list",
        "many post": f"{prefix}_create",
        "one get": f"{prefix}_retrieve",
        "one put": f"{prefix}_update",
        "one patch": f"{prefix}_partial_update",
        "one delete": f"{prefix}_destroy",
    }
    for name, statuses in {
        "many get": "200 400 401 403 429 503",
        "many post": "201 400 401 403 408 409 411 413 415 429 503",
        "one get": "200 304 400 401 403 404 429 503",
        "one put": "200 201 400 401 403 404 408 409 411 412 413 415 429 503",
        "one patch": "200 400 401 403 404 408 409 411 412 413 415 429 503",
        "one delete": "204 400 401 403 404 409 412 429 503",
    }.items():
        assert sorted(operations[name]["responses"]) == statuses.split()
        for status, response in operations[name]["responses"].items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"]


def test_the_parameters_of_a_list_are_named(schema):
    named = {parameter["name"] for parameter in schema["paths"]["/api/products"]["get"]["parameters"]}
    assert {
        "limit",
        "cursor",
        "search",
        "ordering",
        "category",
        "tags",
        "is_active",
        "sku",
        "barcode",
    } <= named


def test_a_pin_is_only_ever_sent(schema):
    components = schema["components"]["schemas"]
    assert "pin" in components["EmployeeRequest"]["properties"]
    assert "pin" not in components["Employee"]["properties"]
    assert "Retry-After" in schema["paths"]["/api/employees/{id}/verify_pin"]["post"]["responses"]["429"]["headers"]


@EVERY
def test_a_batch_has_the_shape_that_the_schema_promises(api, minimal, schema, resource):
    operation = schema["paths"][f"{ADDRESSES[resource]}/batch"]["post"]
    assert operation["operationId"] == f"{ADDRESSES[resource].removeprefix('/api/').replace('-', '_')}_batch"
    expected = "200 400 401 403 408 409 411 413 415 429 503"
    assert sorted(operation["responses"]) == expected.split()
    sent = resolved(schema, operation["requestBody"]["content"]["application/json"]["schema"])
    assert list(sent["properties"]) == ["mode", "operations"]
    one = resolved(schema, sent["properties"]["operations"]["items"])
    assert (list(one["properties"]), one["required"]) == (["op", "id", "if_match", "data"], ["op"])
    assert resolved(schema, one["properties"]["data"])["properties"].keys() >= minimal(resource).keys()

    new = [{"op": "create", "data": minimal(resource)}, {"op": "update", "data": {}}]
    answer = api.post(f"{ADDRESSES[resource]}/batch", {"mode": "each", "operations": new}).json()
    shape = answer_shape(schema, operation, "200")
    assert list(answer) == list(shape["properties"]) == ["results"]
    result = resolved(schema, shape["properties"]["results"]["items"])
    made, refused = answer["results"]
    assert result["properties"].keys() == made.keys() | refused.keys()
    assert result["required"] == ["status"]
    check(schema, result["properties"]["object"], made["object"], resource)


def test_no_two_shapes_have_one_name(tmp_path: Path) -> None:
    """Of two only one would be published, in the place of both."""
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))
