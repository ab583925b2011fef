"""Inputs for what a plain text box is too coarse for."""

from collections.abc import Mapping
from copy import copy
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    CHECKBOX_CLASSES,
    COLOR_CLASSES,
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelect2MultipleWidget,
)

WEEKDAYS = (
    (1, _("Monday")),
    (2, _("Tuesday")),
    (3, _("Wednesday")),
    (4, _("Thursday")),
    (5, _("Friday")),
    (6, _("Saturday")),
    (7, _("Sunday")),
)


class ColorWidget(forms.TextInput):
    """The browser's colour input and a tick for "none", which that input can't say."""

    input_type = "color"
    template_name = "catalog/color.html"
    shown_for_none = "#cbd5e1"

    class Media:
        js = ("catalog/color.js",)

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"class": " ".join(COLOR_CLASSES), **(attrs or {})})

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value or self.shown_for_none, attrs)
        context["widget"] |= {"none": not value, "checkbox_class": " ".join(CHECKBOX_CLASSES)}
        return context

    def value_from_datadict(self, data: Mapping[str, Any], files: MultiValueDict, name: str) -> Any:
        return "" if data.get(f"{name}-none") else super().value_from_datadict(data, files, name)


class WeekdaysField(forms.TypedMultipleChoiceField):
    """ISO weekdays as ticks; cleans to a sorted list of numbers."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            choices=lambda: [(day, capfirst(str(name))) for day, name in WEEKDAYS],
            coerce=int,
            empty_value=[],
            widget=UnfoldAdminCheckboxSelectMultipleWidget(),
            required=False,
            **kwargs,
        )

    def clean(self, value: Any) -> list[int]:
        return sorted(set(super().clean(value)))


class WordsWidget(UnfoldAdminSelect2MultipleWidget):
    """A list of words: pick known ones, type new ones."""

    def __init__(self) -> None:
        super().__init__(
            {
                "data-tags": "true",
                "data-token-separators": '[",", " "]',
                "data-placeholder": _("Type or choose …"),
            }
        )

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> list[Any]:
        known = {str(choice) for choice, _label in self.choices}
        missing = [(word, word) for word in value if word and word not in known]
        widget = copy(self)
        widget.choices = [*self.choices, *missing]
        return super(WordsWidget, widget).optgroups(name, value, attrs)


class WordsField(forms.MultipleChoiceField):
    """Short words, of which ``choices`` are suggestions; cleans to a list in the order given, each once."""

    widget = WordsWidget

    def valid_value(self, value: str) -> bool:
        return 0 < len(value) <= 60

    def clean(self, value: Any) -> list[str]:
        words = [word.strip() for word in super().clean(value)]
        return list(dict.fromkeys(word for word in words if word))
