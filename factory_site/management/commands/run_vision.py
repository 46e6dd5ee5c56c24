"""The vision worker process."""

from __future__ import annotations

import logging
import signal
from functools import partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from factory_site import pipelines
from factory_site.vision.detector import the_detector
from factory_site.vision.worker import VisionWorker
from streaming.event_queue import EventQueue, QueueInUse
from streaming.models import Camera

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.core.management.base import CommandParser

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run the vision worker: cameras to events, until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--camera",
            action="append",
            default=[],
            metavar="CODE",
            help="Only this camera; may be given more than once.",
        )

    def handle(self, *, camera: Sequence[str], **_: Any) -> None:
        check_codes(camera)
        try:
            queue = EventQueue(settings.VAR_DIR / "queue" / settings.VISION_NAME)
        except QueueInUse as error:
            raise CommandError(str(error)) from error
        detector = the_detector()
        logger.info("%s works with %s.", settings.VISION_NAME, detector.name)
        worker = VisionWorker(
            name=settings.VISION_NAME,
            detector=detector,
            queue=queue,
            load_plans=partial(pipelines.camera_plans, camera),
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stopping.set())
        worker.run()
        queue.close()


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
