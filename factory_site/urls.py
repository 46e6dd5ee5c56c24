from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from streaming.views import video_feed

from . import views

urlpatterns = [
    path("", views.home, name="home"),
    path("cameras/<str:code>", views.camera, name="camera"),
    path("login", auth.LoginView.as_view(), name="login"),
    path("logout", auth.LogoutView.as_view(), name="logout"),
    path("api/health", views.health, name="health"),
    path("api/video_feed", video_feed, name="video-feed"),
    path("api/v1/", include("factory_site.api")),
    path("admin/", admin.site.urls),
]
