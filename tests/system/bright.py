"""manage.py with a detector that finds what `write_walk` draws: cheap, no weights.

Run as `python -m tests.system.bright run_vision`.
"""

from __future__ import annotations

import os
import sys

import django
from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "factory_site.settings")
    django.setup()
    from factory_site.management.commands import analyze_video, run_vision
    from tests.fakes import BrightDetector

    for command in (analyze_video, run_vision):
        command.the_detector = BrightDetector  # type: ignore[attr-defined]
    execute_from_command_line(["manage.py", *sys.argv[1:]])


if __name__ == "__main__":
    main()
