from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection

from streaming.fields import Unreadable
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

        assert isinstance(Camera.objects.get(pk=camera.pk).source_url, Unreadable)

        settings.SECRET_KEY_FALLBACKS = [old]
        assert Camera.objects.get(pk=camera.pk).source_url == "usb:0"

    def test_keeps_a_text_it_cannot_read_when_the_row_is_saved(
        self, settings: Settings
    ) -> None:
        pk = make_camera(source_url="usb:0").pk
        own_key, settings.SECRET_KEY = settings.SECRET_KEY, "n" * 60
        camera = Camera.objects.get(pk=pk)
        camera.name = "Renamed"

        camera.save()

        settings.SECRET_KEY = own_key
        kept = Camera.objects.get(pk=pk)
        assert (kept.name, kept.source_url) == ("Renamed", "usb:0")

    def test_lets_nobody_see_what_it_cannot_read(self, settings: Settings) -> None:
        pk = make_camera().pk
        settings.SECRET_KEY = "n" * 60

        assert Camera.objects.get(pk=pk).shown_source == ""
