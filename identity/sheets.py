"""Tables as CSV and XLSX: what a cell says, and what is wrong with a file's rows."""

from __future__ import annotations

from datetime import date, datetime, time
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.core.exceptions import ValidationError
from django.utils.text import get_text_list
from import_export.resources import ModelResource
from import_export.results import Error, Result
from import_export.widgets import Widget

from streaming.models import Site

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from import_export.fields import Field
    from import_export.results import RowResult

    from .models import User

ROWS_MAX: Final = 5_000
"""An employee takes some 10 ms, and somebody waits."""
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the start of a formula (OWASP, CSV injection)."""
ERRORS: Final = "errors"
"""The column that a file with its errors has more; an import passes it over."""


class BadFile(Exception):
    """The file cannot be imported whatever its rows say; the message says why."""


def delimiter_of(first_line: str) -> str:
    """Return what parts a CSV's cells: in much of Europe Excel writes semicolons."""
    return ";" if first_line.count(";") > first_line.count(",") else ","


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def plain(value: object) -> str:
    """Return what a cell says, as `harmless` found it; a whole number without .0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = "" if value is None else str(value).strip()
    return text[1:] if text[1:].startswith(FORMULA_STARTS) and text[0] == "'" else text


class Text(Widget):  # type: ignore[misc]
    def clean(self, value: object, row: Any = None, **_: Any) -> str | None:
        return plain(value)

    def render(self, value: object, obj: Any = None, **_: Any) -> str:
        return "" if value is None else harmless(str(value))


class TextOrNothing(Text):
    def clean(self, value: object, row: Any = None, **_: Any) -> str | None:
        return plain(value) or None


class OneOf(TextOrNothing):
    """One word of a few, in whatever case; `what` is what they say."""

    def __init__(self, words: Sequence[str], what: str) -> None:
        super().__init__()
        self.words, self.what = words, what

    def clean(self, value: object, row: Any = None, **_: Any) -> str | None:
        word = plain(value).lower()
        if word and word not in self.words:
            known = get_text_list(list(self.words), "or")
            raise ValueError(f"'{word}' is no {self.what}. Write {known}.")
        return word or None


class Day(Widget):  # type: ignore[misc]
    """A date that can be read in one way: a real one of a sheet, or year first."""

    def clean(self, value: object, row: Any = None, **_: Any) -> date | None:
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        text = plain(value)
        if not text:
            return None
        try:
            # Excel writes a date with its midnight where a cell is no date to it.
            return date.fromisoformat(text.removesuffix(" 00:00:00"))
        except ValueError:
            raise ValueError(
                f"'{text}' is no date that can be read in one way. Write year, month "
                "and day: 2026-03-05."
            ) from None

    def render(self, value: date | None, obj: Any = None, **_: Any) -> str:
        return value.isoformat() if value else ""


class SiteSlug(Widget):  # type: ignore[misc]
    """A site of the user's own, by its slug."""

    def clean(
        self, value: object, row: Any = None, *, sheet: SheetResource, **_: Any
    ) -> Site | None:
        slug = plain(value)
        if slug and slug not in sheet.sites:
            known = ", ".join(sorted(sheet.sites)) or "none"
            raise ValueError(f"There is no site '{slug}'. Yours: {known}.")
        return sheet.sites.get(slug)

    def render(self, value: Site | None, obj: Any = None, **_: Any) -> str:
        return value.slug if value else ""


class Told(Error):  # type: ignore[misc]
    """An error of the whole file, told without where in the code it was found."""

    traceback = ""


class SheetResult(Result):  # type: ignore[misc]
    """What an import did or would do."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.with_errors: list[list[str]] = []
        """The file again, with one more column; empty where nothing is wrong."""


class SheetResource(ModelResource):  # type: ignore[misc]
    """Rows of the sites that `user` sees, as a table with named columns.

    A column that is not in the file is left as it is; an empty cell empties what may be
    empty. Somebody who sees one site alone need not name it.
    """

    needed: ClassVar[Mapping[str, str]] = {}
    """Columns without which no row can be read, and what each is for."""
    too_many: ClassVar[str] = "split the file"
    """What to do about a file with more than ROWS_MAX rows."""

    def __init__(self, *, user: User | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.user = user

    @cached_property
    def sites(self) -> dict[str, Site]:
        """The user's sites, by slug."""
        own = Site.objects.visible_to(self.user) if self.user else ()
        return {site.slug: site for site in own}

    @property
    def only_site(self) -> Site | None:
        """The user's site, of those who have one alone."""
        return next(iter(self.sites.values())) if len(self.sites) == 1 else None

    @classmethod
    def get_error_result_class(cls) -> type[Error]:
        return Told

    @classmethod
    def get_result_class(cls) -> type[Result]:
        return SheetResult

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        try:
            self._check_file(dataset)
        except BadFile:
            dataset.wipe()  # What its rows are like does not matter any more.
            raise

    def after_import(self, dataset: Any, result: SheetResult, **kwargs: Any) -> None:
        wrong = self._sentences(result)
        if wrong:
            result.with_errors = _with_errors(dataset, wrong)

    def import_row(self, row: Any, *rest: Any, **kwargs: Any) -> RowResult:
        """Name what is wrong by the file's columns, not by the fields behind them."""
        found: RowResult = super().import_row(row, *rest, **kwargs)
        error = found.validation_error
        if hasattr(error, "error_dict"):
            columns = {
                each.attribute: each.column_name for each in self.fields.values()
            }
            told = {
                columns.get(key, key): value for key, value in error.error_dict.items()
            }
            found.validation_error = ValidationError(told)
        return found

    def import_field(
        self, field: Field, instance: Any, row: Any, *rest: Any, **kwargs: Any
    ) -> None:
        """Tell the column whose cell it reads, and for which table."""
        super().import_field(
            field, instance, row, *rest, of=instance, sheet=self, **kwargs
        )

    def validate_instance(
        self,
        instance: Any,
        import_validation_errors: Mapping[str, Any] | None = None,
        validate_unique: Any = True,  # noqa: FBT002 - the library's signature
    ) -> None:
        """Check what the columns' own checks leave, with few queries: rows are many."""
        errors: dict[str, Any] = {
            name: [ValidationError(sentence)]
            for name, sentence in self.wrong_with(instance).items()
        }
        errors |= import_validation_errors or {}
        related = {field.name for field in instance._meta.fields if field.is_relation}
        try:
            instance.full_clean(
                {*errors, *related}, validate_unique=False, validate_constraints=False
            )
        except ValidationError as error:
            errors = error.update_error_dict(errors)
        if errors:
            raise ValidationError(errors)

    def wrong_with(self, row: Any) -> Mapping[str, str]:
        """Return a sentence by field, of what no column nor field alone can tell."""
        return {}

    def _check_file(self, dataset: Any) -> None:
        columns = [str(header) for header in dataset.headers or []]
        known = self.get_export_headers()
        for column in columns:
            if column not in {*known, ERRORS}:
                raise BadFile(
                    f"There is no column '{column}'. Known: {', '.join(known)}."
                )
        for column, what_for in self.needed.items():
            if column not in columns:
                raise BadFile(f"The column '{column}' is missing: it says {what_for}.")
        if len(dataset) > ROWS_MAX:
            raise BadFile(f"At most {ROWS_MAX} rows at once; {self.too_many}.")

    def _sentences(self, result: SheetResult) -> dict[int, str]:
        """Return what is wrong with each wrong row, by its number in the file."""
        told = {row.number: _in_words(row) for row in result.invalid_rows}
        for row in result.error_rows:
            told[row.number] = " ".join(str(error.error) for error in row.errors)
        return told


def _in_words(row: Any) -> str:
    named = [
        f"{column}: {' '.join(sentences)}"
        for column, sentences in row.field_specific_errors.items()
    ]
    return " ".join([*row.non_field_specific_errors, *named])


def _with_errors(dataset: Any, wrong: Mapping[int, str]) -> list[list[str]]:
    """Return the file's table with what is wrong with each row behind it."""
    headers = [str(header) for header in dataset.headers]
    kept = [place for place, header in enumerate(headers) if header != ERRORS]
    table = [[*(headers[place] for place in kept), ERRORS]]
    for number, row in enumerate(dataset, 1):
        cells = _cells([row[place] for place in kept])
        table.append([*cells, wrong.get(number, "")])
    return table


def _cells(row: Sequence[object]) -> list[str]:
    days = (
        value.date()
        if isinstance(value, datetime) and value.time() == time.min
        else value
        for value in row
    )
    return [harmless(plain(value)) for value in days]
