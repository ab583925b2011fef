"""Conditions of tables say the same in Python as in the database."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db.models import CheckConstraint
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.conditions import holds
from catalog.models import Attribute, Category, DiningTable, PriceRule, PrintDestination, Product, Role, Tag

MODELS = (Attribute, Category, DiningTable, PriceRule, PrintDestination, Product, Role, Tag)
CONDITIONS = [(model, one) for model in MODELS for one in model._meta.constraints if isinstance(one, CheckConstraint)]


def values_of(field: Any) -> st.SearchStrategy[Any]:
    if field.choices:
        found: st.SearchStrategy[Any] = st.sampled_from([value for value, _label in field.flatchoices])
    elif field.is_relation or field.primary_key:
        found = st.sampled_from(["00000000-0000-0000-0000-00000000000" + digit for digit in "12"])
    elif field.get_internal_type() == "DecimalField":
        found = st.sampled_from([Decimal(one) for one in ("-101", "-1", "0", "1", "100", "101")])
    elif field.get_internal_type() == "DateField":
        found = st.dates()
    elif field.get_internal_type() == "TimeField":
        found = st.times()
    else:
        found = st.sampled_from([0, 1, 2, 9, 10])
    return st.none() | found if field.null else found


@pytest.mark.any_database
@pytest.mark.parametrize(("model", "constraint"), CONDITIONS, ids=[one.name for _model, one in CONDITIONS])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_python_says_what_the_database_says(db: None, model: Any, constraint: CheckConstraint, data: Any) -> None:
    names = {name.partition("__")[0] for name in constraint.condition.referenced_base_fields}  # type: ignore[union-attr]
    fields = [model._meta.get_field(name) for name in sorted(names)]
    record = model(**{field.attname: data.draw(values_of(field), label=field.attname) for field in fields})
    try:
        constraint.validate(model, record)
        valid = True
    except ValidationError:
        valid = False
    assert (holds(constraint.condition, model, vars(record)) is not False) is valid  # type: ignore[arg-type]
