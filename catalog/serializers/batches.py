"""The body of a batch: what to do, in which way, and the values of each object."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from catalog.preconditions import Precondition
from catalog.writing import Operation, Verb
from refusals.fields import TextField
from refusals.serializers import StrictSerializer

from . import ProblemSerializer
from .fields import IdField
from .shape import ShapeSerializer, fields_of, values_of

MANY_OPERATIONS = 500


class Mode(serializers.ChoiceField):
    """Whether one refusal refuses all."""

    ALL, EACH = "all", "each"

    def __init__(self) -> None:
        super().__init__(choices=[self.ALL, self.EACH], default=self.ALL)


class ObjectField(serializers.Field[Any, Any, Any, Any]):
    """A JSON object, whatever is in it."""

    default_error_messages = serializers.DictField.default_error_messages

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_a_dict", input_type=type(data).__name__)
        return data


class OperationSerializer(StrictSerializer):
    op = serializers.ChoiceField(choices=[str(verb) for verb in Verb])
    id = IdField(required=False, help_text=_("Of the object; needed for all but `create`."))
    if_match = TextField(required=False, help_text=_("As the header `If-Match`."))
    data: Any = ObjectField(required=False, help_text=_("As the body of the single write."))


class BatchSerializer(StrictSerializer):
    mode = Mode()
    operations = OperationSerializer(many=True, max_length=MANY_OPERATIONS)  # type: ignore[call-arg]


class ResultSerializer(serializers.Serializer[Any]):
    """What became of an operation: its `status` and, unless it deleted, the `object` or why not."""

    status = serializers.IntegerField()
    etag = serializers.CharField(required=False)
    problem = ProblemSerializer(required=False)


class ResultsSerializer(serializers.Serializer[Any]):
    results = ResultSerializer(many=True)


def published(shape: type[ShapeSerializer]) -> tuple[serializers.Serializer[Any], serializers.Serializer[Any]]:
    """What is sent and what is answered, with the fields of ``shape``. For OpenAPI only."""

    def of(outer: Any, name: str, inner: Any, **fields: Any) -> Any:
        prefix = shape.Meta.model.__name__
        one = type(f"{prefix}{inner.__name__}", (inner,), fields)
        return type(f"{prefix}{outer.__name__}", (outer,), {name: one(many=True)})()

    return (
        of(BatchSerializer, "operations", OperationSerializer, data=shape(required=False, partial=True)),
        of(ResultsSerializer, "results", ResultSerializer, object=shape(required=False)),
    )


def operations_of(
    shape: type[ShapeSerializer], given: Iterable[Mapping[str, Any]]
) -> list[Operation | serializers.ValidationError]:
    """The ``operations`` of a BatchSerializer for objects of ``shape``, or what is wrong with each.

    Raises REST framework's ValidationError when reading them would take too long.
    """
    given = list(given)
    for name, field in fields_of(shape).items():
        most = getattr(field, "most_of_a_batch", MANY_OPERATIONS)
        if sum(name in one.get("data", ()) for one in given) > most:
            text = _("At most %(most)d operations of a batch may have “%(name)s”.") % {"most": most, "name": name}
            raise serializers.ValidationError({"operations": text}, "max_length")
    seen: set[UUID] = set()
    found: list[Operation | serializers.ValidationError] = []
    for one in given:
        try:
            found.append(_operation(shape, one, seen))
        except serializers.ValidationError as error:
            found.append(error)
    return found


def _operation(shape: type[ShapeSerializer], given: Mapping[str, Any], seen: set[UUID]) -> Operation:
    verb, values = Verb(given["op"]), {}
    if verb is Verb.DELETE:
        if "data" in given:
            raise serializers.ValidationError({"data": _("A deletion has no data.")}, "unknown")
    else:
        values = values_of(shape, given.get("data", {}), partial=verb is Verb.UPDATE)
    inside = values.pop("id", None)
    id = given.get("id", inside)
    if inside not in (None, id):
        raise serializers.ValidationError({"id": _("The operation names another object.")})
    if id is None and verb is not Verb.CREATE:
        raise serializers.ValidationError({"id": serializers.Field.default_error_messages["required"]}, "required")
    if id in seen:
        raise serializers.ValidationError({"id": _("An operation before this one is about the same object.")}, "unique")
    if id is not None:
        seen.add(id)
    return Operation(verb, id, values, Precondition.of(match=given.get("if_match"), none_match=None))
