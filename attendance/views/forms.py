"""The forms of a day's page: times by the site's clock, and words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from django import forms

from attendance.models.days import PRESENT, Status

from .clock import Clock

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from attendance.corrections import NotCorrected
    from attendance.models import AttendanceRecord
    from attendance.roster import Occurrence
    from streaming.models import Site

WORDS_MAX: Final = 1000
LOOK_AT_TIMES: Final = "One of the times cannot be right."
HERE, EXCUSED = "here", "excused"
WHAT: Final = (
    (HERE, "They were there"),
    (EXCUSED, "They were there, and are excused for being late"),
    (Status.ABSENT, "They were absent"),
    (Status.ON_LEAVE, "They were on leave"),
    (Status.HOLIDAY, "It was a holiday"),
    (Status.WEEKLY_OFF, "It was their weekly off"),
)
"""What HR may say of a day; late or on time the rules make of the times."""
FIELDS: Final = {"status": "what", "reason": "reason", "text": "text"}
CLOCKS: Final = {"check_in_at": "came", "check_out_at": "left"}
"""Which field of a form holds which argument of a service."""


class Words(forms.CharField):
    """A few sentences; a form shows them again as they were typed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=WORDS_MAX, **kwargs)


class Refusable(forms.Form):
    """A form that shows what a service refused beside the field that is wrong."""

    def refuse(self, error: NotCorrected) -> None:
        self.add_error(FIELDS.get(error.field), str(error))


class TimedForm(Refusable):
    """A form with an arrival and an exit, each of them a date and a time."""

    def __init__(
        self,
        data: Mapping[str, str] | None = None,
        *,
        occurrence: Occurrence,
        site: Site,
        came: datetime | None = None,
        left: datetime | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, **kwargs)
        ends = site.local(occurrence.end_at).date()
        defaults = {"came": (came, occurrence.date), "left": (left, ends)}
        self.clocks = {
            name: Clock.of(self.add_prefix(name), at, default_on=on, site=site)
            for name, (at, on) in defaults.items()
        }
        if data is not None:
            self.clocks = {
                name: Clock.read(shown.name, data, shown=shown, site=site)
                for name, shown in self.clocks.items()
            }

    @property
    def came(self) -> Clock:
        return self.clocks["came"]

    @property
    def left(self) -> Clock:
        return self.clocks["left"]

    def takes_times(self) -> bool:
        """Whether the times are meant at all."""
        return True

    def clean(self) -> dict[str, Any]:
        if self.takes_times() and (self.came.error or self.left.error):
            self.add_error(None, LOOK_AT_TIMES)
        return self.cleaned_data

    def refuse(self, error: NotCorrected) -> None:
        if name := CLOCKS.get(error.field):
            self.clocks[name] = replace(self.clocks[name], error=str(error))
            self.add_error(None, LOOK_AT_TIMES)
        else:
            super().refuse(error)


class CorrectionForm(TimedForm):
    """What is right of a day, and why."""

    prefix = "correct"
    what = forms.ChoiceField(choices=WHAT, initial=HERE, widget=forms.RadioSelect)
    reason = Words(strip=True)
    answers = forms.BooleanField(required=False)

    @classmethod
    def of(
        cls,
        record: AttendanceRecord | None,
        data: Mapping[str, str] | None = None,
        *,
        occurrence: Occurrence,
        site: Site,
    ) -> CorrectionForm:
        """Show what is recorded, as far as that is a time."""
        return cls(
            data,
            occurrence=occurrence,
            site=site,
            came=record.check_in_at if record else None,
            left=record.check_out_at if record else None,
            initial={"what": EXCUSED} if record and record.is_excused else None,
        )

    def takes_times(self) -> bool:
        return self.cleaned_data.get("what") in {HERE, EXCUSED}

    @property
    def status(self) -> str | None:
        """What the service takes; None leaves lateness to the rules."""
        what: str = self.cleaned_data["what"]
        return {HERE: None, EXCUSED: PRESENT[0]}.get(what, what)

    def time(self, name: str) -> datetime | None:
        return self.clocks[name].at if self.takes_times() else None


class GiveBackForm(Refusable):
    """Why a day is given back to the rules."""

    prefix = "back"
    reason = Words(strip=True)


class RequestForm(TimedForm):
    """What a worker says of a day."""

    prefix = "ask"
    text = Words(strip=True)


class AnswerForm(Refusable):
    """What HR answers to a request; a refusal needs words."""

    prefix = "answer"
    answer = Words(strip=True, required=False)

    def refuse(self, error: NotCorrected) -> None:
        self.add_error("answer", str(error))
