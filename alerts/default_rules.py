"""The rules every site should have, as rows that `manage.py sync_alert_rules` creates.

A row that exists is never touched, so an edit in the admin survives a deploy. Who wants
none of them switches the rule off; a deleted one comes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from .models import AlertRule, Kind, Severity

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class DefaultRule:
    """A rule for the whole system, at all hours, seen in the inbox alone."""

    name: str
    kind: Kind
    severity: Severity
    after_s: int = 0


RULES: Sequence[DefaultRule] = (
    DefaultRule(
        "Camera offline for a minute", Kind.CAMERA_OFFLINE, Severity.WARNING, 60
    ),
    DefaultRule("Vision worker lost", Kind.WORKER_LOST, Severity.CRITICAL),
    DefaultRule("Disk nearly full", Kind.DISK_FULL, Severity.CRITICAL),
    DefaultRule("Person who may not enter", Kind.REFUSED_PERSON, Severity.CRITICAL),
    DefaultRule("Same stranger again", Kind.REPEATED_STRANGER, Severity.WARNING),
    DefaultRule("Photos to look after", Kind.ENROLMENT_DIGEST, Severity.INFO),
    DefaultRule("Attendance of the day", Kind.ATTENDANCE_DIGEST, Severity.INFO),
    DefaultRule("Blocked vehicle", Kind.BLOCKED_VEHICLE, Severity.CRITICAL),
    DefaultRule(
        "Possibly a blocked vehicle", Kind.POSSIBLE_BLOCKED_VEHICLE, Severity.WARNING
    ),
    DefaultRule("Barrier did not open", Kind.BARRIER_FAILED, Severity.WARNING),
    DefaultRule(
        "Somebody where nobody may be", Kind.ZONE_RESTRICTED, Severity.CRITICAL
    ),
    DefaultRule("Somebody stays too long", Kind.ZONE_LOITERING, Severity.WARNING),
    DefaultRule("Too many people in a zone", Kind.ZONE_CAPACITY, Severity.WARNING),
    DefaultRule("Too many people in an area", Kind.AREA_CAPACITY, Severity.CRITICAL),
)


@transaction.atomic
def sync(rules: Sequence[DefaultRule] = RULES) -> list[str]:
    """Create the rows that are missing; return their names."""
    there = set(AlertRule.objects.values_list("name", flat=True))
    missing = [rule for rule in rules if rule.name not in there]
    for rule in missing:
        AlertRule.objects.create(
            name=rule.name,
            kind=rule.kind,
            severity=rule.severity,
            after_s=rule.after_s,
        )
    return [rule.name for rule in missing]
