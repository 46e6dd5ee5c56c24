from __future__ import annotations

import re
from datetime import time
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alerts.models import Alert, AlertChannel, AlertDelivery, AlertRule
from factory_site.roles import SITE_ADMIN
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
    from django.db.models import Model
    from django.test import Client

    from streaming.models import Site

    from .conftest import Receiver

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("role_groups")]


def page(name: str, row: Model | None = None) -> str:
    kind = "changelist" if name.endswith("list") else "change" if row else "add"
    model = name.removesuffix("_list")
    args = [row.pk] if row else []
    return reverse(f"admin:alerts_{model}_{kind}", args=args)


def act(client: Client, model: str, action: str, *rows: Model) -> Any:
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(page(f"{model}_list"), chosen)


def said(response: Any) -> str:
    request = response.wsgi_request
    return " ".join(str(message) for message in get_messages(request))


@pytest.fixture
def site(role_groups: None) -> Site:
    return make_site(name="Main plant")


@pytest.fixture
def amir(client: Client, site: Site) -> Client:
    """Give the browser of a site admin of the site."""
    client.force_login(make_user("amir", role=SITE_ADMIN, sites=[site], is_staff=True))
    return client


def rule_values(**values: Any) -> dict[str, Any]:
    defaults = {
        "name": "Gates at night",
        "enabled": "on",
        "kind": "camera_offline",
        "severity": "critical",
        "site": "",
        "camera": "",
        "after_s": "60",
    }
    return defaults | values


def channel_values(**values: Any) -> dict[str, Any]:
    defaults = {
        "name": "ERP",
        "site": "",
        "kind": "webhook",
        "address": "https://erp.example.com/hidden-word",
        "enabled": "on",
    }
    return defaults | values


class TestRules:
    def test_are_made_with_boxes_for_the_weekdays(
        self, admin_client: Client, site: Site
    ) -> None:
        channel, camera = make_channel(site=site), make_camera(site=site)

        admin_client.post(
            page("alertrule"),
            rule_values(
                camera=camera.pk,
                days=["6", "7"],
                from_time="22:00",
                to_time="06:00",
                channels=[channel.pk],
            ),
        )

        rule = AlertRule.objects.get()
        assert (rule.days, rule.from_time, rule.to_time) == ([6, 7], time(22), time(6))
        assert (rule.site, rule.camera) == (site, camera)
        assert list(rule.channels.all()) == [channel]
        shown = admin_client.get(page("alertrule", rule)).content.decode()
        ticked = re.findall(r'name="days" value="(\d)"[^>]*\schecked[\s>]', shown)
        assert ticked == ["6", "7"]

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"from_time": "22:00"}, "two different times"),
            ({"quiet_from": "22:00", "quiet_to": "22:00"}, "two different times"),
            ({"threshold_percent": "100"}, "less than or equal to 99"),
            ({"times": "1"}, "greater than or equal to 2"),
            ({"days": ["8"]}, "Select a valid choice"),
        ],
    )
    def test_say_what_is_wrong_with_them(
        self, admin_client: Client, values: dict[str, Any], sentence: str
    ) -> None:
        response = admin_client.post(page("alertrule"), rule_values(**values))

        assert sentence in response.content.decode()
        assert not AlertRule.objects.exists()

    def test_say_how_often_a_stranger_must_come(
        self, admin_client: Client, site: Site
    ) -> None:
        values = rule_values(kind="repeated_stranger", times="5", site=site.pk)

        admin_client.post(page("alertrule"), values)

        assert AlertRule.objects.get().times == 5
        assert "at once" in admin_client.get(page("alertrule_list")).content.decode()

    def test_refuse_channels_of_another_site(
        self, admin_client: Client, site: Site
    ) -> None:
        theirs = make_channel(name="Their guard", site=make_site())
        values = rule_values(channels=[theirs.pk])

        for place in ("", str(site.pk)):
            response = admin_client.post(page("alertrule"), values | {"site": place})
            assert "Their guard: of another site" in response.content.decode()

        assert not AlertRule.objects.exists()

    def test_of_the_whole_system_are_for_superusers_to_change(
        self, amir: Client, site: Site
    ) -> None:
        whole, own = make_rule(), make_rule(site=site)
        theirs = make_rule(site=make_site())

        for row, status in ((whole, 403), (own, 302)):
            values = rule_values(site=site.pk, name=f"New {row.pk}")
            assert amir.get(page("alertrule", row)).status_code == 200
            response = amir.post(page("alertrule", row), values)
            assert response.status_code == status
        assert "New" not in AlertRule.objects.get(pk=theirs.pk).name
        assert amir.get(page("alertrule", theirs)).status_code == 302
        made = amir.post(page("alertrule"), rule_values())
        assert "This field is required" in made.content.decode()
        deleted = act(amir, "alertrule", "delete_selected", whole)
        assert deleted.status_code == 200
        assert AlertRule.objects.filter(pk=whole.pk).exists()

    def test_offer_what_the_user_sees(self, amir: Client, site: Site) -> None:
        make_channel(name="Own guard", site=site)
        make_channel(name="Everybody's guard")
        make_channel(name="Their guard", site=make_site(name="Their plant"))

        shown = amir.get(page("alertrule")).content.decode()

        assert "Own guard" in shown
        assert "Everybody" in shown
        assert "Their" not in shown


class TestChannels:
    def test_show_a_new_secret_once(self, admin_client: Client) -> None:
        made: Any = admin_client.post(page("alertchannel"), channel_values())

        channel = AlertChannel.objects.get()
        assert channel.secret in said(made)
        first = admin_client.get(page("alertchannel_list")).content.decode()
        again = admin_client.get(page("alertchannel_list")).content.decode()
        shown = admin_client.get(page("alertchannel", channel)).content.decode()
        assert channel.secret in first
        assert channel.secret not in shown + again
        assert "hidden-word" not in first + again + shown
        assert "https://erp.example.com/***" in shown

    @pytest.mark.usefixtures("role_groups")
    def test_hide_the_address_from_who_may_only_look(self, client: Client) -> None:
        site = make_site()
        whole = make_channel(address="https://erp.example.com/hidden-word", site=None)
        amir = make_user("amir", role="Site admin", sites=[site], is_staff=True)
        client.force_login(amir)

        shown = client.get(page("alertchannel", whole))
        assert shown.status_code == 200
        assert "https://erp.example.com/***" in shown.content.decode()
        assert "hidden-word" not in shown.content.decode()

    def test_keep_the_address_until_it_is_typed_anew(
        self, admin_client: Client
    ) -> None:
        channel = make_channel(address="https://erp.example.com/hidden-word")
        address = page("alertchannel", channel)

        kept = channel_values(name="Renamed", address="https://erp.example.com/***")
        assert admin_client.post(address, kept).status_code == 302
        channel.refresh_from_db()
        assert channel.name == "Renamed"
        assert channel.address == "https://erp.example.com/hidden-word"
        half = channel_values(address="https://evil.example.com/***")
        refused = admin_client.post(address, half)
        assert "Type the whole address" in refused.content.decode()
        new = channel_values(address="https://erp.example.com/new")
        admin_client.post(address, new)

        channel.refresh_from_db()
        assert channel.address == "https://erp.example.com/new"

    @pytest.mark.parametrize(
        ("kind", "address", "sentence"),
        [
            ("webhook", "erp.example.com", "https://host/path"),
            ("webhook", "http://169.254.169.254/", "keeps for itself"),
            ("apprise", "https-ish words", "no service that is known"),
        ],
    )
    def test_say_what_is_wrong_with_an_address(
        self, admin_client: Client, kind: str, address: str, sentence: str
    ) -> None:
        response = admin_client.post(
            page("alertchannel"), channel_values(kind=kind, address=address)
        )

        assert sentence in response.content.decode()
        assert not AlertChannel.objects.exists()

    def test_are_mended_after_the_key_changed(self, admin_client: Client) -> None:
        channel = make_channel()
        AlertChannel.objects.update(address=Unreadable("gAAAAA-of-another-key"))

        listed = admin_client.get(page("alertchannel_list")).content.decode()
        admin_client.post(page("alertchannel", channel), channel_values())

        channel.refresh_from_db()
        assert "encrypted with another key" in listed
        assert channel.address == "https://erp.example.com/hidden-word"

    def test_are_tried_from_the_list(
        self, admin_client: Client, receiver: Receiver
    ) -> None:
        good = make_channel(name="ERP", address=receiver.address)
        bad = make_channel(name="Old ERP")

        response = act(admin_client, "alertchannel", "send_test", good, bad)

        assert "ERP: The receiver answered 200." in said(response)
        assert "Old ERP: The receiver could not be reached." in said(response)
        assert "hidden-word" not in said(response)
        assert len(receiver.bodies) == 1

    def test_get_a_new_secret_from_those_who_may(
        self, amir: Client, site: Site
    ) -> None:
        own, whole = make_channel(site=site), make_channel()

        response = act(amir, "alertchannel", "make_new_secret", own, whole)

        before = own.secret, whole.secret
        own.refresh_from_db()
        whole.refresh_from_db()
        assert own.secret != before[0]
        assert whole.secret == before[1]
        assert own.secret in said(response)
        assert "for a superuser" in said(response)

    def test_with_a_log_stay(self, admin_client: Client) -> None:
        channel = make_channel()
        make_delivery(channel)

        act(admin_client, "alertchannel", "delete_selected", channel)

        assert AlertChannel.objects.filter(pk=channel.pk).exists()


def make_delivery(channel: AlertChannel, **values: Any) -> AlertDelivery:
    defaults = {
        "alert": make_alert(camera=None),
        "channel": channel,
        "event": AlertDelivery.Event.OPENED,
        "body": "{}",
        "created_at": timezone.now(),
    }
    return AlertDelivery.objects.create(**defaults | values)


class TestAlerts:
    @pytest.mark.parametrize("action", ["acknowledge", "resolve"])
    def test_are_handled_once_from_the_list(self, amir: Client, action: str) -> None:
        alerts = [make_alert(camera=None), make_alert(camera=None)]

        first = act(amir, "alert", action, *alerts)
        second = act(amir, "alert", action, alerts[0])

        assert "Alerts changed: 2." in said(first)
        assert f"amir {action}d it at" in said(second)
        assert {each.state for each in Alert.objects.all()} == {f"{action}d"}

    def test_are_closed_to_those_who_may_not_look(
        self, client: Client, site: Site
    ) -> None:
        client.force_login(make_user("nora", sites=[site], is_staff=True))

        assert client.get(page("alert_list")).status_code == 403
        assert client.get(page("alertdelivery_list")).status_code == 403

    def test_open_and_lead_to_their_page(self, amir: Client, site: Site) -> None:
        alert = make_alert(camera=make_camera(site=site))
        make_alert(text="Their gate is out.")

        listed = amir.get(page("alert_list")).content.decode()
        shown = amir.get(page("alert", alert)).content.decode()

        assert alert.text in listed
        assert "Their gate" not in listed
        assert "IST" in shown
        assert amir.post(page("alert", alert), {"text": "x"}).status_code == 403

    def test_ask_no_more_for_more_rows(self, admin_client: Client) -> None:
        make_alert()
        admin_client.get(page("alert_list"))
        with CaptureQueriesContext(connection) as for_one:
            admin_client.get(page("alert_list"))
        for camera in (make_camera(), None):
            make_alert(camera=camera)

        with CaptureQueriesContext(connection) as for_three:
            admin_client.get(page("alert_list"))

        assert len(for_three) == len(for_one)


class TestDeliveries:
    def test_are_sent_again_from_the_list(
        self, amir: Client, receiver: Receiver
    ) -> None:
        channel = make_channel(address=receiver.address)
        row = make_delivery(channel, state=AlertDelivery.State.FAILED, answer="No.")

        response = act(amir, "alertdelivery", "send_again", row)

        assert "To be sent again: 1." in said(response)
        row.refresh_from_db()
        assert (row.state, row.attempts) == ("pending", 0)

    def test_show_what_was_sent_and_what_came_of_it(self, amir: Client) -> None:
        row = make_delivery(make_channel(), answer="The receiver answered 500.")

        shown = amir.get(page("alertdelivery", row)).content.decode()

        assert "The receiver answered 500." in shown
        assert str(row.event_id) in shown
        assert "hidden-word" not in shown
