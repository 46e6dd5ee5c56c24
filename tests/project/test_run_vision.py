from __future__ import annotations

import threading
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from factory_site.management.commands.run_vision import open_queue
from factory_site.vision.detector import the_detector
from streaming import leases
from streaming.event_queue import EventQueue
from streaming.leases import Holder
from tests.factories import make_camera

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings


class TestRunVision:
    @pytest.mark.django_db
    def test_refuses_a_camera_that_is_not_there(self) -> None:
        make_camera(code="CAM-MAIN")

        with pytest.raises(CommandError, match=r"no camera CAM-NONE\. Known: CAM-MAIN"):
            call_command("run_vision", "--camera=CAM-NONE", stdout=StringIO())

    @pytest.mark.django_db
    def test_refuses_to_run_twice_under_one_name(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        settings.VAR_DIR = tmp_path
        first = EventQueue(tmp_path / "queue" / settings.VISION_NAME)

        with pytest.raises(CommandError, match="another VISION_NAME"):
            call_command("run_vision", stdout=StringIO())
        first.close()

    @pytest.mark.django_db
    def test_refuses_a_name_that_is_in_use_on_another_machine(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        settings.VAR_DIR = settings.MODELS_DIR = tmp_path
        leases.enter(Holder(settings.VISION_NAME, "f" * 32))

        with pytest.raises(CommandError, match="runs on another machine"):
            call_command("run_vision", stdout=StringIO())


class TestOpenQueue:
    def test_waits_while_another_delivers_what_it_left(self, tmp_path: Path) -> None:
        delivering = EventQueue(tmp_path)
        threading.Timer(0.5, delivering.close).start()

        open_queue(tmp_path).close()


class TestTheDetector:
    def test_makes_do_without_weights_and_says_so(
        self, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.MODELS_DIR = tmp_path

        detector = the_detector()

        assert detector.fallback
        assert "will be missed" in caplog.text
        assert str(tmp_path) in caplog.text

    def test_makes_do_with_broken_weights_and_says_which(
        self, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.MODELS_DIR = tmp_path
        (tmp_path / "yolox_nano.onnx").write_text("not a model")

        detector = the_detector()

        assert detector.fallback
        assert "yolox_nano.onnx" in caplog.text
