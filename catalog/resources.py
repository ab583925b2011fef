"""The one list of what terminals hold: resource name → model, wire shape, child rows."""

from syncing.registry import Child, Resource, register

from . import models, serializers


def register_all() -> None:
    """Tell sync about the ten resources; called once, when the application is ready."""
    for name, model, shape in (
        ("product", models.Product, serializers.ProductSerializer),
        ("category", models.Category, serializers.CategorySerializer),
        ("tag", models.Tag, serializers.TagSerializer),
        ("zone", models.Zone, serializers.ZoneSerializer),
        ("dining_table", models.DiningTable, serializers.DiningTableSerializer),
        ("employee", models.Employee, serializers.EmployeeSerializer),
        ("role", models.Role, serializers.RoleSerializer),
        ("price_rule", models.PriceRule, serializers.PriceRuleSerializer),
        ("print_destination", models.PrintDestination, serializers.PrintDestinationSerializer),
    ):
        register(Resource(name, model, wire_fields(shape)))
    options = Child("options", models.AttributeOption, "attribute_id", wire_fields(serializers.OptionSerializer))
    register(Resource("attribute", models.Attribute, wire_fields(serializers.AttributeSerializer), (options,)))


def wire_fields(shape: type[serializers.ShapeSerializer]) -> tuple[str, ...]:
    """The names that a client reads, in order: everything but what is only written (a PIN)."""
    write_only = {name for name, extra in getattr(shape.Meta, "extra_kwargs", {}).items() if extra.get("write_only")}
    declared = {name for name, field in shape._declared_fields.items() if field.write_only}
    return tuple(name for name in shape.Meta.fields if name not in write_only | declared)
