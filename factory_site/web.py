"""The web process: daphne, except that it waits for clients that read slowly.

    python -m factory_site.web -b 127.0.0.1 -p 8000

daphne takes all that the application sends and keeps it in memory until the client
reads it. Here `send` returns when the connection can take more, so the application
notices, and skips pictures. It takes daphne's own options.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Any, Final

from daphne.cli import CommandLineInterface
from daphne.server import Server
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

UNSENT_BYTES = 32 * 1024
"""What the kernel may keep of a connection beside what is under way: the rest of the
megabytes that it would take is pictures growing old."""
STUCK_S = 60
"""A client that takes nothing for so long is gone; as nginx's send_timeout."""
KERNEL_OPTIONS: Final = {
    getattr(socket, name): value
    for name, value in (
        ("TCP_NOTSENT_LOWAT", UNSENT_BYTES),
        ("TCP_USER_TIMEOUT", STUCK_S * 1000),
    )
    if hasattr(socket, name)
}
# No access log: addresses of requests may carry what is nobody's business.
OPTIONS = ["--verbosity", "0", "--no-server-name"]
APPLICATION = "factory_site.asgi:application"


@implementer(IPushProducer)
class Brake:
    """Sits between a connection and daphne's protocol, and knows when to wait.

    The connection pauses its producer when more than 64 KiB wait in this process, and
    resumes it when all is handed to the kernel.
    """

    def __init__(self, producer: Any) -> None:
        self.released = asyncio.Event()
        self.released.set()
        self._producer = producer

    def pauseProducing(self) -> None:
        self.released.clear()
        self._producer.pauseProducing()

    def resumeProducing(self) -> None:
        self.released.set()
        self._producer.resumeProducing()

    def stopProducing(self) -> None:
        self.released.set()
        self._producer.stopProducing()


class WaitingServer(Server):  # type: ignore[misc]
    """Has the application wait where it sends faster than the client reads."""

    def protocol_connected(self, protocol: Any) -> None:
        super().protocol_connected(protocol)
        fit_brake(protocol.transport)

    async def handle_reply(self, protocol: Any, message: Any) -> None:
        await super().handle_reply(protocol, message)
        # Not after the last part: what is whole is sent without the application.
        if message.get("more_body") or message["type"] == "websocket.send":
            brake = getattr(protocol.transport, "producer", None)
            if isinstance(brake, Brake):
                await brake.released.wait()


def fit_brake(transport: Any) -> None:
    """Give a connection its brake, once, and small buffers in the kernel."""
    producer = getattr(transport, "producer", None)
    if producer is None or isinstance(producer, Brake):
        return
    transport.unregisterProducer()
    transport.registerProducer(Brake(producer), streaming=True)
    handle = transport.getHandle()
    if handle.family in {socket.AF_INET, socket.AF_INET6}:
        for option, value in KERNEL_OPTIONS.items():
            handle.setsockopt(socket.IPPROTO_TCP, option, value)


class WebProcess(CommandLineInterface):  # type: ignore[misc]
    description = "Factory Site's web process"
    server_class = WaitingServer


def main() -> None:
    WebProcess().run([*OPTIONS, *sys.argv[1:], APPLICATION])


if __name__ == "__main__":
    main()
