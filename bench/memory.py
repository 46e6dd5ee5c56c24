"""Memory of a vision worker process, with 1 and with 4 cameras.

Starts the real process on embedded servers, the cameras playing a clip as if live, and
looks at it after a while. `USS` is what would be freed if it ended.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .live import Footprint, code_of, plant

if TYPE_CHECKING:
    from pathlib import Path

    from .tables import Row, Tables

SECONDS = 40
LOOK_S = 5
CLIP = "persons_one_by_one.mp4"


def run(shared: Path) -> Tables:
    return {"memory": [measured(shared, cameras) for cameras in (1, 4)]}


def measured(shared: Path, cameras: int) -> Row:
    clip = str(shared / "samples" / "clips" / CLIP)
    with plant(shared) as site:
        site.add_cameras({code_of(n): clip for n in range(cameras)}, loop=True)
        with site.worker() as process:
            time.sleep(SECONDS)
            before = Footprint.of(process)
            time.sleep(LOOK_S)
            after = Footprint.of(process)
    return {
        "cameras": cameras,
        "RSS MiB": after.rss_mib,
        "USS MiB": after.uss_mib,
        "CPU % of a core": round(100 * (after.cpu_s - before.cpu_s) / LOOK_S),
    }
