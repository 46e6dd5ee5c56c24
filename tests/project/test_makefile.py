from __future__ import annotations

import subprocess

from tests.environment import ROOT


class TestClean:
    def test_leaves_the_data_where_it_is(self) -> None:
        done = subprocess.run(
            ["make", "--dry-run", "clean"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )

        words = done.stdout.split()
        assert ".venv" in words
        assert "var" not in words
