"""Bring the model weights that the manifest lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from streaming import weights
from streaming.vision.detectors import ModelMissing, NotAModel, export_openvino

if TYPE_CHECKING:
    from pathlib import Path

    from streaming.weights import Weights


class Command(BaseCommand):
    help = "Download the model weights into MODELS_DIR; resumes, checks their sums."

    def handle(self, **_: Any) -> None:
        folder: Path = settings.MODELS_DIR
        rows = weights.manifest()
        try:
            for row in rows:
                self.bring(row, folder)
            for row in rows:
                self.make(row, folder)
        except (weights.FetchFailed, ModelMissing, NotAModel) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Weights are in {folder}.")

    def bring(self, row: Weights, folder: Path) -> None:
        if row.url is None or row.path(folder).exists():
            return
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        with Progress(*columns) as progress:
            task = progress.add_task(row.file, total=row.size)
            weights.fetch(
                row, folder, advanced=lambda n: progress.update(task, completed=n)
            )

    def make(self, row: Weights, folder: Path) -> None:
        if row.made_from and not row.path(folder).exists():
            self.stdout.write(f"Exporting {row.file} from {row.made_from}.")
            export_openvino(folder / row.made_from)
