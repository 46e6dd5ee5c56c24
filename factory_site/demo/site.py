"""The demo site: cameras playing composed footage, and a login for each role."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db import transaction

from factory_site import env, roles
from identity.models import User
from occupancy.models import CountingLine
from streaming.models import Camera, Site

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .footage import DemoClip

SLUG = "demo"
SITE = {"name": "Demo plant", "time_zone": "Asia/Kolkata"}
LOGINS = {
    "hana": roles.HR,
    "sam": roles.SECURITY,
    "iris": roles.INTEGRATOR,
    "amir": roles.SITE_ADMIN,
}
TASKS = {
    "reception": [Camera.Task.FACES.value, Camera.Task.ATTENDANCE.value],
    "gate": [Camera.Task.PEOPLE.value, Camera.Task.PLATES.value],
}
PLACES = {"gate": Camera.Place.GATE, "yard": Camera.Place.YARD}
"""By the name of the clip."""
PASSWORD_BYTES = 9


@transaction.atomic
def seed(*, clips: Sequence[DemoClip], passwords: Path) -> dict[str, str]:
    """Make the demo site, a camera per clip and the logins; return {name: password}.

    What exists is kept, so that edits survive a restart. Passwords are made once and
    kept in the folder `passwords`, readable by its owner alone; a login without one
    there is somebody's own, and is neither touched nor returned.
    """
    roles.sync()
    site, _ = Site.objects.get_or_create(slug=SLUG, defaults=SITE)
    for clip in clips:
        seed_camera(site, clip)
    made = {name: seed_login(name, site, passwords / name) for name in LOGINS}
    return {name: password for name, password in made.items() if password}


def seed_camera(site: Site, clip: DemoClip) -> None:
    code = f"CAM-{re.sub('[^A-Z0-9]+', '-', clip.name.upper()).strip('-')}"[:40]
    camera, is_new = Camera.objects.get_or_create(
        code=code,
        defaults={
            "site": site,
            "name": clip.name.replace("_", " ").capitalize(),
            "source_url": str(clip.path),
            "loop": True,
            "direction": Camera.Direction.BOTH,
            "place": PLACES.get(clip.name, Camera.Place.HALL),
            "tasks": TASKS.get(clip.name, [Camera.Task.PEOPLE.value]),
        },
    )
    if is_new and Camera.Task.PEOPLE in camera.tasks:
        CountingLine.objects.create(
            camera=camera, name="Middle", x1=0.5, y1=0.0, x2=0.5, y2=1.0
        )


def seed_login(name: str, site: Site, password_file: Path) -> str | None:
    if User.objects.filter(username=name).exists() and not password_file.exists():
        return None
    password = env.kept_secret(password_file, length_bytes=PASSWORD_BYTES)
    user, is_new = User.objects.get_or_create(
        username=name,
        defaults={
            "password": make_password(password),
            "is_staff": LOGINS[name] in roles.STAFF_ROLES,
        },
    )
    if is_new:
        user.groups.add(Group.objects.get(name=LOGINS[name]))
        user.sites.add(site)
    return password
