from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from factory_site import env

if TYPE_CHECKING:
    from collections.abc import Callable


class TestReaders:
    @pytest.mark.parametrize(
        ("read", "value", "form"),
        [
            (lambda: env.flag("X", default=False), "maybe", "on or off"),
            (lambda: env.integer("X", 1), "many", "whole number"),
            (lambda: env.integer("X", 1, minimum=1), "0", "at least 1"),
            (lambda: env.integer("X", 1, maximum=9), "10", "at most 9"),
            (lambda: env.amount("X", 1), "free", "at least 0"),
            (lambda: env.amount("X", 1), "-1", "at least 0"),
            (lambda: env.amount("X", 1), "inf", "at least 0"),
            (lambda: env.label("X", "a", longest=9), "a name", "letters, digits"),
            (lambda: env.label("X", "a", longest=2), "abc", "at most 2"),
            (lambda: env.choice("X", "a", of=["a", "b"]), "c", "one of: a, b"),
            (lambda: env.database("X"), "mysql://h/n", "postgresql://"),
            (lambda: env.database("X"), "postgresql://h:port/n", "postgresql://"),
            (lambda: env.database("X"), "nonsense", "postgresql://"),
            (lambda: env.redis("X"), "http://h", "redis://"),
            (lambda: env.web_address("X"), "factory.example.com", "https://"),
            (lambda: env.web_address("X"), "https://[x", "https://"),
            (lambda: env.secret("X", kept_in=None), "short", "50 characters"),
        ],
    )
    def test_name_the_variable_and_the_accepted_form(
        self,
        monkeypatch: pytest.MonkeyPatch,
        read: Callable[[], object],
        value: str,
        form: str,
    ) -> None:
        monkeypatch.setenv("X", value)

        with pytest.raises(env.Misconfigured, match=form) as raised:
            read()

        assert str(raised.value).startswith("X ")

    def test_never_repeat_a_password(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("X", "postgresql://user:hidden-word@h:port/n")

        with pytest.raises(env.Misconfigured) as raised:
            env.database("X")

        assert "hidden-word" not in str(raised.value)

    def test_take_a_secret_from_a_file(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "key").write_text("k" * 60 + "\n")
        monkeypatch.setenv("X_FILE", str(tmp_path / "key"))

        assert env.secret("X", kept_in=None) == "k" * 60

    def test_refuse_a_secret_file_that_is_not_there(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("X_FILE", "/nowhere/key")

        with pytest.raises(env.Misconfigured, match="X_FILE must name a readable file"):
            env.secret("X", kept_in=None)

    def test_treat_an_empty_value_as_unset(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("X", "")

        assert env.integer("X", 7) == 7


class TestToken:
    def test_is_none_when_unset(self) -> None:
        assert env.token("X") is None

    def test_refuses_a_short_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("X", "hidden-word")

        with pytest.raises(env.Misconfigured, match="X is too short") as raised:
            env.token("X")

        assert "hidden-word" not in str(raised.value)

    def test_is_given_as_it_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("X", "a-long-enough-token-x")

        assert env.token("X") == "a-long-enough-token-x"


class TestKeptSecret:
    def test_is_made_once_for_its_owner_alone(self, tmp_path: Path) -> None:
        file = tmp_path / "deep" / "key"

        first, second = env.kept_secret(file), env.kept_secret(file)

        assert first == second
        assert len(first) >= 50
        assert file.stat().st_mode & 0o777 == 0o600

    def test_names_the_folder_that_cannot_be_written(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()

        with pytest.raises(env.Misconfigured, match="VAR_DIR must be a folder"):
            env.kept_secret(tmp_path / "file" / "key")


class TestDocumentation:
    @pytest.mark.parametrize("file", ["docs/configuration.md", ".env.example"])
    def test_names_every_variable(self, file: str) -> None:
        text = (Path(__file__).parents[2] / file).read_text()

        assert {name for name in env.KNOWN if name not in text and name != "X"} == set()

    def test_names_no_variable_that_is_not_read(self) -> None:
        text = (Path(__file__).parents[2] / ".env.example").read_text()
        named = {
            line.strip("# ").partition("=")[0]
            for line in text.splitlines()
            if "=" in line
        }

        assert named - env.KNOWN == {"POSTGRES_PASSWORD"}
