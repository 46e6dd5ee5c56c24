"""What rows of attendance have in common: whose they are, and periods of dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self, TypeVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField
from django.db import models
from django.db.models import F, Func, Value
from django.db.models.functions import Cast, Coalesce, Greatest

from identity.models import Employee

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

RowT = TypeVar("RowT", bound=models.Model)
DAYS: Final = 4_000_000
"""More than there are dates from year 1 to 9999."""


class OfEmployee(models.QuerySet[RowT]):
    """Rows that belong to an employee."""

    def visible_to(self, user: AbstractBaseUser | AnonymousUser) -> Self:
        """Keep the rows of employees that the user sees."""
        return self.filter(employee__in=Employee.objects.visible_to(user))

    def of(self, employees: Collection[int]) -> Self:
        """Keep those of these employees, by primary key."""
        return self.filter(employee__in=employees)


class OverDates(OfEmployee[RowT]):
    """Rows over [starts_on, ends_on), the end open where it is empty."""

    def overlapping(self, first: date, end: date | None) -> Self:
        """Keep those that have a date of [first, end), of which the end may be open."""
        begun = self.filter(starts_on__lt=end) if end else self
        return begun.filter(models.Q(ends_on=None) | models.Q(ends_on__gt=first))

    def on(self, day: date) -> Self:
        """Keep those that have this date."""
        is_over = models.Q(ends_on__lte=day)
        return self.filter(starts_on__lte=day).exclude(is_over)


def no_overlap(*, name: str, sentence: str) -> ExclusionConstraint:
    """Forbid two rows of one employee that share a date of [starts_on, ends_on).

    Every employee has a stretch of whole numbers of their own, one for each date, so
    that ranges of numbers tell both; an index over employee and dates would need an
    extension of Postgres that is not everywhere.
    """
    stretch = Cast(F("employee"), models.BigIntegerField()) * Value(DAYS)
    first = stretch + _number("starts_on")
    until = stretch + Coalesce(_number("ends_on"), Value(DAYS))
    # Of a period that ends too early, which another constraint tells, none is taken:
    # Postgres has no such range.
    end = Greatest(first, until)
    dates = Func(first, end, function="int8range", output_field=BigIntegerRangeField())
    return ExclusionConstraint(
        name=name, expressions=[(dates, "&&")], violation_error_message=sentence
    )


def _number(column: str) -> Func:
    return Func(
        F(column),
        template="(%(expressions)s - DATE '0001-01-01')",
        output_field=models.BigIntegerField(),
    )


def ends_after_start(*, name: str) -> models.CheckConstraint:
    """Forbid a period that is over before it begins."""
    return models.CheckConstraint(
        condition=models.Q(ends_on=None) | models.Q(ends_on__gt=F("starts_on")),
        name=name,
        violation_error_message="The period ends before it starts.",
    )
