"""The vision worker process."""

from __future__ import annotations

import logging
import signal
import time
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from factory_site import pipelines
from factory_site.vision.detector import the_detector, the_weights
from factory_site.vision.worker import VisionWorker
from streaming import leases
from streaming.event_queue import KEEP_RECORDED, EventQueue, QueueInUse
from streaming.leases import Holder, NameInUse
from streaming.models import Camera
from vehicles import barrier

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from django.core.management.base import CommandParser

logger = logging.getLogger(__name__)
DELIVERY_S = 3.0


class Command(BaseCommand):
    help = "Run the vision worker: cameras to events, until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--camera",
            action="append",
            default=[],
            metavar="CODE",
            help="Only this camera, which other workers then leave to this one; may be "
            "given more than once.",
        )

    def handle(self, *, camera: Sequence[str], **_: Any) -> None:
        check_codes(camera)
        queue = open_queue(settings.VAR_DIR / "queue" / settings.VISION_NAME)
        # Pictures of people, and plates: nothing of them stays longer than it must.
        faces, plates = (
            open_queue(settings.VAR_DIR / name / settings.VISION_NAME, keep_recorded=0)
            for name in ("queue-faces", "queue-plates")
        )
        detector = the_detector()
        logger.info("%s works with %s.", settings.VISION_NAME, detector.name)
        check_name(Holder(settings.VISION_NAME, queue.id, camera))
        worker = VisionWorker(
            name=settings.VISION_NAME,
            detector=detector,
            weights=the_weights(),
            queue=queue,
            faces=faces,
            identify=pipelines.identify,
            plates=plates,
            record_vehicle=pipelines.record_vehicle,
            load_plans=pipelines.camera_plans,
            pinned=camera,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stopping.set())
        try:
            worker.run()
        finally:
            barrier.finish()
        queue.close()
        faces.close()
        plates.close()


def open_queue(folder: Path, *, keep_recorded: int = KEEP_RECORDED) -> EventQueue:
    """Open the worker's queue; another may be delivering what it left, for a moment."""
    until_s = time.monotonic() + DELIVERY_S
    while True:
        try:
            return EventQueue(folder, keep_recorded=keep_recorded)
        except QueueInUse as error:
            if time.monotonic() > until_s:
                raise CommandError(str(error)) from error
            time.sleep(0.2)


def check_name(holder: Holder) -> None:
    """Refuse a name that is in use; unknown while Postgres is away, so let pass."""
    try:
        leases.enter(holder)
    except NameInUse as error:
        raise CommandError(str(error)) from error
    except DatabaseError:
        return


def check_codes(codes: Sequence[str]) -> None:
    """Refuse codes that no camera has; unknown while Postgres is away, so let pass."""
    try:
        known = set(
            Camera.objects.filter(code__in=codes).values_list("code", flat=True)
        )
    except DatabaseError:
        return
    if unknown := sorted(set(codes) - known):
        every = ", ".join(
            Camera.objects.order_by("code").values_list("code", flat=True)
        )
        raise CommandError(
            f"There is no camera {', '.join(unknown)}. Known: {every or 'none yet'}."
        )
