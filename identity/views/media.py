"""Pictures of people, each behind the permission and the site of its row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import get_object_or_404

from identity.models import AccessLog, FaceSample, UnknownPerson
from streaming.snapshots import for_lookers, picture

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase


@for_lookers("identity.view_accesslog")
def snapshot_of_access(
    request: HttpRequest, *, user: AbstractUser, pk: int
) -> HttpResponseBase:
    """Show who was seen in the moment of a sighting."""
    log = get_object_or_404(AccessLog.objects.visible_to(user), pk=pk)
    return picture(request, log.snapshot)


@for_lookers("identity.view_facesample")
def photo_of_face(
    request: HttpRequest, *, user: AbstractUser, code: str, pk: int
) -> HttpResponseBase:
    """Show a photo by which an employee is known."""
    samples = FaceSample.objects.visible_to(user)
    return picture(
        request, get_object_or_404(samples, pk=pk, employee__code=code).image
    )


@for_lookers("identity.view_unknownperson")
def snapshot_of_unknown(
    request: HttpRequest, *, user: AbstractUser, pk: int
) -> HttpResponseBase:
    """Show a stranger in the best of the pictures that are kept."""
    unknown = get_object_or_404(UnknownPerson.objects.visible_to(user), pk=pk)
    pictured = unknown.access_logs.with_snapshot()
    best = pictured.order_by("-quality", "-id").first()
    return picture(request, best.snapshot if best else None)
