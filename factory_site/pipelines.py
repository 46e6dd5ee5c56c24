"""Which stage feeds which service. Only the vision worker's commands come here."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

import msgspec
from django.conf import settings
from django.db import DataError, Error, IntegrityError, connection
from django.utils import timezone

from attendance import services as attendance
from attendance.rules import Way
from identity.engines import the_engine
from identity.face_model import the_face_model
from identity.face_stage import FaceStage
from identity.pipeline import FaceOffered
from identity.recognition import Recogniser
from occupancy.pipeline import CrossingStage, LineCrossed
from occupancy.polygons import BadPolygon, parse_polygon
from occupancy.rules import Direction
from occupancy.services import record_crossing
from occupancy.zone_services import (
    record_counted,
    record_entered,
    record_fullness,
    record_loitered,
)
from occupancy.zone_stage import (
    InZone,
    ZoneCounted,
    ZoneEntered,
    ZoneFull,
    ZoneLoitered,
    ZoneStage,
)
from streaming import workers
from streaming.event_queue import TryAgainLater
from streaming.fields import Unreadable
from streaming.models import Camera
from streaming.vision.geometry import Line, NamedLine
from streaming.vision.plans import CameraPlan, PlatePlan, ZonePlan
from streaming.vision.types import Point
from vehicles.formats import Format
from vehicles.models import formats_in_force
from vehicles.pipeline import PlateOffered
from vehicles.plate_model import the_working_plate_model
from vehicles.plate_stage import PlateStage
from vehicles.rules import GatePolicy, Status
from vehicles.services import record_visit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from identity.pipeline import PersonSeen
    from occupancy.models import CountingLine, Zone
    from streaming.models import CameraQuerySet
    from streaming.vision.ports import Stage
    from vehicles.models import VehicleLog

logger = logging.getLogger(__name__)

Event = LineCrossed | InZone | FaceOffered | PlateOffered
"""Every event that a stage may emit. Offered faces and plates take ways of their own,
past an identifier each; see factory_site/vision/."""

KINDS: Mapping[str, type[Event]] = {kind.__name__: kind for kind in get_args(Event)}
WAYS: Mapping[Direction, Way] = {Direction.IN: Way.IN, Direction.OUT: Way.OUT}
LINE_TASKS: frozenset[str] = frozenset({Camera.Task.PEOPLE, Camera.Task.ATTENDANCE})
"""Those that watch lines: attendance has to know which way somebody went."""


class Envelope(msgspec.Struct):
    """An event as it lies on disk: its kind, and its fields as JSON."""

    kind: str
    event: msgspec.Raw
    camera: str = ""
    term: int = 0
    """The lease under which it was seen."""
    is_sure: bool = True
    """Whether that lease was certainly held then; older envelopes do not say."""


def camera_plans(codes: Collection[str]) -> list[CameraPlan]:
    """Return what to run for those of these cameras that are enabled."""
    cameras = Camera.objects.enabled().filter(code__in=codes).order_by("code")
    return [plan_of(camera) for camera in with_all_of_plans(cameras)]


def with_all_of_plans(cameras: CameraQuerySet) -> CameraQuerySet:
    """Load with the cameras what their plans are made of."""
    rows = cameras.select_related("site", "gate_camera__gate")
    return rows.prefetch_related("lines", "zones", "site__plate_formats")


def plan_of(camera: Camera) -> CameraPlan:
    urls = (camera.source_url, camera.sub_stream_url)
    is_unreadable = any(isinstance(url, Unreadable) for url in urls)
    source_url, sub_stream_url = ("", "") if is_unreadable else urls
    finds_faces = Camera.Task.FACES in camera.tasks
    plates = plates_of(camera)
    watches_lines = not LINE_TASKS.isdisjoint(camera.tasks)
    return CameraPlan(
        code=camera.code,
        name=camera.name,
        source_url=source_url,
        # In a smaller picture faces and plates are too small to be told apart.
        sub_stream_url="" if finds_faces or plates else sub_stream_url,
        problem=Unreadable.reason if is_unreadable else "",
        loop=camera.loop,
        detect_fps=camera.detect_fps,
        priority=Camera.Place.values.index(camera.place),
        time_zone=camera.site.time_zone,
        lines=tuple(
            named(row)
            for row in sorted(camera.lines.all(), key=lambda row: row.pk)
            if watches_lines and row.enabled
        ),
        zones=tuple(zones_of(camera)),
        finds_faces=finds_faces,
        plates=plates,
    )


def plates_of(camera: Camera) -> PlatePlan | None:
    """Return how a camera's plates are read, as its gate and its site have it."""
    if Camera.Task.PLATES not in camera.tasks:
        return None
    at_gate = getattr(camera, "gate_camera", None)
    policy = at_gate.gate.policy if at_gate else GatePolicy()
    known = formats_in_force(camera.site.plate_formats.all())
    return PlatePlan(
        formats=tuple((each.name, each.pattern) for each in known),
        confidence=policy.confidence,
        reader=at_gate.reader if at_gate else "",
    )


def named(row: CountingLine) -> NamedLine:
    ends = Line(Point(row.x1, row.y1), Point(row.x2, row.y2))
    return NamedLine(row.name, ends, row.pk, row.colour)


def zones_of(camera: Camera) -> Iterator[ZonePlan]:
    """Give the zones in which people are counted; one that is spoilt is left out."""
    if Camera.Task.PEOPLE not in camera.tasks:
        return
    for row in sorted(camera.zones.all(), key=lambda row: row.pk):
        try:
            if row.enabled:
                yield zone_plan(row)
        except BadPolygon as error:
            logger.error("%s of %s is not watched: %s", row, camera.code, error)


def zone_plan(row: Zone) -> ZonePlan:
    return ZonePlan(
        id=row.pk,
        name=row.name,
        corners=parse_polygon(row.points).corners,
        colour=row.colour,
        capacity=row.capacity,
        amber_percent=row.amber_percent,
        is_restricted=row.restricted,
        restricted_from=row.restricted_from,
        restricted_until=row.restricted_until,
        loitering_s=row.loitering_seconds,
    )


def drawn_of(plan: CameraPlan) -> list[Stage[Event]]:
    """Return the stages of what is drawn on a camera's picture, fresh."""
    stages: list[Stage[Event]] = []
    if plan.lines:
        stages.append(CrossingStage(plan.lines))
    if plan.zones:
        stages.append(ZoneStage(plan.zones, time_zone=plan.time_zone))
    return stages


def stages_of(plan: CameraPlan) -> list[Stage[Event]]:
    """Return the other stages of one camera, fresh."""
    stages: list[Stage[Event]] = []
    if plan.finds_faces:
        finder = the_face_model().finder
        stages.append(FaceStage(finder, cooldown_s=settings.UNKNOWN_COOLDOWN))
    if plan.plates and (model := the_working_plate_model(plan.plates.reader)):
        formats = [Format(*each) for each in plan.plates.formats]
        policy = GatePolicy(confidence=plan.plates.confidence)
        stages.append(PlateStage(model, formats=formats, policy=policy))
    return stages


def encode(event: Event, *, term: int = 0, is_sure: bool = True) -> str:
    """Return the event as text for the durable queue, with the lease it was seen in."""
    envelope = Envelope(
        kind=type(event).__name__,
        event=msgspec.Raw(msgspec.json.encode(event)),
        camera=event.camera,
        term=term,
        is_sure=is_sure,
    )
    return msgspec.json.encode(envelope).decode()


def decode(text: str) -> tuple[Envelope, Event]:
    """Return the event; raise KeyError for a kind that is not known any more."""
    envelope = msgspec.json.decode(text, type=Envelope)
    return envelope, msgspec.json.decode(envelope.event, type=KINDS[envelope.kind])


def record(event: LineCrossed | InZone) -> None:
    """Give a crossing to those whom it concerns; each records it once per event id.

    What happens in a zone is told of once, and its count is the newest.
    """
    match event:
        case ZoneCounted():
            record_counted(event=event)
        case ZoneEntered():
            record_entered(event=event)
        case ZoneLoitered():
            record_loitered(event=event)
        case ZoneFull():
            record_fullness(event=event)
        case LineCrossed():
            record_passage(event)


def record_passage(event: LineCrossed) -> None:
    """Count a crossing, and have attendance take note of who went which way."""
    count(event)
    if event.session and Camera.Task.ATTENDANCE in tasks_of(event.camera):
        attendance.note_passage(
            event_id=event.event_id,
            camera=event.camera,
            session=event.session,
            track_id=event.track_id,
            way=WAYS[event.direction],
            at=event.at,
            now=timezone.now(),
        )


def count(event: LineCrossed) -> None:
    """Count a crossing, but not at a camera that watches its lines for attendance."""
    if tasks_of(event.camera) & LINE_TASKS != {Camera.Task.ATTENDANCE}:
        record_crossing(event=event)


def tasks_of(code: str) -> set[str]:
    """Return a camera's tasks; none when it is gone."""
    tasks = Camera.objects.filter(code=code).values_list("tasks", flat=True).first()
    return set(tasks or ())


@cache
def the_recogniser() -> Recogniser:
    """Return what recognises people for all threads of this process."""
    return Recogniser(the_face_model(), the_engine(), workers.connect())


def recognise(offer: FaceOffered) -> PersonSeen | None:
    """Record who it is, and that they are here; None when the camera is gone.

    A recording that is played again tells of a visit that was over: nothing is new.
    """
    seen = the_recogniser().identify(offer)
    if seen is not None and seen.at == offer.at:
        attendance.record_seen(seen=seen, now=timezone.now())
    return seen


def identify(offer: FaceOffered) -> str | None:
    """Do so, and return the words for the live picture, if any."""
    seen = recognise(offer)
    return seen.words if seen else None


def record_vehicle(offer: PlateOffered) -> str | None:
    """Record a vehicle's visit, and return the words for the live picture, if any."""
    log = record_visit(event=offer)
    return words_of(log) if log else None


def words_of(log: VehicleLog) -> str:
    """Say which vehicle it is; a plate that is not sure is not shown."""
    if log.status == Status.REJECTED:
        return "plate not sure"
    if log.status == Status.AUTHORIZED:
        return log.plate_number
    return f"{log.plate_number} {log.get_status_display().lower()}"


def record_queued(text: str, *, by: Callable[[Any], object] = record) -> bool:
    """Record an event from the durable queue; False when it is left out.

    Raises TryAgainLater while Postgres cannot take it: it is away, or not yet migrated.
    """
    envelope, event = decode(text)
    try:
        if is_stale(envelope):
            logger.warning(
                "%s was left out: another worker had taken over %s.",
                envelope.kind,
                envelope.camera,
            )
            return False
        by(event)
    except (IntegrityError, DataError):
        raise
    except Error as error:
        connection.close_if_unusable_or_obsolete()
        raise TryAgainLater(str(error)) from error
    return True


def is_stale(envelope: Envelope) -> bool:
    """Whether another worker watched the camera when this one may have watched too."""
    if envelope.is_sure:
        return False
    of_others = Camera.objects.exclude(lease_term=envelope.term)
    return of_others.filter(code=envelope.camera).exists()
