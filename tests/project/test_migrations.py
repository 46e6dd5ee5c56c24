from __future__ import annotations

import pytest
from django.core.management import call_command


class TestMigrations:
    @pytest.mark.django_db
    def test_say_what_the_models_say(self) -> None:
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)
