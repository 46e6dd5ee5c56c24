"""A real RTSP camera for the tests: serves an H.264 recording, over and over.

Run with the system's Python, which is where Debian puts the GStreamer bindings:
/usr/bin/python3 rtsp_server.py FILE [--path cam] [--user U --password P] [--digest]
Prints the port when it listens, on 127.0.0.1 alone, and runs until it is ended.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import gi  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import (  # type: ignore[import-not-found]  # noqa: E402
    GLib,
    Gst,
    GstRtsp,
    GstRtspServer,
)

LAUNCH = (
    '( filesrc location="{file}" ! qtdemux ! h264parse config-interval=-1'
    " ! rtph264pay name=pay0 pt=96 )"
)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--path", default="cam")
    parser.add_argument("--user")
    parser.add_argument("--password", default="")
    parser.add_argument("--digest", action="store_true")
    return parser.parse_args()


def guard(server: Any, factory: Any, options: argparse.Namespace) -> None:
    """Let nobody but `options.user` see and build the stream."""
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    if options.digest:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(options.user, options.password, token)
    else:
        basic = GstRtspServer.RTSPAuth.make_basic(options.user, options.password)
        auth.add_basic(basic, token)
    server.set_auth(auth)
    role = Gst.Structure.new_empty("viewer")
    role.set_value("media.factory.access", value=True)
    role.set_value("media.factory.construct", value=True)
    factory.add_role_from_structure(role)


def main() -> None:
    options = arguments()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(LAUNCH.format(file=options.file))
    factory.set_shared(False)
    if options.user:
        guard(server, factory, options)
    server.get_mount_points().add_factory(f"/{options.path}", factory)
    server.attach(None)
    sys.stdout.write(f"{server.get_bound_port()}\n")
    sys.stdout.flush()
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
