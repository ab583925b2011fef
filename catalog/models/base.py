"""What every synced record has, and the hooks by which a model says what is special when it is written."""

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

COLOR = RegexValidator(r"\A#[0-9a-f]{6}\Z", _("A colour is written #rrggbb, in lower case."))


class Record(models.Model):
    """A row that terminals hold a copy of: a UUID that the client may choose, and when it last changed.

    What is special about writing a model stands in the model: ``clean`` and its constraints say what may be saved, and
    ``lock_before_clean`` what must not change meanwhile.
    """

    # Fields whose change makes ``clean`` look at other rows of the table: such a write is done by itself. Where some
    # are named, ``clean`` is asked only when one of them changes.
    looks_around: ClassVar[tuple[str, ...]] = ()

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        abstract = True

    def lock_before_clean(self, before: Mapping[str, Any]) -> None:
        """Lock what ``clean`` looks at. ``before`` are the stored columns by attribute name, none when it is new.

        Raises IntegrityError when somebody else was faster: then all is asked once more.
        """


class ChildRecord(models.Model):
    """A row that travels inside its record, such as an option in its attribute: clients read and write all at once."""

    # What a client is told when it names a row of another record, or one row twice.
    of_another: str | Promise = _("This belongs to another object.")
    given_twice: str | Promise = _("This is given twice.")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta:
        abstract = True


class ColorField(models.CharField):
    """``"#rrggbb"`` or, when unset, ``""``."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        defaults = {"max_length": 7, "blank": True, "default": "", "validators": [COLOR]}
        super().__init__(*args, **(defaults | kwargs))  # type: ignore[arg-type]
