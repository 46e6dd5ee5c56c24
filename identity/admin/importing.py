"""Tables as CSV and XLSX: shown row by row first, then written as a whole."""

from __future__ import annotations

import csv
import zipfile
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from import_export.admin import ImportExportMixin
from import_export.formats.base_formats import CSV, XLSX
from import_export.tmp_storages import CacheStorage
from openpyxl import load_workbook
from tablib import Dataset
from unfold.contrib.import_export.forms import ExportForm, ImportForm

from identity.sheets import ROWS_MAX, delimiter_of

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

MIB: Final = 2**20
FILE_MAX: Final = 5 * MIB
UNPACKED_MAX: Final = 100 * MIB
"""Of an XLSX, which is a ZIP: a few MiB of it can hold gigabytes."""
COLUMNS_MAX: Final = 100
FORGOTTEN_S: Final = 3600
UNREADABLE: Final = (
    "This file cannot be read as {}. Choose the format that it has; a CSV has to be "
    "UTF-8 ('CSV UTF-8' in Excel)."
)
SHOWN_TOO_LONG_AGO: Final = "The file was shown over an hour ago. Upload it again."
CHANGED_MEANWHILE: Final = (
    "Nothing was imported: since the file was shown, something changed that makes {} "
    "of its rows wrong. Upload it again to see which."
)


class ShownTooLongAgo(Exception):
    """The file that was shown is not kept any more."""


class AnyCSV(CSV):  # type: ignore[misc]
    """With commas or semicolons."""

    def create_dataset(self, in_stream: Any, **kwargs: Any) -> Any:
        text = in_stream
        if isinstance(text, bytes):
            text = text.decode(self.encoding or "utf-8-sig")
        delimiter = delimiter_of(text.partition("\n")[0])
        return super().create_dataset(text, delimiter=delimiter, **kwargs)


class SmallXLSX(XLSX):  # type: ignore[misc]
    """Reads no more rows than show that they are too many, blank ones left out.

    Excel may put a million of those above a stray cell, and the library keeps each.
    """

    def create_dataset(self, in_stream: bytes) -> Any:
        with zipfile.ZipFile(BytesIO(in_stream)) as packed:
            if sum(part.file_size for part in packed.infolist()) > UNPACKED_MAX:
                raise ValueError("Too large when unpacked.")
        book = load_workbook(BytesIO(in_stream), read_only=True, data_only=True)
        sheet: Any = book.active
        width = min(sheet.max_column or COLUMNS_MAX, COLUMNS_MAX)
        rows = sheet.iter_rows(max_col=width, values_only=True)
        headers = next(rows)
        filled = (row for row in rows if any(cell is not None for cell in row))
        return Dataset(*islice(filled, ROWS_MAX + 1), headers=headers)


class ShortStorage(CacheStorage):  # type: ignore[misc]
    """Keeps a shown file in Redis until it is confirmed, or an hour.

    Every web process finds it there, and no file with people's data stays behind.
    """

    CACHE_LIFETIME = FORGOTTEN_S
    CACHE_PREFIX = "import:"

    def read(self) -> Any:
        content = super().read()
        if content is None:
            raise ShownTooLongAgo
        return content


class SheetImportForm(ImportForm):  # type: ignore[misc]
    def clean_import_file(self) -> Any:
        file = self.cleaned_data["import_file"]
        if file.size > FILE_MAX:
            raise ValidationError(f"A file is at most {FILE_MAX // MIB} MiB; split it.")
        return file


class ImportExport(ImportExportMixin):  # type: ignore[misc]
    """Nothing is written unless every row is right; each row's errors are shown."""

    import_form_class = SheetImportForm
    import_template_name = "admin/identity/import.html"
    export_form_class = ExportForm
    formats = [AnyCSV, SmallXLSX]
    tmp_storage_class = ShortStorage
    to_encoding = "utf-8-sig"  # Without its mark Excel takes UTF-8 for something else.

    def has_import_permission(self, request: HttpRequest) -> bool:
        may_add, may_change = self.has_add_permission, self.has_change_permission
        return bool(may_add(request) and may_change(request))

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_view_permission(request))

    def get_resource_kwargs(
        self, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        return {"user": request.user}

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        asked: dict[str, Any] = super().get_import_data_kwargs(**kwargs)
        return {**asked, "rollback_on_validation_errors": True}

    def add_data_read_fail_error_to_form(self, form: Any, e: Exception) -> None:
        chosen = self.get_import_formats()[int(form.cleaned_data["format"])]
        form.add_error("import_file", UNREADABLE.format(chosen().get_title().upper()))

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view(self.import_errors)
        name = "{}_{}_import_errors".format(*self.get_model_info())
        return [path("import/errors/", page, name=name), *super().get_urls()]

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show what a file would do, or lead to the file with its errors."""
        page: Any = super().import_action(request, **kwargs)
        shown = page.context_data
        table = shown["result"].with_errors if "result" in shown else []
        if table:
            key = uuid4().hex
            cache.set(_error_file(request, key), table, FORGOTTEN_S)
            address = self._address("import_errors")
            shown["error_file"] = f"{address}?file={key}"
        return page  # type: ignore[no-any-return]

    def import_errors(self, request: HttpRequest) -> HttpResponseBase:
        """Return the file that was shown last, with what is wrong with each row."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        table = cache.get(_error_file(request, request.GET.get("file", "")))
        if table is None:
            return self._again(request, SHOWN_TOO_LONG_AGO)
        answer = HttpResponse(content_type="text/csv; charset=utf-8")
        name = f"{self.opts.model_name}-errors.csv"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        answer["Cache-Control"] = "no-store"
        answer.write("\ufeff")  # Without its mark Excel takes UTF-8 for something else.
        csv.writer(answer).writerows(table)
        return answer

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        try:
            done: HttpResponseBase = super().process_import(request, **kwargs)
        except ShownTooLongAgo:
            return self._again(request, SHOWN_TOO_LONG_AGO)
        return done

    def process_result(self, result: Any, request: HttpRequest) -> HttpResponseBase:
        wrong = len(result.invalid_rows) + len(result.error_rows)
        if wrong or result.has_errors():
            return self._again(request, CHANGED_MEANWHILE.format(wrong or "some"))
        done: HttpResponseBase = super().process_result(result, request)
        return done

    def _again(self, request: HttpRequest, sentence: str) -> HttpResponseBase:
        messages.error(request, sentence)
        return HttpResponseRedirect(self._address("import"))

    def _address(self, page: str) -> str:
        return reverse("admin:{}_{}_{}".format(*self.get_model_info(), page))


def _error_file(request: HttpRequest, key: str) -> str:
    """Return where it is kept; nobody else finds it."""
    return f"import-errors:{request.user.pk}:{key}"
