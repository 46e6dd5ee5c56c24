"""Where photos and snapshots lie when it is a bucket of S3."""

from __future__ import annotations

from typing import Any, Final

ATTEMPTS: Final = 2
"""What the bucket refuses for a moment is sent once more."""


def bucket(name: str, *, timeout_s: int) -> dict[str, Any]:
    """Return Django's storage for a bucket; one that does not answer is given up soon.

    Without bounds botocore waits for minutes, and whoever stores a picture with it: the
    next vehicle at a gate, say.
    """
    # Not at the top: whoever has no bucket need not wait until it is loaded.
    from botocore.config import Config

    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": name,
            "file_overwrite": True,
            "client_config": Config(
                connect_timeout=timeout_s,
                read_timeout=timeout_s,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            ),
        },
    }
