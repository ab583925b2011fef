"""Whatever a client sends gets a typed problem, never a failure of the server."""

from collections import Counter
from io import BytesIO
from itertools import pairwise
from typing import Any
from uuid import uuid4
from wsgiref.util import setup_testing_defaults

import orjson
import pytest

from catalog.resources import KINDS
from config.wsgi import application
from syncing import registry

from .conftest import ADDRESSES, MODELS

EVERY = pytest.mark.parametrize("resource", sorted(ADDRESSES))
SHAPES = {kind.name: kind.shape for kind in KINDS}
# As JSON text, since some of them can't be written by Python.
WRONG = [
    "null",
    "-1",
    "12.5",
    "1" + "0" * 30,
    "9" * 5000,
    "2147483648",
    '""',
    '"x"',
    '"a\\u0000b"',
    '"\\ud800"',
    '"' + "x" * 5000 + '"',
    '"NaN"',
    '"1e400"',
    '"12.555"',
    '"1_000"',
    '"٣"',
    '"25:00"',
    '"10000-01-01"',
    '"2026-02-30"',
    f'"{uuid4()}"',
    f'"{"f" * 64}"',
    "[]",
    "{}",
    "[null]",
    '["x"]',
    '["\\u0000"]',
    f'["{uuid4()}"]',
    '{"a": {"b": []}}',
]


def check(answer):
    """A good answer or a typed problem."""
    assert answer.status_code < 500, answer.content
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == answer.status_code
        assert {"type", "title", "status", "code", "detail"} <= problem.keys()
        assert problem["code"]
        for error in problem.get("errors", []):
            assert error.keys() == {"field", "code", "detail"}
            assert all(isinstance(value, str) for value in error.values())
    return answer


def with_field(body, name, value):
    """``body`` as JSON in which ``name`` has ``value``, which is JSON already."""
    others = [f'"{key}": {orjson.dumps(other).decode()}' for key, other in body.items() if key != name]
    fields = ", ".join([*others, f'"{name}": {value}'])
    return f"{{{fields}}}".encode()


@EVERY
def test_no_value_of_any_field_breaks_the_server(api, minimal, resource):
    here = api.post(ADDRESSES[resource], minimal(resource))["Location"]
    fields = [*SHAPES[resource].Meta.fields]
    refused = 0
    for name in fields:
        for value in WRONG:
            answer = check(api.patch(here, f'{{"{name}": {value}}}'))
            refused += answer.status_code == 400
        assert check(api.get(here)).status_code == 200
    assert refused > len(WRONG) * len(fields) // 3


@EVERY
def test_no_value_of_any_field_breaks_a_new_object(api, minimal, resource):
    body = minimal(resource)
    seen: Counter[int] = Counter()
    for name in SHAPES[resource].Meta.fields:
        for value in ("null", "1" + "0" * 30, '"a\\u0000b"', "[null]"):
            answer = check(api.post(ADDRESSES[resource], with_field(body, name, value)))
            seen[answer.status_code] += 1
            if answer.status_code == 201:
                assert check(api.delete(answer["Location"])).status_code == 204
            else:
                assert answer.json()["code"] != "malformed_json", "it would say nothing about the field"
    assert seen[400] > seen[201] > 0


@pytest.mark.parametrize("resource", ["product", "attribute"])
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid"),
        (b"null", 400, "invalid"),
        (b"[]", 400, "invalid"),
        (b'"x"', 400, "invalid"),
        (b"1", 400, "invalid"),
        (b"{", 400, "malformed_json"),
        (b'{"name": NaN}', 400, "malformed_json"),
        (b'{"name": "\xff"}', 400, "malformed_json"),
        (b'{"name": "\\ud800"}', 400, "malformed_json"),
        (b"[" * 100_000, 400, "malformed_json"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, 400, "malformed_json"),
        (b'{"name": "' + b"x" * (2 * 1024 * 1024) + b'"}', 413, "too_large"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_body_that_is_no_object_is_refused(api, resource, body, status, code):
    for answer in (api.post(ADDRESSES[resource], body), api.put(f"{ADDRESSES[resource]}/{uuid4()}", body)):
        check(answer)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_body_of_another_type_is_refused(api):
    for kind in (
        "text/plain",
        "application/xml",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
        "x",
        ";",
    ):
        answer = check(api.post("/api/tags", b"name=hot", content_type=kind))
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.django_db(transaction=True)  # a request of the real handler closes the connection
@pytest.mark.parametrize("charset", ["utf-16", "hex", "idna", "nonsense", "utf-8; x"])
def test_a_charset_changes_nothing(api, charset):
    statuses = []
    for method, body, query in (("POST", b'{"name": "hot"}', ""), ("GET", b"", "search=h%6ft")):
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": "/api/tags",
            "QUERY_STRING": query,
            "CONTENT_TYPE": f"application/json; charset={charset}",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_AUTHORIZATION": api.defaults["HTTP_AUTHORIZATION"],
            "wsgi.input": BytesIO(body),
        }
        setup_testing_defaults(environ)
        response: Any = application(environ, lambda status, *_: statuses.append(status))
        response.close()
    assert statuses == ["201 Created", "200 OK"]
    assert [row["name"] for row in orjson.loads(response.content)["results"]] == ["hot"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "parameter",
    ["x*=bogus''y", "x*=idna''%ff%ff", "x*=undefined''y", "x*0*=bogus''a", "x*=\xff''a", f"x*{'5' * 5000}=y"],
)
def test_a_parameter_of_the_type_that_cannot_be_read_changes_nothing(api, parameter):
    found = []
    for method, address, body in (
        ("GET", "/livez", b""),
        ("GET", "/api/sync/status", b""),
        ("GET", "/api/schema", b""),
        ("GET", f"/api/image/{'0' * 64}.jpg", b""),
        ("GET", "/nowhere", b""),
        ("GET", "/admin/login/", b""),
        ("PUT", "/api/uploads/x", b"x"),
        ("POST", "/api/tags", b'{"name": "hot"}'),
        ("POST", "/api/images", b"x"),
    ):
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": address,
            "CONTENT_TYPE": f"application/json; {parameter}",
            "HTTP_ACCEPT": f"application/json; {parameter}",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_AUTHORIZATION": api.defaults["HTTP_AUTHORIZATION"],
            "wsgi.input": BytesIO(body),
        }
        setup_testing_defaults(environ)
        response: Any = application(environ, lambda status, *_: found.append(int(status.split()[0])))
        getattr(response, "close", list)()
    assert found == [200, 200, 406, 404, 404, 200, 403, 201, 403]


@pytest.mark.parametrize("sent", ['"1_0"', '"12٣"', '"1e1"', '"0x10"', '"+-1"', '" "', "true", "1.5"])
def test_what_is_no_plain_whole_number_is_refused(api, sent):
    answer = check(api.post("/api/zones", f'{{"name": "Garden", "position": {sent}}}'.encode()))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


@pytest.mark.parametrize("sent", ['"10"', '" 10 "', "10", "10.0", '"10.0"', '"+10"'])
def test_a_whole_number_may_be_text(api, sent):
    answer = check(api.post("/api/zones", f'{{"name": "Garden", "position": {sent}}}'.encode()))
    assert (answer.status_code, answer.json()["position"]) == (201, 10)


def test_methods_that_are_not_there_are_refused(api):
    for method, address in (
        (api.delete, "/api/tags"),
        (api.put, "/api/tags"),
        (api.post, f"/api/tags/{uuid4()}"),
    ):
        answer = check(method(address))
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ('"12.5"', "12.50"),
        ("12.5", "12.50"),
        ("12", "12.00"),
        ('"-0"', "0.00"),
        ('"0.00"', "0.00"),
        ('"99999999.99"', "99999999.99"),
        ('"12.555"', None),
        ("12.555", None),
        ('"-0.01"', None),
        ('"100000000"', None),
        ('"NaN"', None),
        ('"1e2"', None),
        ('"1e400"', None),
        ('""', None),
        ("true", None),
        ("null", None),
        ('["1"]', None),
    ],
)
def test_money_has_two_digits_and_no_surprises(api, minimal, sent, kept):
    answer = check(api.post("/api/products", with_field(minimal("product"), "price", sent)))
    if kept is None:
        assert answer.status_code == 400
        assert [error["field"] for error in answer.json()["errors"]] == ["price"]
    else:
        assert answer.json()["price"] == kept
        assert api.get(answer["Location"]).json()["price"] == kept


@EVERY
def test_an_unknown_id_is_named_at_its_field(api, minimal, resource):
    here = api.post(ADDRESSES[resource], minimal(resource))["Location"]
    links = {link.field for link in registry.resource(resource).links}
    for field in MODELS[resource]._meta.get_fields():
        if field.concrete and field.is_relation and field.name != "image":
            unknown = [str(uuid4())] if field.name in links else str(uuid4())
            answer = check(api.patch(here, {field.name: unknown}))
            errors = [(error["field"], error["code"]) for error in answer.json()["errors"]]
            assert errors == [(field.name, "does_not_exist")]


def test_too_many_links_are_refused(api, minimal):
    answer = check(api.post("/api/products", minimal("product") | {"tags": [str(uuid4()) for _ in range(501)]}))
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "tags")


def test_no_query_breaks_a_list(api):
    nasty = [
        "",
        "\0",
        "x" * 3000,
        "null",
        "true",
        "-1",
        "[]",
        "%",
        "\\",
        "'",
        '"',
        "é",
        "9" * 400,
        ",",
        ",,",
        str(uuid4()),
    ]
    names = [
        "limit",
        "cursor",
        "search",
        "ordering",
        "category",
        "tags",
        "is_active",
        "sku",
        "image",
        "id",
        "format",
        "page",
    ]
    said = {name: {check(api.get("/api/products", {name: value})).status_code for value in nasty} for name in names}
    assert set().union(*said.values()) == {200, 400}
    assert {name for name, statuses in said.items() if 400 in statuses} >= {"limit", "cursor", "category", "is_active"}
    for first, second in pairwise(names):
        check(api.get(f"/api/products?{first}=%ff&{second}=%ed%a0%80&{second}=&{first}"))


@pytest.mark.parametrize("name", ["name", "short_name", "sku", "barcode", "description", "color"])
@pytest.mark.parametrize("value", ["4006381333931", "1" + "0" * 30, "1.5", "true"])
def test_a_number_is_no_text(api, minimal, name, value):
    answer = check(api.post("/api/products", with_field(minimal("product"), name, value)))

    assert answer.status_code == 400
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(name, "invalid")]


@pytest.mark.parametrize("time", ["17:00+02:00", "17:00Z", "T17:00", "1700", "17"])
def test_a_time_of_day_is_one_on_the_shops_clock(api, minimal, time):
    window = {**minimal("price_rule"), "time_from": "16:00", "time_to": time}

    answer = check(api.post("/api/price-rules", window))

    assert answer.status_code == 400
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [("time_to", "invalid")]
    assert api.post("/api/price-rules", {**window, "time_to": "17:00"}).json()["time_to"] == "17:00:00"
