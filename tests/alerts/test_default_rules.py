from __future__ import annotations

import pytest
from django.core.management import call_command

from alerts import default_rules
from alerts.models import AlertRule

pytestmark = pytest.mark.django_db


class TestSync:
    def test_creates_what_is_missing_and_leaves_the_rest(self) -> None:
        created = default_rules.sync()
        AlertRule.objects.filter(kind="camera_offline").update(
            after_s=300, severity="critical"
        )
        AlertRule.objects.filter(kind="disk_full").delete()

        assert default_rules.sync() == ["Disk nearly full"]

        assert len(created) == 14
        rule = AlertRule.objects.get(kind="camera_offline")
        assert (rule.after_s, rule.severity) == (300, "critical")
        for rule in AlertRule.objects.all():
            rule.full_clean()

    def test_is_a_command_that_says_what_it_did(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("sync_alert_rules")
        call_command("sync_alert_rules")

        first, second = capsys.readouterr().out.splitlines()
        assert "Vision worker lost" in first
        assert second == "Alert rules: nothing new."
