"""Analyse a recording with the pipeline that runs live."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from factory_site import pipelines
from factory_site.vision.analysis import (
    RECORDING,
    Report,
    analyse_recording,
    warm_up,
)
from factory_site.vision.detector import the_detector
from occupancy.pipeline import LineCrossed
from occupancy.zone_stage import counts_in
from streaming.command_line import new_file_argument
from streaming.models import Camera
from streaming.vision.addresses import SourceError
from streaming.vision.annotate import annotate
from streaming.vision.geometry import Line, NamedLine, ZeroLengthLine
from streaming.vision.opening import look_at
from streaming.vision.plans import CameraPlan
from streaming.vision.sources import open_source
from streaming.vision.types import Point
from streaming.vision.writing import VideoWriter
from vehicles import barrier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.core.management.base import CommandParser

    from streaming.vision.pipeline import Analysis
    from streaming.vision.sources import VideoSource

PLATE_COLUMNS = ("Frame", "Track", "Plate", "As read", "Decision", "Reason")
"""More would not fit on a terminal; the report has all."""


class Command(BaseCommand):
    help = (
        "Analyse a recording: every frame, in order, as fast as it goes. With --camera "
        "its lines are used and crossings are recorded; doing that again in the same "
        "way records nothing twice. Of a camera that recognises people the report says "
        "who was seen, of one that reads number plates which vehicles came; with "
        "--record that is recorded too, as if it had been seen live. With --line alone "
        "no database is needed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--camera", metavar="CODE")
        parser.add_argument(
            "--line",
            action="append",
            default=[],
            type=line_argument,
            metavar="x1,y1,x2,y2",
            help="Count crossings of this line, 0..1 from the upper left corner; "
            "walking from (x1,y1) to (x2,y2), 'in' is from the right-hand to the "
            "left-hand side. May be repeated.",
        )
        parser.add_argument(
            "--detect-fps",
            type=rate_argument,
            help="Analyse this many frames a second; without it, every frame.",
        )
        parser.add_argument(
            "--started-at",
            type=instant_argument,
            metavar="2026-03-01T09:00+05:30",
            help="When the recording began; without it, now.",
        )
        parser.add_argument(
            "--record",
            action="store_true",
            help="Record visits of people and vehicles, and attendance where the "
            "camera keeps it. Needs --camera and --started-at.",
        )
        parser.add_argument("--report", type=new_file_argument, metavar="OUT.json")
        parser.add_argument("--annotated", type=new_file_argument, metavar="OUT.mp4")

    def handle(
        self,
        *,
        file: Path,
        camera: str | None,
        line: Sequence[Line],
        detect_fps: float | None,
        started_at: datetime | None,
        record: bool,
        report: Path | None,
        annotated: Path | None,
        **_: Any,
    ) -> None:
        if record:
            check_recordable(camera, started_at)
        plan = replace(plan_for(file, camera, line), detect_fps=detect_fps)
        source = open_source(
            plan.source_url,
            camera=plan.code,
            clock=timezone.now,
            realtime=False,
            started_at=started_at,
        )
        try:
            done = analyse(plan, source, annotated, record=record)
        except SourceError as error:
            raise CommandError(str(error)) from error
        finally:
            barrier.finish()
        if report:
            report.write_text(json.dumps(done.as_json(), indent=1) + "\n")
        show(done)


def check_recordable(camera: str | None, started_at: datetime | None) -> None:
    """Refuse to record where nobody said at which camera and when it was."""
    if camera is None:
        raise CommandError("Say with --camera at which camera it was.")
    if started_at is None:
        raise CommandError("Say with --started-at when the recording began.")
    if started_at > timezone.now():
        raise CommandError("The recording cannot have begun in the future.")


def analyse(
    plan: CameraPlan, source: VideoSource, annotated: Path | None, *, record: bool
) -> Report:
    """Analyse, record what can be recorded, draw where asked to, show the progress."""
    take = pipelines.record if record else pipelines.count
    recording = look_at(source.spec)
    detector = the_detector()
    warm_up(detector, width=recording.width, height=recording.height)
    with ExitStack() as stack:
        progress = stack.enter_context(Progress(console=Console(stderr=True)))
        task = progress.add_task(Path(plan.source_url).name, total=recording.seconds)
        writer = annotated and stack.enter_context(VideoWriter(annotated))

        counts: dict[int, int] = {}

        def seen(analysis: Analysis[pipelines.Event]) -> None:
            frame = analysis.frame
            progress.update(task, completed=frame.seconds)
            counts.update(counts_in(analysis.events))
            for event in analysis.events:
                if isinstance(event, LineCrossed) and event.is_recordable:
                    take(event)
            if writer:
                picture = annotate(
                    frame.image,
                    analysis.tracks,
                    lines=plan.lines,
                    zones=plan.zones,
                    counts=counts,
                )
                writer.write(picture, seconds=frame.seconds)

        return analyse_recording(
            plan,
            source,
            detector,
            every_picture=annotated is not None,
            seen=seen,
            judges=RECORDING if record else None,
        )


def plan_for(file: Path, code: str | None, lines: Sequence[Line]) -> CameraPlan:
    """Return the camera's plan, or one without a camera, playing the file."""
    added = tuple(
        NamedLine(f"line {number}", line) for number, line in enumerate(lines, start=1)
    )
    if code is None:
        return CameraPlan(
            code=file.stem,
            name=file.stem,
            source_url=str(file),
            loop=False,
            detect_fps=None,
            time_zone="UTC",
            lines=added,
        )
    cameras = pipelines.with_all_of_plans(Camera.objects.all())
    try:
        plan = pipelines.plan_of(cameras.get(code=code))
    except Camera.DoesNotExist:
        raise CommandError(f"There is no camera {code}.") from None
    return replace(plan, source_url=str(file), lines=(*added, *plan.lines))


def line_argument(text: str) -> Line:
    """Parse `x1,y1,x2,y2`; raise ArgumentTypeError."""
    try:
        x1, y1, x2, y2 = (float(part) for part in text.split(","))
    except ValueError:
        raise ArgumentTypeError(
            f"'{text}' is not four numbers like 0.5,0,0.5,1."
        ) from None
    if not all(0 <= value <= 1 for value in (x1, y1, x2, y2)):
        raise ArgumentTypeError(f"'{text}' leaves the picture: use numbers 0 to 1.")
    try:
        return Line(Point(x1, y1), Point(x2, y2))
    except ZeroLengthLine as error:
        raise ArgumentTypeError(f"'{text}' has no length. {error}") from error


def rate_argument(text: str) -> float:
    """Parse frames per second; raise ArgumentTypeError."""
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not rate > 0:
        raise ArgumentTypeError(f"'{text}' is no number of more than 0.")
    return rate


def instant_argument(text: str) -> datetime:
    """Parse an ISO 8601 instant with its zone; raise ArgumentTypeError."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ArgumentTypeError(f"'{text}' is no instant like 2026-03-01T09:00+05:30.")
    return instant


def show(report: Report) -> None:
    """Print the figures for people."""
    figures = report.as_json()
    console = Console()
    console.print(
        f"{figures['frames']} frames, {figures['frames_analysed']} analysed, "
        f"{figures['seconds']} s, {figures['fps']} frames/s, {figures['tracks']} tracks"
    )
    table = Table("Line", "In", "Out")
    for line in figures["lines"]:
        table.add_row(line["name"], str(line["in"]), str(line["out"]))
    if figures["lines"]:
        console.print(table)
    show_zones(console, figures["zones"])
    people = Table("Frame", "Track", "Decision", "Employee", "Similarity", "Runner-up")
    print_rows(console, people, figures["identities"])
    plates = Table(*PLATE_COLUMNS)
    print_rows(console, plates, figures["plates"])


def show_zones(console: Console, zones: Sequence[Mapping[str, Any]]) -> None:
    table = Table("Zone", "Most at once", "Entered", "Loitered")
    for zone in zones:
        told = (zone["most"], len(zone["entered"]), len(zone["loitered"]))
        table.add_row(zone["name"], *map(str, told))
    if zones:
        console.print(table)


def print_rows(
    console: Console, table: Table, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Print of such rows as many values as the table has columns, if there are any."""
    for row in rows:
        shown = list(row.values())[: len(table.columns)]
        table.add_row(*["-" if each in (None, "") else str(each) for each in shown])
    if rows:
        console.print(table)
