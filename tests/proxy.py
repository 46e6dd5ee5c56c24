"""A network between a camera and who reads it, that fails when told to."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable

CHUNK = 65536


class Proxy:
    """Passes TCP connections on to `target_port` of this machine, in a thread.

    A context manager. Faults are switched on and off by calls from any thread, which
    return once it is so; `port` stays the same throughout:

        with RtspServer(film) as camera, Proxy(camera.port) as network:
            url = f"rtsp://127.0.0.1:{network.port}/cam"
            network.cut()              every connection ends now; new ones are taken
            network.refuse()           every connection ends now; new ones are refused
            network.accept()           ends `refuse`
            network.stall()            connections live and are taken, but nothing
                                       comes through in either direction
            network.flow()             ends `stall`; what was held back comes through
            network.delay(0.2)         all that comes through connections made from
                                       now on does so 0.2 s later
    """

    def __init__(self, target_port: int) -> None:
        self.port = 0
        """Where it listens, on 127.0.0.1; known once entered."""
        self._target_port = target_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="proxy", daemon=True
        )
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._delay_s = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        self.accept()
        return self

    def __exit__(self, *error: object) -> None:
        self.refuse()
        self.flow()
        self._run(_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def connections(self) -> int:
        """How many are being passed on."""
        return len(self._writers) // 2

    def cut(self) -> None:
        self._run(self._cut())

    def refuse(self) -> None:
        self._run(self._close())

    def accept(self) -> None:
        self._run(self._listen())

    def stall(self) -> None:
        self._call(self._flowing.clear)

    def flow(self) -> None:
        self._call(self._flowing.set)

    def delay(self, seconds: float) -> None:
        self._delay_s = seconds

    def _run(self, task: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(task, self._loop).result()

    def _call(self, switch: Callable[[], None]) -> None:
        async def call() -> None:
            switch()

        self._run(call())

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(
                self._pass_on, "127.0.0.1", self.port, family=socket.AF_INET
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._cut()

    async def _cut(self) -> None:
        _abort(self._writers)
        self._writers.clear()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            onward = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, onward[1]}
        if self._server is None:
            _abort(ends)
            return
        self._writers |= ends
        pumps = [
            asyncio.create_task(self._pump(reader, onward[1], self._delay_s)),
            asyncio.create_task(self._pump(onward[0], writer, self._delay_s)),
        ]
        # What one side ends is over for the other too.
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        for end in ends:
            end.close()
        self._writers -= ends

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        delay_s: float,
    ) -> None:
        try:
            while data := await reader.read(CHUNK):
                await self._flowing.wait()
                if delay_s:
                    self._loop.call_later(delay_s, writer.write, data)
                else:
                    writer.write(data)
                    await writer.drain()
            await asyncio.sleep(delay_s)
        except OSError:
            return


def _abort(writers: Iterable[asyncio.StreamWriter]) -> None:
    for writer in writers:
        writer.transport.abort()


async def _others() -> None:
    """Wait for the connections that were just cut to be over."""
    await asyncio.gather(
        *asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True
    )
