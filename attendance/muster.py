"""Who is inside now, for whoever has to count heads at a gate.

Shown are rather too many than too few: somebody is taken off only where an exit was
seen, and neither their name nor their head is lost for want of a shift, of a record or
of an attendance camera. Lateness and status have no place here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import chain, groupby
from typing import TYPE_CHECKING, Final, Protocol

from django.db.models import Case, Max, OuterRef, Q, Subquery, Value, When

from identity.models import AccessLog, Employee
from streaming.models import Camera

from .models import AttendanceRecord, Passage, PresenceEvent, UnknownAttendance
from .models.presence import Way
from .roster import WINDOW

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from streaming.models import Site

SEEN_WITHIN: Final = timedelta(hours=24)
"""Of somebody not seen for longer nothing can be said any more."""
STRANGERS_WITHIN: Final = timedelta(hours=12)
LONGEST_SHIFT: Final = timedelta(hours=12)
"""Taken for somebody of whom no shift is known."""
PAST_THE_EXIT: Final = timedelta(minutes=5)
"""Somebody who left is still seen for a while, by a camera that looks outside."""
QUIET: Final = timedelta(hours=1)
"""Not seen for so long after their shift, by cameras that tell no way: perhaps left."""
NO_DEPARTMENT: Final = "No department"


class Standing(StrEnum):
    """Whether somebody is inside, as far as cameras can tell."""

    INSIDE = "inside"
    PERHAPS = "perhaps"
    """They may have left unseen, or were refused: to be looked for, too."""
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What is known of somebody; instants are UTC."""

    seen_at: datetime
    """When a camera or a clock last had them."""
    came_at: datetime | None = None
    """The last way in that is known as one."""
    left_at: datetime | None = None
    shift_ends_at: datetime | None = None
    is_refused: bool = False
    """A camera knew them as somebody who may not enter, and nothing else did."""


def standing(trace: Trace, *, now: datetime) -> Standing:
    """Say whether they are inside; in doubt they are."""
    has_come = trace.came_at is not None and (
        trace.left_at is None or trace.came_at > trace.left_at
    )
    is_gone = trace.left_at is not None and not has_come
    if is_gone and trace.left_at and trace.seen_at - trace.left_at <= PAST_THE_EXIT:
        return Standing.LEFT
    if trace.is_refused:
        return Standing.PERHAPS
    over_at = trace.shift_ends_at or (trace.came_at or trace.seen_at) + LONGEST_SHIFT
    # Where there are ways in there are ways out: who missed one is rarer.
    patience = WINDOW if has_come else timedelta()
    is_over = now >= over_at + patience
    is_quiet = now - trace.seen_at >= max(QUIET, patience)
    return Standing.PERHAPS if is_over and is_quiet else Standing.INSIDE


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is to be looked for."""

    site_id: int
    code: str
    name: str
    department: str
    standing: Standing
    since: datetime | None
    """When they came; empty where only a camera inside has seen them."""
    seen_at: datetime
    camera: str
    """The name of the camera that saw them last; empty where a clock or HR says so."""
    plates: Sequence[str] = ()
    """Of their vehicles on the site."""


class OnSite(Protocol):
    """A vehicle on a site, as the app above that knows of vehicles tells it."""

    @property
    def site_id(self) -> int: ...
    @property
    def plate_number(self) -> str: ...
    @property
    def vehicle_type(self) -> str: ...
    @property
    def owner(self) -> str:
        """Who it belongs to, where that is no employee; empty for nobody known."""

    @property
    def employee_code(self) -> str: ...
    @property
    def employee_name(self) -> str: ...
    @property
    def since(self) -> datetime | None:
        """When it drove in; empty where no gate could tell that it did."""

    @property
    def seen_at(self) -> datetime: ...
    @property
    def gate(self) -> str: ...


class TellVehicles(Protocol):
    def __call__(
        self, *, sites: Collection[Site], now: datetime
    ) -> Sequence[OnSite]: ...


VEHICLES: Final[list[TellVehicles]] = []
"""Filled by the composition root; this app knows none of those beside it."""
SEES_VEHICLES: Final = "vehicles.view_vehiclelog"
"""What a login needs, to be told of vehicles."""


@dataclass(frozen=True, slots=True)
class SiteMuster:
    """One site's list, by department and then by code."""

    site: Site
    inside: Sequence[Person]
    perhaps: Sequence[Person]
    strangers: int
    """Heads without a name: faces that nobody is enrolled by, seen to come in."""
    vehicles: Sequence[OnSite] = ()

    @property
    def unseen_drivers(self) -> set[str]:
        """Give the codes of those whose vehicle is here, and who are on no list."""
        listed = {person.code for person in (*self.inside, *self.perhaps)}
        return {one.employee_code for one in self.vehicles} - listed - {""}

    @property
    def departments(self) -> list[tuple[str, list[Person]]]:
        """Give those inside by department."""
        grouped = groupby(self.inside, key=lambda person: person.department)
        return [(name, list(people)) for name, people in grouped]


@dataclass(frozen=True, slots=True)
class Muster:
    """The lists of several sites at one moment."""

    at: datetime
    sites: Sequence[SiteMuster]

    @property
    def inside(self) -> int:
        return sum(len(each.inside) for each in self.sites)

    @property
    def perhaps(self) -> int:
        return sum(len(each.perhaps) for each in self.sites)

    @property
    def strangers(self) -> int:
        return sum(each.strangers for each in self.sites)

    @property
    def vehicles(self) -> int:
        return sum(len(each.vehicles) for each in self.sites)


def inside(
    *, sites: Collection[Site], now: datetime, with_vehicles: bool = False
) -> Muster:
    """Return who is inside at these sites, in five queries however many they are.

    Vehicles take two more.
    """
    tellers = VEHICLES if with_vehicles else []
    parked: dict[int, list[OnSite]] = defaultdict(list)
    plates: dict[str, list[str]] = defaultdict(list)
    for one in chain.from_iterable(tell(sites=sites, now=now) for tell in tellers):
        parked[one.site_id].append(one)
        plates[one.employee_code].append(one.plate_number)
    by_place: dict[tuple[int, Standing], list[Person]] = defaultdict(list)
    for person in sorted(_people(sites, plates, now=now), key=_place_in_list):
        by_place[person.site_id, person.standing].append(person)
    strangers = _strangers(sites, now=now)
    lists = [
        SiteMuster(
            site,
            by_place[site.pk, Standing.INSIDE],
            by_place[site.pk, Standing.PERHAPS],
            strangers[site.pk],
            parked[site.pk],
        )
        for site in sites
    ]
    return Muster(now, lists)


def _place_in_list(person: Person) -> tuple[bool, str, str]:
    return person.department == NO_DEPARTMENT, person.department, person.code


def _people(
    sites: Collection[Site], plates: Mapping[str, Sequence[str]], *, now: datetime
) -> Iterator[Person]:
    since = now - SEEN_WITHIN
    ways = _ways(sites, since=since)
    last = _last_seen(sites, since=since)
    records = _records(sites, since=since)
    employees = Employee.objects.present().filter(pk__in={*ways, *last, *records})
    for one in employees.select_related("department"):
        trace, since_at = _trace(
            ways.get(one.pk), last.get(one.pk), records.get(one.pk)
        )
        stands = standing(trace, now=now)
        if stands is Standing.LEFT:
            continue
        yield Person(
            site_id=one.site_id,
            code=one.code,
            name=one.name,
            department=one.department.name if one.department else NO_DEPARTMENT,
            standing=stands,
            since=since_at,
            seen_at=trace.seen_at,
            camera=last[one.pk].camera if one.pk in last else "",
            plates=plates.get(one.code, ()),
        )


@dataclass(frozen=True, slots=True)
class _Ways:
    """The last time that somebody is known to have gone each way."""

    came_at: datetime | None = None
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _LastSeen:
    at: datetime
    camera: str
    is_refused: bool


def _trace(
    ways: _Ways | None, last: _LastSeen | None, record: AttendanceRecord | None
) -> tuple[Trace, datetime | None]:
    """Put together what is known of somebody, and since when they are here."""
    came, left = (ways.came_at, ways.left_at) if ways else (None, None)
    if record and record.is_corrected:
        # Whoever corrected the day knew better than the cameras.
        came = _latest(came, record.check_in_at)
        left = _latest(left, record.check_out_at)
    arrived_at = record.check_in_at if record else None
    known = [came, left, arrived_at, last.at if last else None]
    seen_at = max(at for at in known if at)
    here = [at for at in (arrived_at, came) if at and (left is None or at > left)]
    trace = Trace(
        seen_at=seen_at,
        came_at=came,
        left_at=left,
        shift_ends_at=record.end_at if record and record.shift_id else None,
        is_refused=ways is None and last is not None and last.is_refused,
    )
    return trace, min(here, default=None)


def _latest(*instants: datetime | None) -> datetime | None:
    return max(filter(None, instants), default=None)


def _ways(sites: Collection[Site], *, since: datetime) -> Mapping[int, _Ways]:
    """Return who went which way, by the employee's key; also who came either way."""
    events = PresenceEvent.objects.filter(
        employee__site__in=sites, occurred_at__gte=since
    )
    found = (
        events.order_by()
        .values_list("employee")
        .annotate(
            came_at=Max("occurred_at", filter=Q(way=Way.IN)),
            left_at=Max("last_seen_at", filter=Q(way=Way.OUT)),
        )
    )
    return {pk: _Ways(came_at, left_at) for pk, came_at, left_at in found}


def _last_seen(sites: Collection[Site], *, since: datetime) -> Mapping[int, _LastSeen]:
    """Return by which camera each was seen last, whatever that camera is for."""
    mine = Q(employee__site__in=sites, occurred_at__gte=since)
    order = ("employee", "-last_seen_at", "-id")
    columns = ("employee", "last_seen_at", "camera__name")
    events = PresenceEvent.objects.filter(mine).order_by(*order).distinct("employee")
    visits = AccessLog.objects.filter(mine).order_by(*order).distinct("employee")
    refused = Case(
        When(decision=AccessLog.Decision.UNAUTHORIZED, then=True), default=False
    )
    rows = events.values_list(*columns, Value(value=False)).union(
        visits.values_list(*columns, refused), all=True
    )
    latest: dict[int, _LastSeen] = {}
    for pk, at, camera, is_refused in rows:
        seen = _LastSeen(at, camera or "", is_refused)
        before = latest.get(pk)
        # A visit to a camera is an event too: then the camera is told.
        if before is None or (at, seen.camera) > (before.at, before.camera):
            latest[pk] = seen
    return latest


def _records(
    sites: Collection[Site], *, since: datetime
) -> Mapping[int, AttendanceRecord]:
    """Return the last day that each came for."""
    records = AttendanceRecord.objects.filter(
        employee__site__in=sites, check_in_at__gte=since
    )
    newest = records.order_by("employee", "-check_in_at", "-id").distinct("employee")
    return {record.employee_id: record for record in newest}


def _strangers(sites: Collection[Site], *, now: datetime) -> Mapping[int, int]:
    """Count the faces without a name at each site that were not seen to leave.

    A visitor of whom HR said that they are no employee is a head all the same. Several
    visits of a face that is known again are one head, which is out if the last was.
    """
    states = UnknownAttendance.State
    crossed = Passage.objects.filter(
        camera=OuterRef("camera"),
        session=OuterRef("session"),
        track_id=OuterRef("track_id"),
    )
    way = crossed.order_by("-occurred_at").values("way")[:1]
    seen = UnknownAttendance.objects.filter(
        camera__site__in=sites,
        occurred_at__gte=now - STRANGERS_WITHIN,
        state__in=[states.OPEN, states.DISMISSED],
    ).annotate(crossed=Subquery(way))
    places: dict[tuple[int, int], bool] = {}
    for site, stranger, pk, direction, line in seen.order_by("occurred_at").values_list(
        "camera__site",
        "access_log__unknown_person",
        "pk",
        "camera__direction",
        "crossed",
    ):
        is_out = line == Way.OUT or (not line and direction == Camera.Direction.EXIT)
        places[site, stranger or -pk] = is_out
    return Counter(site for (site, _), is_out in places.items() if not is_out)
