"""Analyse a recording with the pipeline that runs live."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils import timezone
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from factory_site.analysis import Report, analyse_recording
from factory_site.detecting import the_detector
from factory_site.pipelines import Event, lines_of
from occupancy.services import record_crossing
from streaming.models import Camera
from streaming.vision.annotate import annotate
from streaming.vision.geometry import Line, NamedLine, ZeroLengthLine
from streaming.vision.opening import duration_s
from streaming.vision.sources import SourceError, open_source
from streaming.vision.types import Point
from streaming.vision.writing import VideoWriter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.core.management.base import CommandParser

    from streaming.vision.pipeline import Analysis


class Command(BaseCommand):
    help = (
        "Analyse a recording: every frame, in order, as fast as it goes. With --camera "
        "its lines are used and crossings are recorded, each once however often the "
        "same recording is analysed; with --line alone no database is needed."
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
        parser.add_argument("--report", type=Path, metavar="OUT.json")
        parser.add_argument("--annotated", type=Path, metavar="OUT.mp4")

    def handle(
        self,
        *,
        file: Path,
        camera: str | None,
        line: Sequence[Line],
        detect_fps: float | None,
        report: Path | None,
        annotated: Path | None,
        **_: Any,
    ) -> None:
        lines = [
            NamedLine(f"line {number}", one) for number, one in enumerate(line, start=1)
        ]
        lines += camera_lines(camera) if camera else []
        try:
            done = self.analyse(
                file, camera, lines, detect_fps=detect_fps, annotated=annotated
            )
        except (SourceError, DatabaseError) as error:
            raise CommandError(str(error)) from error
        if report:
            report.write_text(json.dumps(done.as_json(), indent=1) + "\n")
        show(done)

    def analyse(
        self,
        file: Path,
        camera: str | None,
        lines: Sequence[NamedLine],
        *,
        detect_fps: float | None,
        annotated: Path | None,
    ) -> Report:
        source = open_source(
            str(file),
            camera=camera or file.stem,
            clock=timezone.now,
            realtime=False,
        )
        with ExitStack() as stack:
            progress = stack.enter_context(Progress(console=Console(stderr=True)))
            task = progress.add_task(file.name, total=duration_s(source.spec))
            writer = annotated and stack.enter_context(VideoWriter(annotated))

            def seen(analysis: Analysis[Event]) -> None:
                progress.update(task, completed=analysis.frame.seconds)
                for event in analysis.events:
                    if event.line_id is not None:
                        record_crossing(event=event)
                if writer:
                    writer.write(
                        annotate(analysis.frame.image, analysis.tracks, lines=lines),
                        seconds=analysis.frame.seconds,
                    )

            return analyse_recording(
                source,
                the_detector(),
                lines,
                detect_fps=detect_fps,
                every_picture=annotated is not None,
                seen=seen,
            )


def line_argument(text: str) -> Line:
    """Parse `x1,y1,x2,y2`; raise ArgumentTypeError."""
    try:
        x1, y1, x2, y2 = (float(part) for part in text.split(","))
    except ValueError:
        raise ArgumentTypeError(
            f"'{text}' is not four numbers like 0.5,0,0.5,1."
        ) from None
    if not all(0 <= value <= 1 for value in (x1, y1, x2, y2)):
        raise ArgumentTypeError(
            f"'{text}' leaves the picture: use numbers from 0 to 1."
        )
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


def camera_lines(code: str) -> Sequence[NamedLine]:
    try:
        camera = Camera.objects.prefetch_related("lines").get(code=code)
    except Camera.DoesNotExist:
        raise CommandError(f"There is no camera {code}.") from None
    return lines_of(camera)


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
