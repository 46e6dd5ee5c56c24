"""Real RTSP cameras for the tests: each plays an H.264 recording without end.

Run with the system's Python, which is where Debian puts the GStreamer bindings:
/usr/bin/python3 rtsp_server.py FILE ... [--port N] [--user U --password P] [--digest]
One FILE is served at /cam (--path), several at /cam0, /cam1 and so on; NAME=FILE at
/NAME. Time stamps go on when a recording starts over, so that no viewer sees its end.
Prints the port when it listens, on 127.0.0.1 alone, and runs until it is ended.
tests/cameras.py starts it.
"""

from __future__ import annotations

import argparse
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

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

if TYPE_CHECKING:
    from collections.abc import Iterator

READ = (
    'filesrc location="{file}" ! qtdemux ! h264parse config-interval=-1'
    " ! video/x-h264,stream-format=avc,alignment=au"
    " ! appsink name=units sync=false max-buffers=8"
)
LAUNCH = "( appsrc name=units is-live=true format=time ! rtph264pay name=pay0 pt=96 )"


class Unit(NamedTuple):
    """One coded picture; times in ns since the first one is due."""

    data: bytes
    pts: int
    dts: int
    duration: int


class Film(NamedTuple):
    """A recording taken apart."""

    caps: Any
    units: list[Unit]


def film_of(file: Path) -> Film:
    """Take a recording apart; without units where it holds no H.264."""
    pipeline = Gst.parse_launch(READ.format(file=file))
    pipeline.set_state(Gst.State.PLAYING)
    sink = pipeline.get_by_name("units")
    caps, units = None, []
    while (sample := sink.emit("try-pull-sample", 5 * Gst.SECOND)) is not None:
        caps, buffer = sample.get_caps(), sample.get_buffer()
        data = buffer.extract_dup(0, buffer.get_size())
        dts = buffer.pts if buffer.dts == Gst.CLOCK_TIME_NONE else buffer.dts
        units.append(Unit(data, buffer.pts, dts, buffer.duration))
    pipeline.set_state(Gst.State.NULL)
    first = min((unit.dts for unit in units), default=0)
    return Film(
        caps,
        [each._replace(pts=each.pts - first, dts=each.dts - first) for each in units],
    )


def endless(units: list[Unit]) -> Iterator[Unit]:
    length = units[-1].dts + units[-1].duration
    for turn in count():
        for unit in units:
            offset = turn * length
            yield unit._replace(pts=unit.pts + offset, dts=unit.dts + offset)


def feed(media: Any, film: Film) -> None:
    """Have a client's pipeline fed, from the recording's start."""
    source = media.get_element().get_by_name_recurse_up("units")
    source.set_property("caps", film.caps)
    coming = endless(film.units)

    def push(source: Any, _length: int) -> None:
        unit = next(coming)
        buffer = Gst.Buffer.new_wrapped(unit.data)
        buffer.pts, buffer.dts, buffer.duration = unit.pts, unit.dts, unit.duration
        source.emit("push-buffer", buffer)

    source.connect("need-data", push)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--path", default="cam")
    parser.add_argument("--port", default="0")
    parser.add_argument("--user")
    parser.add_argument("--password", default="")
    parser.add_argument("--digest", action="store_true")
    return parser.parse_args()


def mounts(files: list[str], path: str) -> dict[str, Path]:
    """Say which file is served at which path."""
    named = {}
    for number, file in enumerate(files):
        name, equals, rest = file.partition("=")
        if equals:
            named[name] = Path(rest)
        else:
            named[path if len(files) == 1 else f"{path}{number}"] = Path(file)
    return named


def new_factory(file: Path) -> Any:
    film = film_of(file)
    if not film.units:
        sys.exit(f"{file} holds no H.264 in MP4, which is all that is served here.")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(LAUNCH)
    factory.set_shared(False)
    factory.connect("media-configure", lambda _, media: feed(media, film))
    return factory


def guard(server: Any, factories: list[Any], options: argparse.Namespace) -> None:
    """Let nobody but `options.user` see and build the streams."""
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
    for factory in factories:
        factory.add_role_from_structure(role)


def main() -> None:
    options = arguments()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(options.port)
    named = mounts(options.files, options.path)
    factories = {name: new_factory(file) for name, file in named.items()}
    if options.user:
        guard(server, list(factories.values()), options)
    for name, factory in factories.items():
        server.get_mount_points().add_factory(f"/{name}", factory)
    if not server.attach(None):
        sys.exit(f"Port {options.port} is taken.")
    sys.stdout.write(f"{server.get_bound_port()}\n")
    sys.stdout.flush()
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
