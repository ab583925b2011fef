"""From the cells of a sheet to records that can be saved. It only reads, a thousand rows with each statement.

What is wrong is collected and told together: a sheet is taken whole or not at all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from catalog.children import Lists
from catalog.conditions import Unknown, holds
from catalog.drafts import Draft
from catalog.references import references_of
from catalog.resources import Kind
from catalog.validation import check_constraints, columns, field_of
from images.models import Image as Picture

from . import columns as of
from .cells import Grid, Wrong, trimmed
from .columns import LEAVE, Column, Reading, Stored, as_text
from .headings import Mistake, layout_of, without_heading
from .kinds import columns_of
from .matching import Matched, Matcher
from .moments import ORDERS, orders_of
from .numbers import point_of
from .saving import Writes
from .stored import AT_ONCE, Library, folded, records
from .summary import Summary
from .uniqueness import unique_of

Progress = Callable[[int, int], None]  # rows that are done, rows in all


@dataclass
class Plan:
    """What a sheet asks for. There is nothing to save when there are mistakes."""

    summary: Summary
    writes: Writes


def check(
    kind: Kind, grid: Grid, *, order: str = "", only_look: bool = False, progress: Progress = lambda done, of: None
) -> Plan:
    """What the sheet asks for. Takes the rows out of ``grid``. ``order`` is that of dates, if it was chosen.

    ``only_look`` leaves out what is needed to save it. Raises Unreadable when the file as a whole makes no sense.
    """
    return _Check(kind, grid, order, only_look, progress).plan()


class _Check:
    def __init__(self, kind: Kind, grid: Grid, order: str, only_look: bool, progress: Progress) -> None:
        self.kind, self.only_look, self.progress = kind, only_look, progress
        self.model: Any = kind.model
        self.layout, mistakes = layout_of(grid, columns_of(kind))
        self.names = Library()
        self.reading = Reading(self.names)
        self._decide(grid, order)
        self.summary = Summary(self.layout.left_out)
        self.summary.add(mistakes)
        matcher = Matcher(kind, self.layout, self.reading)
        self.matched = matcher.match(grid)
        self.summary.add(matcher.mistakes)
        self.writes = Writes(kind.resource)
        self.unique = unique_of(kind.model)
        self.pictures: dict[str, list[Mistake]] = {}  # what to say of each hash if it isn't stored
        self.seen: dict[int, Draft] = {}  # by rows, where records have to see each other

    def _decide(self, grid: Grid, order: str) -> None:
        """How numbers and dates that can be read in two ways are meant: as the others of the sheet."""

        def cells(kind: type[Column]) -> Iterator[str]:
            for place, column in self.layout.at.items():
                if isinstance(column, kind):
                    yield from (cells[place] for _row, cells in grid.rows if place < len(cells) and cells[place])

        self.reading.points = {point for cell in cells(of.Amount) if (point := point_of(cell))}
        self.reading.orders = {order} if order in ORDERS else orders_of(cells(of.Date))

    def plan(self) -> Plan:
        self._tell_own_names()
        done, total = 0, len(self.matched)
        while self.matched:  # and let go of what is done
            some = self.matched[:AT_ONCE]
            del self.matched[:AT_ONCE]
            self._check(some)
            done += len(some)
            self.progress(done, total)
        self._check_pictures()
        self._look_around()
        for one in self.unique:
            self.summary.add(one.told(self.layout))
            if ids := one.passed_on():
                self.writes.step_aside(one.field, ids)
        return Plan(self.summary, self.writes if not self.summary.mistakes else Writes(self.kind.resource))

    def _tell_own_names(self) -> None:
        """Rows may refer to records that other rows make or rename."""
        place = next((place for place, column in self.layout.at.items() if column.name == "name"), None)
        if place is not None and any(column.of.related_model is self.model for column in self.layout.at.values()):
            known = self.names(self.model)
            for one in self.matched:
                if place < len(one.cells) and (name := trimmed(one.cells[place])) and known.texts.get(one.id) != name:
                    known.add(one.id, name)

    def _check(self, some: Sequence[Matched]) -> None:
        stored = {
            row["id"]: (row, whole) for row, whole in records(self.kind, (one.id for one in some if not one.is_new))
        }
        drafts: dict[int, tuple[Draft, Stored | None]] = {}
        for one in some:
            row, whole = stored.get(one.id, ({}, None))
            mistakes = without_heading(self.layout, one.row, one.cells)
            values = self._values(one, whole, mistakes)
            if not mistakes and whole is not None and not values:
                self.summary.unchanged += 1
                continue
            if not mistakes:
                draft = Draft.of(self.kind.resource, one.id, row, values)
                mistakes = self._look_at(one, draft)
            if mistakes:
                self.summary.add(mistakes)
                continue
            self.summary.show(self.kind, one.row, draft, whole, values, self.reading)
            drafts[one.row] = draft, whole
            for unique in self.unique:
                unique.add(one.row, draft)
            self._note_pictures(one.row, draft)
        self._check_inside({row: draft for row, (draft, _whole) in drafts.items()})
        if self.model.looks_around:
            self.seen |= {row: draft for row, (draft, _whole) in drafts.items()}
        if not self.only_look and not self.summary.mistakes:
            for draft, whole in drafts.values():
                self.writes.add(draft, whole)
            self.writes.prepare()

    def _values(self, one: Matched, stored: Stored | None, mistakes: list[Mistake]) -> dict[str, Any]:
        """What the row changes, by the names of the wire; what can't be understood goes to ``mistakes``."""
        values = {}
        for place, column in self.layout.at.items():
            if column.name == "id":
                continue
            cell = one.cells[place] if place < len(one.cells) else ""
            try:
                value = self._value(one, column, cell, stored)
            except Wrong as wrong:
                mistakes.append(Mistake(one.row, self.layout.headings[place], str(wrong)))
            else:
                if value is not LEAVE:
                    values[column.name] = value
        return values

    def _value(self, one: Matched, column: Column, cell: str, stored: Stored | None) -> Any:
        """LEAVE when the cell says what is stored anyway: then it needn't be understood."""
        if stored is not None:
            written = as_text(column.written(stored, self.reading))
            if cell == written or cell.replace("\r\n", "\n") == written.replace("\r\n", "\n"):
                return LEAVE
            if column.name in one.by and folded(cell) == folded(written):
                return LEAVE  # it named the record
        if not trimmed(cell):
            if getattr(column, "is_code", False) and one.by != ("id",):
                return LEAVE  # nobody empties a code by not saying it
            value = column.emptied(stored)
        else:
            value = column.read(cell, stored, self.reading)
        if stored is not None and value is not LEAVE:
            same = value == self._so_far(column, stored)
            if same or as_text(column.written({**stored, column.key: value}, self.reading)) == written:
                return LEAVE
        return value

    def _so_far(self, column: Column, stored: Stored) -> Any:
        value = stored[column.key]
        return set(value) if isinstance(column, of.Links) else value

    def _look_at(self, one: Matched, draft: Draft) -> list[Mistake]:
        """What its fields and the conditions of its table say to the record."""
        record = draft.record
        kept = {field.name for field in record._meta.concrete_fields if field.attname not in draft.changed}
        references = {field.name for field in references_of(self.model) if getattr(record, field.attname) is not None}
        try:
            record.clean_fields(exclude=references | kept)
            if not self.model.looks_around:
                record.clean()
            self._check_conditions(draft)
        except ValidationError as error:
            return [
                Mistake(one.row, "" if name == "__all__" else self.layout.heading(name), self._said(draft, found))
                for name, found in error.update_error_dict({}).items()
            ]
        return []

    def _said(self, draft: Draft, found: Sequence[ValidationError]) -> str:
        if not draft.before and any(one.code in {"null", "blank"} for one in found):
            return _("A new %(kind)s needs a value here.") % {"kind": self.model._meta.verbose_name}
        return " ".join(message for one in found for message in one.messages)

    def _check_conditions(self, draft: Draft) -> None:
        values, errors = columns(draft.record), {}
        for one in self.model._meta.constraints:
            if isinstance(one, models.CheckConstraint):
                try:
                    condition: Any = one.condition
                    if holds(condition, self.model, values) is False:
                        errors[field_of(one)] = [ValidationError(one.get_violation_error_message(), "constraint")]
                except Unknown:
                    check_constraints(draft.record, draft.before, [one])
        if errors:
            raise ValidationError(errors)

    def _note_pictures(self, row: int, draft: Draft) -> None:
        for reference in references_of(self.model):
            hash = getattr(draft.record, reference.attname)
            if reference.related_model is Picture and reference.attname in draft.changed and hash is not None:
                mistake = Mistake(row, self.layout.heading(reference.name), _("No picture has this hash."))
                self.pictures.setdefault(hash, []).append(mistake)

    def _check_pictures(self) -> None:
        hashes = list(self.pictures)
        for start in range(0, len(hashes), AT_ONCE):
            some = hashes[start : start + AT_ONCE]
            there = set(Picture.objects.usable().filter(pk__in=some).values_list("pk", flat=True))
            self.summary.add(mistake for hash in some if hash not in there for mistake in self.pictures[hash])

    def _check_inside(self, drafts: Mapping[int, Draft]) -> None:
        """Let the rows inside of records be checked as one list each."""
        for child in self.kind.resource.children:
            given = {one.id: one.children[child] for one in drafts.values() if child in one.children}
            lists = Lists(child, given, {one.id for one in drafts.values() if not one.before})
            for row, draft in drafts.items():
                if draft.id in given:
                    found = lists.check(draft.id, ask=False).values()
                    heading = self.layout.heading(child.field)
                    self.summary.add(Mistake(row, heading, self._said(draft, errors)) for errors in found)

    def _look_around(self) -> None:
        """Let each record see the others of its table as they will be, and look for what it can't be together with."""
        if not self.seen:
            return
        own: dict[UUID, Any] = {record.pk: record for record in self.model._default_manager.all()}
        own |= {draft.id: draft.record for draft in self.seen.values()}
        for own_field in references_of(self.model):
            if own_field.related_model is self.model:
                for record in own.values():
                    setattr(record, own_field.name, own.get(getattr(record, own_field.attname)))
        for row, draft in self.seen.items():
            adding, draft.record._state.adding = draft.record._state.adding, False  # others may refer to it already
            try:
                draft.record.clean()
            except ValidationError as error:
                for name, found in error.update_error_dict({}).items():
                    self.summary.add([Mistake(row, self.layout.heading(name), self._said(draft, found))])
            finally:
                draft.record._state.adding = adding
