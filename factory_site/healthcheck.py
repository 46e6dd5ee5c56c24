"""Exits 0 when the web process of this container answers; for Docker's HEALTHCHECK."""

from __future__ import annotations

import sys
from http.client import HTTPConnection, HTTPException

PORT, TIMEOUT_S = 8000, 4


def main(port: int = PORT) -> int:
    connection = HTTPConnection("localhost", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/api/health")
        return 0 if connection.getresponse().status == 200 else 1
    except (OSError, HTTPException):
        return 1


if __name__ == "__main__":
    sys.exit(main())
