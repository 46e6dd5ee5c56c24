"""What the views of attendance share: people by id or code, times, dates, refusals."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiResponse, extend_schema_field
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound

from attendance import corrections
from identity.api.base import Needs, NotDone, SiteFilter, VisibleKeyFilter
from identity.api.sightings import EmployeeCodeFilter
from identity.models import Department, Employee
from streaming.rest import EventFilter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""A clock that says less was never set."""
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
DATE_FORMAT: Final = "%Y-%m-%d"
NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")
"""What JSON can hold and Postgres does not take for a text."""
NO_EMPLOYEE: Final = OpenApiResponse(
    description="`employee_unknown`: there is no such employee at your sites."
)

REFUSED: Final = OpenApiResponse(
    description="`not_corrected`: the day stays as it is; `detail` says why."
)


class EmployeeUnknown(NotFound):
    default_code = "employee_unknown"
    default_detail = "There is no employee of this id or code."


class Refused(APIException):
    """What was sent is not taken; a 400 of one sentence."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "refused"


@extend_schema_field(
    {
        "oneOf": [{"type": "integer"}, {"type": "string"}],
        "description": "The id as a number, or the code as a text.",
    }
)
class EmployeeField(serializers.Field[Employee, Any, Any, Any]):
    """Names an employee by id or code; one that the user does not see is a 404."""

    default_error_messages = {
        "invalid": "Give the id as a number, or the code as a text."
    }

    def to_internal_value(self, data: object) -> Employee:
        if isinstance(data, bool) or not isinstance(data, int | str):
            self.fail("invalid")
        found = find_employee(data, self.context["request"].user)
        if found is None:
            raise EmployeeUnknown
        return found


def find_employee(
    named: int | str, user: AbstractBaseUser | AnonymousUser
) -> Employee | None:
    """Return who bears an id or a code, of those whom the user sees."""
    if isinstance(named, str) and NO_TEXT.search(named):
        return None
    column = "pk" if isinstance(named, int) else "code"
    seen = Employee.objects.present().visible_to(user).select_related("site")
    return seen.filter(**{column: named}).first()


class InstantField(serializers.DateTimeField):
    """An instant, of which nobody has to guess the zone."""

    default_error_messages = {
        "no_zone": "Give the time with its zone, such as 2026-03-02T08:01:00+05:30.",
        "out_of_range": "It lies before 2000 or after 2199.",
    }

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            self.fail("no_zone")
        if not EARLIEST <= value < LATEST:
            self.fail("out_of_range")
        return super().enforce_timezone(value)


class DayField(serializers.DateField):
    """A date of which its shift can be told in every zone."""

    default_error_messages = {
        "out_of_range": InstantField.default_error_messages["out_of_range"]
    }

    def to_internal_value(self, value: Any) -> date:
        day = super().to_internal_value(value)
        if not EARLIEST.date() <= day < LATEST.date():
            self.fail("out_of_range")
        return day


class DateFilter(filters.DateFilter):  # type: ignore[misc]
    """A date such as 2026-03-02: other ways to write one mean two."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(
            *args,
            input_formats=[DATE_FORMAT],
            error_messages={"invalid": "Give a date such as 2026-03-02."},
            **kwargs,
        )


class OfPeopleFilter(EventFilter):
    """Keeps rows of one employee, department or site; base of what people have."""

    employee = EmployeeCodeFilter()
    department = VisibleKeyFilter(Department.objects.all(), "employee__department")
    site = SiteFilter("employee__site")


class MayCorrect(Needs):
    permission = "attendance.correct_attendancerecord"


@contextmanager
def correcting(**fields: str) -> Iterator[None]:
    """Tell why a day is not corrected, as an answer.

    Each of `fields` is what the body calls an argument; what is wrong with that is
    told by field.
    """
    try:
        yield
    except corrections.NotCorrected as error:
        if error.field in fields:
            wrong = {fields[error.field]: [str(error)]}
            raise serializers.ValidationError(wrong) from error
        raise NotDone(str(error), code="not_corrected") from error
