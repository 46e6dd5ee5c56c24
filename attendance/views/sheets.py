"""Tables as XLSX: typed cells, a heading that stays, and no formula that people typed.

Written row by row, so that the memory does not grow with the table.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import IO, TYPE_CHECKING, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from attendance.grid import LETTERS
from attendance.models.days import Status
from identity.sheets import harmless

from .downloads import scratch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from attendance.grid import Cell, Day, Row

ROWS_MAX: Final = 100_000
"""Each takes about 0.3 ms, and Excel has a little over a million."""
FORMATS: Final = {datetime: "yyyy-mm-dd hh:mm", date: "yyyy-mm-dd"}
HOURS: Final = "[h]:mm"
DAY_MINUTES: Final = 24 * 60
FILLS: Final[Mapping[str, PatternFill]] = {
    status: PatternFill("solid", start_color=colour)
    for status, colour in (
        (Status.PRESENT, "D9F0E1"),
        (Status.LATE, "FFE9A8"),
        (Status.ABSENT, "F9CFCB"),
        (Status.UNVERIFIED, "E4D4F4"),
        (Status.WEEKLY_OFF, "E9EDF1"),
        (Status.HOLIDAY, "CFE3F7"),
        (Status.ON_LEAVE, "D3ECEE"),
    )
}
"""Much as on the page; the letter tells all of it without."""
GREY: Final = Font(color="8A949E")
BOLD: Final = Font(bold=True)
CENTRED: Final = Alignment(horizontal="center")
NAME_WIDTHS: Final = (12, 28, 20)


def text(value: str) -> str:
    """Return what a cell may hold of what people typed."""
    return harmless(ILLEGAL_CHARACTERS_RE.sub("", value))


def table(
    heading: Sequence[str], rows: Iterable[Sequence[object]], *, title: str
) -> IO[bytes]:
    """Write a table; instants are to be in local time, of which cells know no zone."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "C2"
    _widen(sheet, [16] * len(heading))
    sheet.append([_heading(sheet, one) for one in heading])
    for row in rows:
        sheet.append([_typed(sheet, value) for value in row])
    return _saved(book)


def month_table(
    days: Sequence[Day], rows: Iterable[Row], *, title: str, totals: Sequence[str]
) -> IO[bytes]:
    """Write the grid; a remark in words is on each day that a person has to see."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "D2"
    _widen(sheet, [*NAME_WIDTHS, *[4.5] * len(days), *[9] * len(totals)])
    dates = [f"{day.date:%a} {day.date.day}" for day in days]
    heading = ("code", "name", "department", *dates, *totals)
    sheet.append([_heading(sheet, one) for one in heading])
    for row in rows:
        sheet.append([*_who(row), *_letters(sheet, row), *_sums(sheet, row)])
    _legend(book)
    return _saved(book)


def _who(row: Row) -> Sequence[str]:
    person = row.employee
    department = person.department.name if person.department else ""
    return person.code, text(person.name), text(department)


def _letters(sheet: object, row: Row) -> Iterable[object]:
    for cell in row.cells:
        yield _letter(sheet, cell) if cell.letter else None


def _letter(sheet: object, cell: Cell) -> object:
    made = WriteOnlyCell(sheet, cell.letter + marks(cell))
    made.alignment = CENTRED
    if cell.is_planned:
        made.font = GREY
    else:
        made.fill = FILLS[cell.status]
    return made


def marks(cell: Cell) -> str:
    """Return the signs beside a letter: * corrected, ! to review, + not planned."""
    signs = {"*": cell.is_corrected, "!": cell.is_to_review, "+": cell.is_unscheduled}
    return "".join(sign for sign, holds in signs.items() if holds)


def _sums(sheet: object, row: Row) -> Iterable[object]:
    yield from row.totals.counts
    for minutes in (row.totals.worked_minutes, row.totals.overtime_minutes):
        made = WriteOnlyCell(sheet, minutes / DAY_MINUTES)
        made.number_format = HOURS
        yield made


def _legend(book: Workbook) -> None:
    sheet = book.create_sheet("Letters")
    _widen(sheet, [8, 40])
    for status, letter in LETTERS.items():
        made = WriteOnlyCell(sheet, letter)
        made.fill = FILLS[status]
        sheet.append([made, str(Status(status).label)])
    for sign, words in (
        ("*", "corrected by a person"),
        ("!", "to review"),
        ("+", "came though nothing was planned"),
        ("grey", "planned; nothing has happened yet"),
    ):
        sheet.append([sign, words])


def _heading(sheet: object, words: str) -> object:
    made = WriteOnlyCell(sheet, words)
    made.font = BOLD
    return made


def _typed(sheet: object, value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else None
    if isinstance(value, str):
        return text(value) or None
    if isinstance(value, date):
        made = WriteOnlyCell(sheet, _without_zone(value))
        made.number_format = FORMATS[type(value)]
        return made
    return value


def _without_zone(value: date) -> date:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def _widen(sheet: object, widths: Sequence[float]) -> None:
    for number, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width  # type: ignore[attr-defined]


def _saved(book: Workbook) -> IO[bytes]:
    file = scratch()
    book.save(file)
    return file
