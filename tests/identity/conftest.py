"""A Rekognition of cards for the tests that ask for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests import cards
from tests.rekognition_server import RekognitionServer, rekognition_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings


@pytest.fixture
def aws_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give boto3 credentials, and nothing of the machine's own."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATESTTESTTESTTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-tests")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def rekognition(aws_login: None, settings: Settings) -> Iterator[RekognitionServer]:
    """Serve a Rekognition that sees cards, with the settings that lead to it."""
    with rekognition_server(cards.look) as server:
        settings.REKOGNITION_ENDPOINT_URL = server.url
        settings.REKOGNITION_REGION = "eu-west-1"
        yield server
