"""Make the enrolled photos known to Rekognition, or unknown again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from rich.progress import Progress

from identity.engines import EngineUnavailable, FaceNotTaken, the_engine
from identity.models import FaceSample
from streaming.models import Site

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from identity.engines import Engine


class Command(BaseCommand):
    help = (
        "Add the enrolled photos that Rekognition does not have to its collections, "
        "after FACE_ENGINE was set to rekognition. Each is a paid call, once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--remove",
            action="store_true",
            help="instead take every face out of the collections, before FACE_ENGINE "
            "is set to local for good",
        )

    def handle(self, *, remove: bool, **_: Any) -> str:
        engine = the_engine()
        if engine.name != "rekognition":
            raise CommandError("FACE_ENGINE is local: photos need no other index.")
        return removed(engine) if remove else self.added(engine)

    def added(self, engine: Engine) -> str:
        samples = FaceSample.objects.filter(
            external_face_id="", employee__erased_at=None
        )
        added = refused = 0
        with Progress(disable=not self.stdout.isatty()) as progress:
            keys = list(samples.order_by("pk").values_list("pk", flat=True))
            for pk in progress.track(keys, description="Photos"):
                try:
                    index(FaceSample.objects.get(pk=pk), engine)
                    added += 1
                except FaceSample.DoesNotExist:
                    continue
                except (FaceNotTaken, OSError) as error:
                    refused += 1
                    self.stderr.write(f"Photo {pk} was left out. {error}")
                except EngineUnavailable as error:
                    raise CommandError(
                        f"{added} of {len(keys)} photos were added; run it again for "
                        f"the rest. {error}"
                    ) from error
        return f"Added {added} photos, left out {refused}."


def index(sample: FaceSample, engine: Engine) -> None:
    """Add one photo; take it back when its row has gone meanwhile."""
    with sample.image.open("rb") as photo:
        jpeg = photo.read()
    external_id = engine.enrol(jpeg=jpeg, employee_id=sample.employee_id)
    kept = FaceSample.objects.filter(pk=sample.pk).update(external_face_id=external_id)
    if not kept:
        engine.forget(external_ids=[external_id])


def removed(engine: Engine) -> str:
    """Take all faces out of all collections, also those of which no row knows."""
    count = 0
    for site in Site.objects.order_by("pk"):
        samples = FaceSample.objects.remote().filter(employee__site=site)
        known = samples.values_list("external_face_id", flat=True)
        try:
            ids = sorted({*engine.remote_ids(site_id=site.pk), *known})
            engine.forget(external_ids=ids)
        except EngineUnavailable as error:
            raise CommandError(
                f"{count} faces were removed; run it again for the rest. {error}"
            ) from error
        samples.filter(external_face_id__in=ids).update(external_face_id="")
        count += len(ids)
    return f"Removed {count} faces."
