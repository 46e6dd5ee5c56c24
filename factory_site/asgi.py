"""HTTP, live pictures and WebSockets: the one entrance of the web process."""

from __future__ import annotations

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.sessions import SessionMiddlewareStack
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "factory_site.settings")
http = get_asgi_application()
call_command("check", fail_level="ERROR")

from streaming.auth import BrowserOriginValidator  # noqa: E402 - needs the app registry
from streaming.routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": BrowserOriginValidator(
            SessionMiddlewareStack(URLRouter(websocket_urlpatterns)),
            settings.ALLOWED_HOSTS,
        ),
    }
)
