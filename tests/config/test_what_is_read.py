"""The published schema offers each form in which a value is read, and none in which it is refused."""

import pytest
from drf_spectacular.generators import SchemaGenerator
from openapi_schema_validator import OAS30Validator
from rest_framework.exceptions import ValidationError

from catalog.serializers import PriceRuleSerializer, ProductSerializer
from catalog.serializers.shape import fields_of

TRUTHS = [True, False, 1, 0, "true", "FALSE", "Yes", "off", "1", "0", "t", 2, -1, "2", "", "tru", "truee", [], {}]
WHOLES = [3, "3", " 7 ", "+3", "03", "3.0", "3.", "3.5", "1e0", "x", "", "1_0", "٣", True, [], {}]
AMOUNTS = ["12.50", 12.5, 12, "+1", "-1", "007", "1.", ".5", "1e3", "1.234", "123456789", "", "x", True, []]


@pytest.fixture(scope="module")
def shapes():
    return SchemaGenerator().get_schema(request=None, public=True)["components"]["schemas"]


@pytest.mark.parametrize(
    ("shape", "name", "values"),
    [
        (ProductSerializer, "is_active", TRUTHS),
        (ProductSerializer, "position", WHOLES),
        (PriceRuleSerializer, "value", AMOUNTS),
    ],
)
def test_what_is_offered_is_read_and_nothing_else(shapes, shape, name, values):
    published = shapes[f"{shape.Meta.model.__name__}Request"]["properties"][name]
    field = fields_of(shape)[name]

    assert [is_read(field, value) for value in values] == [OAS30Validator(published).is_valid(one) for one in values]


def test_an_answer_has_one_type(shapes):
    product = shapes["Product"]["properties"]
    assert [product[name]["type"] for name in ("is_active", "position", "price")] == ["boolean", "integer", "string"]


def is_read(field, value):
    try:
        field.run_validation(value)
    except ValidationError:
        return False
    return True
