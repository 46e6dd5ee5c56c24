from __future__ import annotations

from django.urls import path

from .consumers import LiveConsumer, PicturesConsumer

websocket_urlpatterns = [
    path("ws/live/", LiveConsumer.as_asgi()),
    path("ws/pictures/", PicturesConsumer.as_asgi()),
]
