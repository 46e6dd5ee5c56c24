"""A real MQTT broker, Mosquitto, and barriers that listen to it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READY_S = 10.0
KEPT_S = 60
"""For how long the broker keeps messages for a barrier that is away."""


@contextmanager
def broker(folder: Path, *, login: tuple[str, str] | None = None) -> Iterator[int]:
    """Run Mosquitto on 127.0.0.1; give its port. Skips where it is not installed."""
    program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("Mosquitto is not installed: sh tests/packages.sh")
    port = _free_port()
    config = folder / "mosquitto.conf"
    config.write_text(f"user root\nlistener {port} 127.0.0.1\n{_logins(folder, login)}")
    with subprocess.Popen(
        [program, "-c", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            _wait_until_ready(port)
            yield port
        finally:
            process.kill()


def _logins(folder: Path, login: tuple[str, str] | None) -> str:
    if login is None:
        return "allow_anonymous true\n"
    file = folder / "logins"
    subprocess.run(["mosquitto_passwd", "-b", "-c", file, *login], check=True)
    return f"allow_anonymous false\npassword_file {file}\n"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def _wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + READY_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


class Listener:
    """A barrier that listens to a topic, and what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.listens = threading.Event()
        self.was_told = threading.Event()

    def on_connect(self, client: mqtt.Client, topic: Any, *_: Any) -> None:
        client.subscribe(topic, qos=1)

    def on_subscribe(self, *_: Any) -> None:
        self.listens.set()

    def on_message(self, _client: Any, _topic: Any, message: mqtt.MQTTMessage) -> None:
        self.told.append(message.payload.decode())
        self.was_told.set()


@contextmanager
def listening(
    port: int, topic: str, *, login: tuple[str, str] | None = None
) -> Iterator[Listener]:
    """Listen to a topic; the broker keeps for KEPT_S what is sent in between."""
    listener = Listener()
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, "barrier", userdata=topic, protocol=mqtt.MQTTv5
    )
    client.on_connect = listener.on_connect
    client.on_subscribe = listener.on_subscribe
    client.on_message = listener.on_message
    if login:
        client.username_pw_set(*login)
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = KEPT_S
    client.connect("127.0.0.1", port, clean_start=False, properties=properties)
    client.loop_start()
    try:
        assert listener.listens.wait(READY_S)
        yield listener
    finally:
        client.disconnect()
        client.loop_stop()
