"""What every synced record has."""

import uuid

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

COLOR = RegexValidator(r"\A#[0-9a-f]{6}\Z", _("A colour is written #rrggbb, in lower case."))


class Record(models.Model):
    """A row that terminals hold a copy of: a UUID that the client may choose, and when it last changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        abstract = True


class ColorField(models.CharField):
    """``"#rrggbb"`` or, when unset, ``""``."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        defaults = {"max_length": 7, "blank": True, "default": "", "validators": [COLOR]}
        super().__init__(*args, **(defaults | kwargs))  # type: ignore[arg-type]
