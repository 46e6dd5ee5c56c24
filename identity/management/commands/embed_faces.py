"""Describe the enrolled photos by the face model that is in use now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from rich.progress import Progress

from identity import face_work
from identity.face_model import the_face_model
from identity.models import FaceSample
from identity.photo_rules import PhotoRefused
from identity.services import STORAGE_ERRORS


class Command(BaseCommand):
    help = (
        "Compute the vectors of all enrolled photos that another face model made, "
        "after FACE_MODEL or the weights changed. Until then nobody is recognised by "
        "those photos. It can be stopped and run again."
    )

    def handle(self, **_: Any) -> str:
        name = the_face_model().embedder.name
        others = FaceSample.objects.exclude(face_model=name)
        keys = list(others.order_by("pk").values_list("pk", flat=True))
        with Progress(disable=not self.stdout.isatty()) as progress:
            done = sum(
                self.embed(pk) for pk in progress.track(keys, description="Photos")
            )
        return f"Of {len(keys)} photos, {done} are now known by {name}."

    def embed(self, pk: int) -> bool:
        sample = FaceSample.objects.select_related("employee").filter(pk=pk).first()
        if sample is None:
            return False
        try:
            face_work.embed_anew(sample)
        except (PhotoRefused, *STORAGE_ERRORS) as error:
            code = sample.employee.code
            self.stderr.write(
                f"A photo of {code} was left out; take a new one. {error}"
            )
            return False
        return True
