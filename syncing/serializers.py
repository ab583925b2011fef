"""The shapes of sync's answers, for the published schema."""

from rest_framework import serializers


class StatusSerializer(serializers.Serializer):
    epoch = serializers.UUIDField()
    versions = serializers.DictField(child=serializers.IntegerField(min_value=0))


class SnapshotSerializer(serializers.Serializer):
    epoch = serializers.UUIDField()
    resource = serializers.CharField()
    version = serializers.IntegerField(min_value=0)
    items = serializers.ListField(child=serializers.DictField())


class ChangeSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    version = serializers.IntegerField(min_value=1)
    action = serializers.ChoiceField(["created", "updated", "deleted"])
    data = serializers.DictField(allow_null=True)  # type: ignore[assignment]  # DRF has a property of this name


DeltaSerializer = type(
    "DeltaSerializer",
    (serializers.Serializer,),
    {  # "from" is a keyword of Python
        "epoch": serializers.UUIDField(),
        "resource": serializers.CharField(),
        "from": serializers.IntegerField(min_value=0),
        "to": serializers.IntegerField(min_value=0),
        "head": serializers.IntegerField(min_value=0),
        "changes": ChangeSerializer(many=True),
    },
)
