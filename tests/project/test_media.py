"""A bucket that does not answer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import StorageHandler

from factory_site.media import ATTEMPTS, bucket
from identity.services import STORAGE_ERRORS
from tests.silent_server import silent_server

if TYPE_CHECKING:
    from django.core.files.storage import Storage

DEADLINE_S = 30
"""Botocore's own patience is 5 times 60 s."""


def storage_at(url: str) -> Storage:
    config = bucket("photos", timeout_s=1)
    config["OPTIONS"] |= {
        "endpoint_url": url,
        "access_key": "key",
        "secret_key": "secret",
        "region_name": "us-east-1",
    }
    return StorageHandler().create_storage(config)


class TestBucket:
    def test_that_never_answers_is_given_up_soon(self) -> None:
        with silent_server() as server, ThreadPoolExecutor(1) as thread:
            storage = storage_at(server.url)
            saving = thread.submit(storage.save, "a.jpg", ContentFile(b"picture"))
            with pytest.raises(STORAGE_ERRORS):
                saving.result(DEADLINE_S)

            assert len(server.held) == ATTEMPTS
