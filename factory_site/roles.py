"""The roles, one table: which Django permissions each group has.

`manage.py sync_roles` brings the groups in line with it. A role sees only the sites
its user is assigned to, whatever is granted here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import Group, Permission
from django.db import transaction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HR, SECURITY, INTEGRATOR, SITE_ADMIN = "HR", "Security", "Integrator", "Site admin"

_LOOK = (
    "streaming.view_site",
    "streaming.view_camera",
    "streaming.view_cameraoutage",
    "occupancy.view_countingline",
    "occupancy.view_occupancylog",
    "occupancy.view_zone",
    "occupancy.view_area",
    "occupancy.view_arealine",
    "occupancy.view_areacorrection",
    "occupancy.view_hourlyoccupancy",
    "occupancy.view_dailyoccupancy",
    "occupancy.view_monthlyoccupancy",
)
_SEE_PEOPLE = (
    "identity.view_department",
    "identity.view_employee",
    "identity.view_facesample",
    "identity.view_unknownperson",
    "identity.view_accesslog",
)
_KEEP_PEOPLE = (
    "identity.add_employee",
    "identity.change_employee",
    "identity.add_facesample",
    "identity.delete_facesample",
)
_RUN_PEOPLE = (
    "identity.add_department",
    "identity.change_department",
    "identity.delete_department",
    "identity.change_unknownperson",
    "identity.change_accesslog",
    "identity.erase_employee",
    "identity.view_erasure",
)
_SEE_ATTENDANCE = (
    "attendance.view_shift",
    "attendance.view_shiftassignment",
    "attendance.view_holiday",
    "attendance.view_leave",
    "attendance.view_attendancerecord",
    "attendance.view_attendancecorrection",
    "attendance.view_correctionrequest",
    "attendance.view_unknownattendance",
    "attendance.view_presenceevent",
    "attendance.view_muster",
)
_KEEP_ATTENDANCE = (
    "attendance.add_shift",
    "attendance.change_shift",
    "attendance.delete_shift",
    "attendance.add_shiftassignment",
    "attendance.change_shiftassignment",
    "attendance.delete_shiftassignment",
    "attendance.add_holiday",
    "attendance.change_holiday",
    "attendance.delete_holiday",
    "attendance.add_leave",
    "attendance.change_leave",
    "attendance.delete_leave",
    "attendance.correct_attendancerecord",
    "attendance.add_correctionrequest",
    "attendance.change_correctionrequest",
    "attendance.change_unknownattendance",
)
_STAMP = (
    "attendance.add_presenceevent",
    "attendance.add_correctionrequest",
)
_SEE_VEHICLES = (
    "vehicles.view_vehicle",
    "vehicles.view_vehiclelog",
    "vehicles.view_gate",
    "vehicles.view_gatecamera",
    "vehicles.view_plateformat",
    "vehicles.view_barriercall",
)
_KEEP_VEHICLES = ("vehicles.add_vehicle", "vehicles.change_vehicle")
_GUARD_GATES = (
    "vehicles.block_vehicle",
    "vehicles.open_gate",
    "vehicles.change_vehiclelog",
)
_RUN_GATES = (
    "vehicles.delete_vehicle",
    "vehicles.add_gate",
    "vehicles.change_gate",
    "vehicles.delete_gate",
    "vehicles.add_gatecamera",
    "vehicles.change_gatecamera",
    "vehicles.delete_gatecamera",
    "vehicles.add_plateformat",
    "vehicles.change_plateformat",
    "vehicles.delete_plateformat",
)
_GUARD = (
    "occupancy.add_areacorrection",
    "streaming.view_visionworker",
    "alerts.view_alert",
    "alerts.handle_alert",
)
_INTEGRATE = ("streaming.view_visionworker", "alerts.view_alert")
_SET_UP = (
    "streaming.change_site",
    "streaming.add_camera",
    "streaming.change_camera",
    "streaming.delete_camera",
    "occupancy.change_hourlyoccupancy",
    "occupancy.add_countingline",
    "occupancy.change_countingline",
    "occupancy.delete_countingline",
    "occupancy.add_zone",
    "occupancy.change_zone",
    "occupancy.delete_zone",
    "occupancy.add_area",
    "occupancy.change_area",
    "occupancy.delete_area",
    "occupancy.add_arealine",
    "occupancy.change_arealine",
    "occupancy.delete_arealine",
    "alerts.view_alertrule",
    "alerts.add_alertrule",
    "alerts.change_alertrule",
    "alerts.delete_alertrule",
    "alerts.view_alertchannel",
    "alerts.add_alertchannel",
    "alerts.change_alertchannel",
    "alerts.delete_alertchannel",
    "alerts.view_alertdelivery",
)
ROLES: Mapping[str, Sequence[str]] = {
    HR: (
        *_LOOK,
        *_SEE_PEOPLE,
        *_KEEP_PEOPLE,
        *_RUN_PEOPLE,
        *_SEE_ATTENDANCE,
        *_KEEP_ATTENDANCE,
        *_SEE_VEHICLES,
        "alerts.view_alert",
        "alerts.handle_alert",
    ),
    SECURITY: (
        *_LOOK,
        *_GUARD,
        *_SEE_PEOPLE,
        "identity.change_accesslog",
        "attendance.view_muster",
        *_SEE_VEHICLES,
        *_GUARD_GATES,
    ),
    INTEGRATOR: (
        *_LOOK,
        *_INTEGRATE,
        *_SEE_PEOPLE,
        *_KEEP_PEOPLE,
        "identity.add_accesslog",
        *_SEE_ATTENDANCE,
        *_STAMP,
        *_SEE_VEHICLES,
        *_KEEP_VEHICLES,
    ),
    SITE_ADMIN: (
        *_LOOK,
        *_GUARD,
        *_SET_UP,
        *_SEE_PEOPLE,
        *_KEEP_PEOPLE,
        *_RUN_PEOPLE,
        *_SEE_ATTENDANCE,
        *_KEEP_ATTENDANCE,
        *_SEE_VEHICLES,
        *_KEEP_VEHICLES,
        *_GUARD_GATES,
        *_RUN_GATES,
        "attendance.add_presenceevent",
        "identity.add_accesslog",
        "identity.delete_accesslog",
        "identity.view_user",
    ),
}
STAFF_ROLES = (HR, SITE_ADMIN)
"""Those who work in the admin."""


class UnknownPermission(Exception):
    """The table names a permission that no model has."""


@transaction.atomic
def sync(roles: Mapping[str, Sequence[str]] = ROLES) -> None:
    """Make the groups and give each exactly its permissions."""
    for name, labels in roles.items():
        group, _ = Group.objects.get_or_create(name=name)
        group.permissions.set([permission(label) for label in labels])


def permission(label: str) -> Permission:
    app, _, codename = label.partition(".")
    try:
        return Permission.objects.get(content_type__app_label=app, codename=codename)
    except Permission.DoesNotExist:
        raise UnknownPermission(label) from None
