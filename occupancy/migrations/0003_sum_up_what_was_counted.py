"""Crossings that were counted before sums were made are summed up too."""

from __future__ import annotations

from typing import Final

from django.db import migrations

MARKS: Final = """
INSERT INTO occupancy_aggregation (site_id, camera_id, area_id, kind, until)
SELECT camera.site_id, camera.id, NULL, log.kind,
    date_trunc('hour', MIN(log.occurred_at), site.time_zone)
FROM occupancy_occupancylog AS log
JOIN streaming_camera AS camera ON camera.id = log.camera_id
JOIN streaming_site AS site ON site.id = camera.site_id
GROUP BY camera.site_id, camera.id, log.kind, site.time_zone
ON CONFLICT (camera_id, area_id, kind) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [
        ("occupancy", "0002_counts_that_add_up"),
        ("streaming", "0003_tasks"),
    ]

    operations = [migrations.RunSQL(MARKS, migrations.RunSQL.noop)]
