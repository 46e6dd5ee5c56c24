from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection

from streaming.fields import UnreadableSecret
from streaming.models import Camera
from tests.factories import make_camera

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db


class TestEncryptedTextField:
    def test_reads_back_what_was_stored(self) -> None:
        camera = make_camera(source_url="rtsp://viewer:hidden-word@192.0.2.1/a")

        assert (
            Camera.objects.get(pk=camera.pk).source_url
            == "rtsp://viewer:hidden-word@192.0.2.1/a"
        )

    def test_stores_nothing_readable(self) -> None:
        make_camera(source_url="rtsp://viewer:hidden-word@192.0.2.1/a")

        with connection.cursor() as cursor:
            cursor.execute("SELECT source_url FROM streaming_camera")
            (stored,) = cursor.fetchone()

        assert "hidden-word" not in stored
        assert "192.0.2.1" not in stored

    def test_reads_rows_of_an_older_key(self, settings: Settings) -> None:
        camera = make_camera(source_url="usb:0")
        old = settings.SECRET_KEY
        settings.SECRET_KEY = "n" * 60

        with pytest.raises(UnreadableSecret, match="SECRET_KEY_FALLBACKS"):
            Camera.objects.get(pk=camera.pk)

        settings.SECRET_KEY_FALLBACKS = [old]
        assert Camera.objects.get(pk=camera.pk).source_url == "usb:0"
