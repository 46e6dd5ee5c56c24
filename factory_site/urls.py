from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path, register_converter

from alerts import views as alerts
from attendance.views import board, clock, month, muster, payroll, record, requests
from attendance.views import unknown as faces
from identity.views import access, media, people, unknown
from occupancy.views import areas, correct, drawing
from occupancy.views import history as counts
from occupancy.views import now as occupancy
from streaming.views import feed_status, picture, video_feed
from vehicles.views import actions, gates, opening, register
from vehicles.views import media as vehicle_media

from . import system_api, system_views, views

register_converter(clock.IsoDate, "iso")

urlpatterns = [
    path("", views.wall, name="wall"),
    path("cameras/<slug:code>", views.camera, name="camera"),
    path("cameras/<slug:code>/draw", drawing.draw, name="draw"),
    path("areas", areas.areas, name="areas"),
    path("areas/new", areas.new_area, name="new-area"),
    path("areas/<int:pk>", areas.area, name="area"),
    path("areas/<int:pk>/delete", areas.delete_area, name="delete-area"),
    path("occupancy", occupancy.now, name="occupancy"),
    path("occupancy/history", counts.page, name="occupancy-history"),
    path("occupancy/history.csv", counts.as_csv, name="occupancy-history-csv"),
    path("occupancy/areas/<int:pk>/correct", correct.correct_area, name="correct-area"),
    path(
        "occupancy/cameras/<slug:code>/correct",
        correct.correct_camera,
        name="correct-camera",
    ),
    path("alerts", alerts.inbox, name="alerts"),
    path("alerts/<int:pk>", alerts.alert, name="alert"),
    path("alerts/<int:pk>/acknowledge", alerts.acknowledge, name="acknowledge-alert"),
    path("alerts/<int:pk>/resolve", alerts.resolve, name="resolve-alert"),
    path("access", access.access, name="access"),
    path("access.csv", access.access_csv, name="access-csv"),
    path("access/<int:pk>", access.sighting, name="sighting"),
    path("access/<int:pk>/flag", access.flag, name="flag-sighting"),
    path(
        "access/<int:pk>/picture", media.snapshot_of_access, name="snapshot-of-access"
    ),
    path("people", people.people, name="people"),
    path("people/photos/examine", people.examine, name="examine-photo"),
    path("people/<slug:code>", people.employee, name="employee"),
    path("people/<slug:code>/enrol", people.enrol, name="enrol"),
    path(
        "people/<slug:code>/faces/<int:pk>", media.photo_of_face, name="photo-of-face"
    ),
    path(
        "people/<slug:code>/faces/<int:pk>/remove",
        people.remove_photo,
        name="remove-photo",
    ),
    path("unknown", unknown.register_of_strangers, name="unknown-register"),
    path("unknown/search", unknown.search, name="search-by-photo"),
    path("unknown/<int:pk>", unknown.stranger, name="unknown"),
    path("unknown/<int:pk>/promote", unknown.promote, name="promote-unknown"),
    path("unknown/<int:pk>/unname", unknown.unname, name="unname-unknown"),
    path(
        "unknown/<int:pk>/picture",
        media.snapshot_of_unknown,
        name="snapshot-of-unknown",
    ),
    path("attendance", board.board, name="attendance"),
    path("attendance/absent", board.confirm_absent, name="confirm-absent"),
    path("attendance/requests", requests.inbox, name="attendance-requests"),
    path("attendance/requests/<int:pk>", requests.answer, name="answer-request"),
    path("attendance/<slug:code>/<iso:on>", record.day, name="attendance-day"),
    path("attendance/<slug:code>/<iso:on>/correct", record.correct, name="correct-day"),
    path("attendance/<slug:code>/<iso:on>/rules", record.give_back, name="give-back"),
    path("attendance/<slug:code>/<iso:on>/request", record.ask, name="ask-day"),
    path("attendance/month", month.month, name="attendance-month"),
    path("attendance/month.xlsx", month.month_xlsx, name="attendance-month-xlsx"),
    path("attendance/unknown", faces.unknown_faces, name="attendance-unknown"),
    path(
        "attendance/unknown/<int:pk>",
        faces.unknown_face,
        name="attendance-unknown-face",
    ),
    path(
        "attendance/unknown/<int:pk>/link", faces.link, name="attendance-unknown-link"
    ),
    path(
        "attendance/unknown/<int:pk>/dismiss",
        faces.dismiss,
        name="attendance-unknown-dismiss",
    ),
    path(
        "attendance/unknown/<int:pk>/undo", faces.undo, name="attendance-unknown-undo"
    ),
    path("attendance/payroll", payroll.payroll, name="attendance-payroll"),
    path("attendance/payroll.csv", payroll.payroll_csv, name="attendance-payroll-csv"),
    path(
        "attendance/payroll.xlsx", payroll.payroll_xlsx, name="attendance-payroll-xlsx"
    ),
    path("muster", muster.muster, name="muster"),
    path("muster.csv", muster.muster_csv, name="muster-csv"),
    path("gates", gates.gates, name="gates"),
    path("gates/<int:pk>", gates.gate, name="gate"),
    path("gates/<int:pk>/open", opening.open_gate, name="open-gate"),
    path("gates/visits/<int:pk>", gates.visit, name="vehicle-visit"),
    path("gates/visits/<int:pk>/deny", opening.deny_visit, name="deny-visit"),
    path("gates/visits/<int:pk>/block", actions.block_visit, name="block-visit"),
    path("gates/visits/<int:pk>/name", actions.name_visit, name="name-visit"),
    path(
        "gates/visits/<int:pk>/picture",
        vehicle_media.snapshot_of_vehicle,
        name="snapshot-of-vehicle",
    ),
    path(
        "gates/visits/<int:pk>/plate",
        vehicle_media.snapshot_of_plate,
        name="snapshot-of-plate",
    ),
    path("vehicles", register.vehicles, name="vehicles"),
    path("vehicles/block", actions.block_plate, name="block-plate"),
    path("vehicles/<slug:plate>", register.vehicle, name="vehicle"),
    path("vehicles/<int:pk>/block", actions.block, name="block-vehicle"),
    path("vehicles/<int:pk>/unblock", actions.unblock, name="unblock-vehicle"),
    path("login", auth.LoginView.as_view(), name="login"),
    path("logout", auth.LogoutView.as_view(), name="logout"),
    path("system", system_views.system, name="system"),
    path("system/jobs/<int:pk>/run", system_views.run_job, name="run-job"),
    path("metrics", system_views.scrape, name="metrics"),
    path("api/system-info", system_api.SystemInfo.as_view(), name="system-info"),
    path("api/health", views.health, name="health"),
    path("api/video_feed", video_feed, name="video-feed"),
    path("api/video_feed/picture", picture, name="video-feed-picture"),
    path("api/video_feed/status", feed_status, name="video-feed-status"),
    path("api/v1/", include("factory_site.api")),
    path("admin/", admin.site.urls),
]
