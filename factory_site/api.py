"""The REST API: every route of `/api/v1/`, and the shape of its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import RequestDataTooBig
from django.db.models import ProtectedError
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.routers import SimpleRouter
from rest_framework.views import APIView, exception_handler
from rest_framework_simplejwt.views import TokenBlacklistView, TokenRefreshView

from alerts import api as alerts
from attendance import api as attendance
from identity import api as identity
from occupancy import api as occupancy
from streaming import api as streaming
from streaming.rest import TooLarge
from vehicles import api as vehicles

from .logins import Login
from .system_api import SchedulerStatus

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.response import Response


class Protected(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "protected"
    default_detail = "Records refer to it, so it stays. Disable it instead."


def explain(error: Exception, context: dict[str, Any]) -> Response | None:
    """Give every error the shape {"detail", "code"}, or field names with sentences."""
    if isinstance(error, ProtectedError):
        error = Protected()
    if isinstance(error, RequestDataTooBig):
        error = TooLarge("The request is too large. Send a photo as a file.")
    response = exception_handler(error, context)
    if response is not None and isinstance(response.data, dict):
        detail = response.data.get("detail")
        if detail is not None and "code" not in response.data:
            response.data["code"] = getattr(detail, "code", "error")
    return response


class Unknown(APIView):
    """Any other address."""

    permission_classes = (IsAuthenticated,)
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise NotFound("There is no such address. See /api/v1/docs.")


router = SimpleRouter(trailing_slash=False)
router.register("sites", streaming.SiteViewSet)
router.register("cameras", streaming.CameraViewSet)
router.register("camera-outages", streaming.CameraOutageViewSet)
router.register("alerts", alerts.AlertViewSet)
router.register("departments", identity.DepartmentViewSet)
router.register("employees", identity.EmployeeViewSet)
router.register(r"employees/(?P<employee>\d+)/faces", identity.FaceViewSet)
router.register("access-logs", identity.AccessLogViewSet)
router.register("unknown-persons", identity.UnknownPersonViewSet)
router.register("shifts", attendance.ShiftViewSet)
router.register("shift-assignments", attendance.ShiftAssignmentViewSet)
router.register("holidays", attendance.HolidayViewSet)
router.register("leaves", attendance.LeaveViewSet)
router.register("attendance/records", attendance.RecordViewSet)
router.register("attendance/corrections", attendance.CorrectionViewSet)
router.register("attendance/correction-requests", attendance.CorrectionRequestViewSet)
router.register("attendance/unknown", attendance.UnknownViewSet)
router.register("vehicles", vehicles.VehicleViewSet)
router.register("gates", vehicles.GateViewSet)
router.register("vehicle-logs", vehicles.VehicleLogViewSet)
router.register("lines", occupancy.CountingLineViewSet)
router.register("zones", occupancy.ZoneViewSet)
router.register("areas", occupancy.AreaViewSet)
router.register("occupancy/logs", occupancy.OccupancyLogViewSet)
router.register("occupancy/live", occupancy.LiveOccupancyViewSet, "occupancy-live")
router.register("occupancy/hourly", occupancy.HourlyViewSet)
router.register("occupancy/daily", occupancy.DailyViewSet)
router.register("occupancy/monthly", occupancy.MonthlyViewSet)

urlpatterns = [
    path("auth/login", Login.as_view(), name="api-login"),
    path("auth/refresh", TokenRefreshView.as_view(), name="api-refresh"),
    path("auth/logout", TokenBlacklistView.as_view(), name="api-logout"),
    path(
        "schema",
        SpectacularAPIView.as_view(permission_classes=[IsAuthenticated]),
        name="api-schema",
    ),
    path(
        "docs",
        SpectacularSwaggerSplitView.as_view(
            url_name="api-schema", permission_classes=[IsAuthenticated]
        ),
        name="api-docs",
    ),
    path(
        "occupancy/calibrate",
        occupancy.Calibrate.as_view(),
        name="occupancy-calibrate",
    ),
    path(
        "occupancy/trigger-aggregation",
        occupancy.TriggerAggregation.as_view(),
        name="occupancy-trigger-aggregation",
    ),
    path(
        "occupancy/scheduler-status",
        SchedulerStatus.as_view(),
        name="occupancy-scheduler-status",
    ),
    path(
        "access-logs/summary",
        identity.AccessSummary.as_view(),
        name="access-logs-summary",
    ),
    path("identity/enroll", identity.Enrol.as_view(), name="enroll"),
    path("identity/process-frame", identity.ProcessFrame.as_view(), name="frame"),
    path("identity/cache-stats", identity.CacheStats.as_view(), name="cache-stats"),
    path(
        "identity/snapshot-stats",
        identity.SnapshotStats.as_view(),
        name="snapshot-stats",
    ),
    path(
        "identity/cleanup-snapshots",
        identity.CleanupSnapshots.as_view(),
        name="cleanup-snapshots",
    ),
    path("attendance/check-in", attendance.CheckIn.as_view(), name="check-in"),
    path("attendance/check-out", attendance.CheckOut.as_view(), name="check-out"),
    path("attendance/evaluate", attendance.Evaluate.as_view(), name="evaluate"),
    path(
        "attendance/summary",
        attendance.Summary.as_view(),
        name="attendance-summary",
    ),
    path("attendance/muster", attendance.Muster.as_view(), name="api-muster"),
    path(
        "vehicle/validate-plate",
        vehicles.ValidatePlate.as_view(),
        name="validate-plate",
    ),
    path(
        "vehicle/gate-statistics",
        vehicles.GateStatistics.as_view(),
        name="gate-statistics",
    ),
    path("", include(router.urls)),
    re_path("", Unknown.as_view(), name="api-unknown"),
]
