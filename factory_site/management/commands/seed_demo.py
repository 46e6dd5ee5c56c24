"""Make the demo site and its footage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from factory_site import demo
from factory_site.footage import NoDemoClips, clips_from, compose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from factory_site.footage import DemoClip


class Command(BaseCommand):
    help = "Make the demo site, its footage and one login per role; prints the logins."

    def handle(self, **_: Any) -> str:
        try:
            clips = self.clips()
        except NoDemoClips as error:
            raise CommandError(str(error)) from error
        logins = demo.seed(clips=clips, passwords=settings.VAR_DIR / "demo" / "logins")
        return json.dumps(logins)

    def clips(self) -> Sequence[DemoClip]:
        """Return the clips of DEMO_FOOTAGE, or compose our own."""
        if settings.DEMO_FOOTAGE:
            return clips_from(Path(settings.DEMO_FOOTAGE))
        return compose(settings.VAR_DIR / "demo" / "footage")
