from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from alerts.models import Alert, AlertChannel, AlertRule, Kind
from streaming.fields import Unreadable
from tests.factories import (
    make_alert,
    make_camera,
    make_channel,
    make_rule,
    make_site,
    make_user,
)

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db
SIX, TEN = time(6), time(22)


class TestAlertRule:
    @pytest.mark.parametrize(
        "hours",
        [
            {"from_time": SIX},
            {"to_time": SIX},
            {"from_time": SIX, "to_time": SIX},
            {"quiet_from": SIX},
            {"quiet_to": SIX},
            {"quiet_from": SIX, "quiet_to": SIX},
        ],
    )
    def test_has_both_times_of_its_hours_or_neither(
        self, hours: dict[str, Any]
    ) -> None:
        rule = AlertRule(name="Night", kind=Kind.CAMERA_OFFLINE, **hours)

        with pytest.raises(ValidationError, match="two different times"):
            rule.full_clean()
        with pytest.raises(IntegrityError), transaction.atomic():
            rule.save()

        make_rule(from_time=TEN, to_time=SIX, quiet_from=SIX, quiet_to=TEN)

    @pytest.mark.parametrize("days", [[0], [8], ["1"], [1.5], 3, {"1": 1}, "12", [[1]]])
    def test_refuses_days_that_are_no_weekdays(self, days: object) -> None:
        with pytest.raises(ValidationError, match="from 1, Monday"):
            AlertRule(name="Night", kind=Kind.CAMERA_OFFLINE, days=days).full_clean()

        AlertRule(name="Night", kind=Kind.CAMERA_OFFLINE, days=[6, 7]).full_clean()

    def test_of_a_worker_or_disk_has_no_site(self) -> None:
        rule = AlertRule(name="Disk", kind=Kind.DISK_FULL, site=make_site())

        with pytest.raises(ValidationError, match="belong to no site"):
            rule.full_clean()

    def test_of_a_camera_belongs_to_its_site(self) -> None:
        camera = make_camera()
        rule = AlertRule(name="Gate", kind=Kind.CAMERA_OFFLINE, camera=camera)

        rule.full_clean()
        assert rule.site == camera.site
        rule.site = make_site()
        with pytest.raises(ValidationError, match="another site"):
            rule.full_clean()
        with pytest.raises(IntegrityError), transaction.atomic():
            make_rule(camera=camera)


class TestVisibleTo:
    @pytest.mark.parametrize(
        ("model", "make"),
        [
            (Alert, lambda site: make_alert(camera=None, site=site)),
            (AlertRule, lambda site: make_rule(site=site)),
            (AlertChannel, lambda site: make_channel(site=site)),
        ],
    )
    def test_keeps_the_users_sites_and_the_whole_system(
        self, model: Any, make: Callable[..., object]
    ) -> None:
        site, elsewhere = make_site(), make_site()
        own, whole, theirs = make(site), make(None), make(elsewhere)
        sam, root = make_user("sam", sites=[site]), make_user("root", is_superuser=True)
        gone = make_user("gone", sites=[site], is_active=False)

        assert set(model.objects.visible_to(sam)) == {own, whole}
        assert set(model.objects.visible_to(root)) == {own, whole, theirs}
        assert not model.objects.visible_to(gone).exists()


class TestAlertChannel:
    def test_is_stored_encrypted_and_shown_without_secrets(self) -> None:
        channel = make_channel(address="https://erp.example.com/hidden-word")

        with connection.cursor() as cursor:
            cursor.execute("SELECT address, secret FROM alerts_alertchannel")
            stored = " ".join(cursor.fetchone())

        assert "hidden-word" not in stored
        assert "whsec_" not in stored
        assert channel.shown_address == "https://erp.example.com/***"
        assert "hidden-word" not in str(channel)

    def test_shows_nothing_of_an_address_under_another_key(self) -> None:
        channel = make_channel()
        AlertChannel.objects.update(address=Unreadable("gAAAAA-of-another-key"))
        channel.refresh_from_db()

        assert channel.shown_address == ""

    def test_has_a_secret_of_its_own(self) -> None:
        assert make_channel().secret != make_channel().secret


class TestAlert:
    @pytest.mark.parametrize("site", [True, False])
    def test_is_one_while_unresolved(
        self,
        site: bool,  # noqa: FBT001 - with and without
    ) -> None:
        values: dict[str, Any] = {
            "camera": None,
            "subject": "x",
            "site": make_site() if site else None,
        }
        at = datetime(2026, 11, 20, tzinfo=UTC)
        make_alert(state=Alert.State.RESOLVED, resolved_at=at, **values)
        make_alert(**values)

        with pytest.raises(IntegrityError), transaction.atomic():
            make_alert(**values)
        with pytest.raises(IntegrityError), transaction.atomic():
            make_alert(**values, state=Alert.State.ACKNOWLEDGED)
