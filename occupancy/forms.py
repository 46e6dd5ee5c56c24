"""Forms of what is drawn: lines, zones, and areas with their doors."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django import forms
from django.core.exceptions import ValidationError

from .areas import Door, save_area
from .models import Area, CountingLine, Zone
from .models.zones import check_points
from .polygons import CORNERS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streaming.models import Site

DECIMALS: Final = 4
"""Of relative coordinates as forms show them: a fifth of a pixel of a 4K picture."""
TEXT_MAX: Final = 40 * CORNERS_MAX
COUNTED: Final = "It has counted, so it stays. Take away the tick at 'In use' instead."
OUT_OF_DATE: Final = (
    "Somebody else changed it meanwhile, so it is not saved yet. Save again to "
    "replace what they did."
)


class CornersField(forms.CharField):
    """A polygon as text: a line for each corner, "0.25 0.5", x before y.

    Cleans to [[x, y], ...] as `Zone.points` holds it.
    """

    widget = forms.Textarea(attrs={"rows": 5, "cols": 18, "spellcheck": "false"})

    def __init__(self, **values: Any) -> None:
        defaults: dict[str, Any] = {
            "label": "Corners",
            "max_length": TEXT_MAX,
            "help_text": "One a line: x y, each from 0 to 1, such as 0.25 0.5.",
        }
        super().__init__(**defaults | values)

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return "\n".join(f"{_shown(x)} {_shown(y)}" for x, y in value)

    def clean(self, value: Any) -> Any:
        text: str = super().clean(value)
        rows = [row for row in text.splitlines() if row.strip()]
        points = [_corner(number, row) for number, row in enumerate(rows, start=1)]
        check_points(points)
        return points

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), _lines(data))


def _shown(value: float) -> str:
    return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")


def _lines(data: Any) -> str:
    """Return a text with the line ends that a browser's form has changed."""
    return "\n".join(str(data or "").split("\r\n")).strip()


def _corner(number: int, row: str) -> list[float]:
    try:
        x, y = map(float, re.split(r"[\s,;]+", row.strip()))
    except ValueError:
        raise ValidationError(
            f"Corner {number} is not two numbers such as 0.25 0.5."
        ) from None
    return [x, y]


class ShareField(forms.FloatField):
    """A coordinate: a share of the picture's width or height."""

    def prepare_value(self, value: Any) -> Any:
        return _shown(value) if isinstance(value, float) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(_rounded(initial), data)


def _rounded(value: Any) -> Any:
    return round(value, DECIMALS) if isinstance(value, float) else value


def share_field(name: str) -> ShareField:
    return ShareField(
        label=name,
        min_value=0,
        max_value=1,
        widget=forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"}),
        error_messages=dict.fromkeys(
            ("min_value", "max_value"), "Coordinates lie between 0 and 1."
        ),
    )


class DrawnForm(forms.ModelForm[Any]):
    """One line or zone; it writes what was changed and nothing else."""

    drawn: ClassVar[tuple[str, ...]]
    """Fields without which there is nothing to store."""
    version = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self.stays = False
        self.seen = self._version()
        self.initial["version"] = self.seen

    def _version(self) -> str:
        """Return what of it may be edited, as it is stored."""
        if self.instance.pk is None:
            return ""
        told = [str(getattr(self.instance, name)) for name in self.Meta.fields]  # type: ignore[attr-defined]
        return sha256("|".join(told).encode()).hexdigest()[:16]

    def clean(self) -> dict[str, Any] | None:
        if self.stays:
            raise ValidationError(COUNTED, code="protected")
        cleaned = super().clean()
        if self.is_out_of_date():
            self._take_note()
            raise ValidationError(OUT_OF_DATE, code="out_of_date")
        return cleaned

    def _take_note(self) -> None:
        """Have the form that is shown again be one of what is stored by now."""
        data: Any = self.data
        self.data = data.copy()
        self.data[self.add_prefix("version")] = self.seen  # type: ignore[index]

    def is_out_of_date(self) -> bool:
        given = self["version"].data
        return bool(given and self.has_changed() and given != self.seen)

    def has_changed(self) -> bool:
        if self.instance.pk is None:
            # What a new one begins with is no change; a browser sends no such form.
            return any(self[name].data for name in self.drawn)
        return bool(set(self.changed_data) - {"version"})

    def store(self) -> None:
        """Write what was changed of a stored one; the worker writes the rest."""
        kept = {field.name for field in self.instance._meta.concrete_fields}
        changed = [name for name in self.changed_data if name in kept]
        self.instance.save(update_fields=changed)


class LineForm(DrawnForm):
    drawn = ("name", "x1", "y1", "x2", "y2")
    x1, y1 = share_field("start x"), share_field("start y")
    x2, y2 = share_field("end x"), share_field("end y")

    class Meta:
        model = CountingLine
        fields = ("name", "x1", "y1", "x2", "y2", "colour", "enabled")


class ZoneForm(DrawnForm):
    drawn = ("name", "points")
    points = CornersField()

    class Meta:
        model = Zone
        fields = (
            "name",
            "points",
            "colour",
            "enabled",
            "capacity",
            "amber_percent",
            "restricted",
            "restricted_from",
            "restricted_until",
            "loitering_seconds",
        )
        widgets: ClassVar = {
            name: forms.TimeInput(format="%H:%M", attrs={"type": "time"})
            for name in ("restricted_from", "restricted_until")
        }


class AreaForm(forms.ModelForm[Area]):
    """An area, and for each line of its site whether it is a door of it."""

    class Meta:
        model = Area
        fields = ("name", "capacity", "amber_percent", "enabled")

    def __init__(self, *args: Any, site: Site, **values: Any) -> None:
        super().__init__(*args, **values)
        self.instance.site = site
        self.lines = list(
            CountingLine.objects.filter(camera__site=site)
            .select_related("camera")
            .order_by("camera__name", "camera__code", "name", "pk")
        )
        known = self.instance.pk and self.instance.doors.all()
        stored = {door.line_id: door.inverted for door in known or ()}
        for line in self.lines:
            ticked = line.pk in stored, stored.get(line.pk, False)
            for name, initial in zip(_door_names(line), ticked, strict=True):
                self.fields[name] = forms.BooleanField(required=False, initial=initial)

    def doors(self) -> Iterator[tuple[CountingLine, Any, Any]]:
        """Yield each line with its two boxes: that it is a door, and inverted."""
        for line in self.lines:
            is_door, inverted = _door_names(line)
            yield line, self[is_door], self[inverted]

    def store(self) -> Area:
        chosen = [
            Door(line, inverted=self.cleaned_data[inverted])
            for line in self.lines
            for is_door, inverted in [_door_names(line)]
            if self.cleaned_data[is_door]
        ]
        fields = [name for name in self.Meta.fields if name in self.changed_data]
        return save_area(area=self.instance, fields=fields, doors=chosen)

    def _get_validation_exclusions(self) -> set[str]:
        """Have the rule checked that a site has a name once."""
        left_out: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return left_out - {"site"}


def _door_names(line: CountingLine) -> tuple[str, str]:
    return f"door-{line.pk}", f"inverted-{line.pk}"
