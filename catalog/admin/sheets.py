"""The pages that take and give sheets (``catalog.sheets``) of one kind of record."""

import logging
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminSelectWidget, UnfoldBooleanWidget

import adminpages
from catalog import tasks
from catalog.resources import Kind
from catalog.sheets import exporting, jobs
from catalog.sheets.cells import MOST_BYTES, Unreadable
from catalog.sheets.kinds import columns_of
from catalog.sheets.summary import Summary, told
from catalog.transactions import Contended

from .contention import in_the_way

logger = logging.getLogger(__name__)

FORMATS = {"0": exporting.CSV, "1": exporting.XLSX}


class ImportForm(forms.Form):
    """A file says by itself what it is; only what its dates mean it may leave open."""

    import_file = forms.FileField(
        label=gettext_lazy("File"),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
        help_text=gettext_lazy("CSV or Excel workbook (XLSX); the first row names the columns."),
    )
    date_order = forms.ChoiceField(
        label=gettext_lazy("Dates such as 03/04/2026"),
        required=False,
        widget=UnfoldAdminSelectWidget(),
        choices=[
            ("", gettext_lazy("As the other dates of the sheet say")),
            ("dmy", gettext_lazy("Day first: 3 April")),
            ("mdy", gettext_lazy("Month first: 4 March")),
            ("ymd", gettext_lazy("Year first")),
        ],
    )

    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > MOST_BYTES:
            reason = _("The file is larger than %(count)d MB.")
            raise forms.ValidationError(reason % {"count": MOST_BYTES // 1_000_000})
        return file


class ConfirmForm(forms.Form):
    import_file_name = forms.CharField(widget=forms.HiddenInput())


class ExportForm(forms.Form):
    format = forms.ChoiceField(
        label=gettext_lazy("Format"),
        choices=[("1", gettext_lazy("Excel workbook (XLSX)")), ("0", "CSV")],
        initial="1",
        widget=UnfoldAdminSelectWidget(),
        help_text=gettext_lazy("A workbook keeps codes such as 00123; spreadsheets often change those of a CSV file."),
    )

    def __init__(self, kind: Kind, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for column in columns_of(kind):
            self.fields[column.name] = forms.BooleanField(
                label=capfirst(column.title), initial=True, required=False, widget=UnfoldBooleanWidget()
            )


class SheetPages(adminpages.Page):
    """Import and export beside the list of a kind. Importing is looking first, then confirming."""

    kind: Kind

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def get_urls(self) -> list[URLPattern]:
        pages = {"import": self.import_action, "process_import": self.process_import, "export": self.export_action}
        own = [
            path(f"{name}/", self.admin_site.admin_view(page), name=f"{self._name}_{name}")
            for name, page in pages.items()
        ]
        return own + super().get_urls()

    @property
    def _name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"

    def _address(self, page: str) -> str:
        return reverse(f"{self.admin_site.name}:{self._name}_{page}")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may = {
            "has_import_permission": self.has_import_permission(request),
            "has_export_permission": self.has_export_permission(request),
        }
        return super().changelist_view(request, {**may, **(extra_context or {})})

    # --- In ---------------------------------------------------------------------------------------------------
    def import_action(self, request: HttpRequest) -> HttpResponse:
        """The form; what a file would do; or how far a worker is with one."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        if token := request.GET.get("sheet"):
            return self._progress(request, token)
        form = ImportForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            return self._look(request, form)
        return self._page(request, form=form, under_way=jobs.newest(int(request.user.pk or 0), self.kind))

    def _look(self, request: HttpRequest, form: ImportForm) -> HttpResponse:
        file, order = form.cleaned_data["import_file"], form.cleaned_data["date_order"]
        data = file.read()
        try:
            is_long = jobs.is_long(data, self.kind)
            summary = Summary() if is_long else jobs.look(data, self.kind, order=order)
        except Unreadable as reason:
            form.add_error("import_file", str(reason))
            return self._page(request, form=form)
        if summary.mistakes:
            return self._page(request, form=ImportForm(), result=summary)
        sheet = jobs.keep(
            data,
            kind=self.kind,
            name=file.name,
            order=order,
            user=int(request.user.pk or 0),
            session=jobs.fingerprint(request.session.session_key),
            is_long=is_long,
        )
        if is_long:
            return self._send(request, sheet, saving=False)
        return self._page(request, form=form, result=summary, confirm=sheet)

    def process_import(self, request: HttpRequest) -> HttpResponse:
        """Take the file that was looked at."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return redirect(self._address("import"))
        try:
            sheet = self._sheet(request, request.POST.get("import_file_name", ""))
            if sheet.is_long:
                return self._send(request, sheet, saving=True)
            summary = jobs.take_sheet(sheet)
        except jobs.Gone:
            messages.error(request, _("This file isn't here any more. Choose it again."))
        except Contended:
            messages.error(request, in_the_way())
        except Unreadable as reason:
            messages.error(request, str(reason))
        else:
            if summary.mistakes:
                return self._page(request, form=ImportForm(), result=summary)
            jobs.forget(sheet)
            messages.success(request, _("Imported: %(counts)s.") % {"counts": summary.sentence()})
            return redirect(self._address("changelist"))
        return redirect(self._address("import"))

    def _sheet(self, request: HttpRequest, token: str) -> jobs.Sheet:
        return jobs.find(token, kind=self.kind, session=jobs.fingerprint(request.session.session_key))

    def _send(self, request: HttpRequest, sheet: jobs.Sheet, *, saving: bool) -> HttpResponse:
        try:
            jobs.start(sheet, saving=saving, send=tasks.work_on_sheet.delay)
        except Exception:
            logger.exception("a sheet could not be sent to a worker")
            messages.error(request, _("No worker can be reached, and so long a sheet needs one. Try again later."))
            return redirect(self._address("import"))
        return redirect(f"{self._address('import')}?sheet={sheet.token}")

    def _progress(self, request: HttpRequest, token: str) -> HttpResponse:
        try:
            sheet = self._sheet(request, token)
            state = jobs.state(sheet)
        except jobs.Gone:
            state = None
        if state is None:
            messages.error(request, _("This file isn't here any more. Choose it again."))
            return redirect(self._address("import"))
        if not state["ended"]:
            page = self._page(request, sheet=sheet, state=state)
            page["Refresh"] = "1"  # seconds; the page may be left, and works without scripts
            return page
        if state["problem"]:
            return self._page(request, form=ImportForm(), problem=state["problem"])
        summary = Summary.of(state["summary"])
        if summary.mistakes or state["saving"]:
            return self._page(request, form=ImportForm(), result=summary, is_done=not summary.mistakes)
        return self._page(request, form=ImportForm(), result=summary, confirm=sheet)

    def _page(self, request: HttpRequest, *, confirm: jobs.Sheet | None = None, **context: Any) -> HttpResponse:
        if confirm:
            context["confirm_form"] = ConfirmForm(initial={"import_file_name": confirm.token})
            context["file_name"] = confirm.name
        if result := context.get("result"):
            context["left_out"] = told(result.left_out)
        context |= {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Import %(kinds)s") % {"kinds": self.opts.verbose_name_plural},
            "columns": [column.name for column in columns_of(self.kind)],
        }
        return TemplateResponse(request, "admin/catalog/import.html", context)

    # --- Out --------------------------------------------------------------------------------------------------
    def export_action(self, request: HttpRequest) -> HttpResponse:
        """The records of the list as it is filtered, as a file."""
        if not self.has_export_permission(request):
            raise PermissionDenied
        try:
            records = self.get_changelist_instance(request).get_queryset(request)
        except (IncorrectLookupParameters, DisallowedModelAdminLookup):
            return HttpResponseRedirect(self._address("changelist") + "?e=1")
        form = ExportForm(self.kind, request.POST or None)
        if request.method == "POST" and form.is_valid():
            return self._file(FORMATS[form.cleaned_data.pop("format")], records, form.cleaned_data)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Export %(kinds)s") % {"kinds": self.opts.verbose_name_plural},
            "form": form,
            "count": records.count(),
        }
        return TemplateResponse(request, "admin/catalog/export.html", context)

    def _file(self, format: str, records: Any, chosen: dict[str, bool]) -> HttpResponse:
        ids = list(records.values_list("pk", flat=True))
        data = exporting.exported(self.kind, ids, format, [name for name, wanted in chosen.items() if wanted])
        name = f"{self.kind.address}-{timezone.localdate().isoformat()}.{format}"
        response = HttpResponse(data, content_type=exporting.CONTENT_TYPES[format])
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response
