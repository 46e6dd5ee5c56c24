"""Exits 0 when the web process of this container answers; for Docker's HEALTHCHECK."""

from __future__ import annotations

import os
import sys
from http.client import HTTPConnection, HTTPException

from django.conf import settings

PORT, TIMEOUT_S = 8000, 4


def main(port: int = PORT) -> int:
    """Ask under a name that ALLOWED_HOSTS has; return the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "factory_site.settings")
    connection = HTTPConnection("localhost", port, timeout=TIMEOUT_S)
    host = settings.ALLOWED_HOSTS[0].removeprefix(".")
    try:
        connection.request("GET", "/api/health", headers={"Host": host})
        return 0 if connection.getresponse().status == 200 else 1
    except (OSError, HTTPException):
        return 1
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
