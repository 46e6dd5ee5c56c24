"""Make the demo site and its footage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import Progress, TaskID

from factory_site.demo import crowd, gate, history, staff
from factory_site.demo import site as demo_site
from factory_site.demo.cutouts import PicturesMissing
from factory_site.demo.footage import NoDemoClips, clips_from, compose
from occupancy import aggregation
from streaming.models import Site

if TYPE_CHECKING:
    from collections.abc import Sequence

    from factory_site.demo.footage import DemoClip


class Command(BaseCommand):
    help = (
        "Make the demo site, its footage, its staff with five weeks of attendance, its "
        "gate, four weeks of people counted, and one login per role; the last line "
        "printed is the logins as JSON."
    )

    def handle(self, **_: Any) -> str:
        if settings.PRODUCTION:
            raise CommandError(
                "The demo site and its logins have no place in production. Set "
                "ENVIRONMENT=development to try them."
            )
        try:
            clips = self.clips()
        except (NoDemoClips, PicturesMissing) as error:
            raise CommandError(str(error)) from error
        passwords = settings.VAR_DIR / "demo" / "logins"
        logins = demo_site.seed(clips=clips, passwords=passwords)
        site, now = Site.objects.get(slug=demo_site.SLUG), timezone.now()
        staff.seed(site=site, at=now)
        history.seed(site, at=now)
        gate.seed(site)
        crowd.seed(site, at=now)
        aggregation.catch_up(site=site, now=now)
        return json.dumps(logins)

    def clips(self) -> Sequence[DemoClip]:
        """Return the clips of DEMO_FOOTAGE, or compose our own."""
        if settings.DEMO_FOOTAGE:
            return clips_from(Path(settings.DEMO_FOOTAGE))
        tasks: dict[str, TaskID] = {}
        with Progress(console=Console(stderr=True)) as progress:

            def told(name: str, done: int, total: int) -> None:
                if name not in tasks:
                    tasks[name] = progress.add_task(f"Drawing {name}", total=total)
                progress.update(tasks[name], completed=done)

            return compose(settings.VAR_DIR / "demo" / "footage", progress=told)
