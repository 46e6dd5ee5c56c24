from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from alerts import views as alerts
from identity.views import access, media, people, unknown
from streaming.views import feed_status, picture, video_feed

from . import system_api, system_views, views

urlpatterns = [
    path("", views.wall, name="wall"),
    path("cameras/<slug:code>", views.camera, name="camera"),
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
