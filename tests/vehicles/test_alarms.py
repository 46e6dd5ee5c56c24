"""Who is told of vehicles and barriers."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission

from alerts import services as alerts
from alerts.models import Alert, Kind
from factory_site import roles
from tests.barrier_server import barrier_server
from tests.factories import make_alert, make_rule, make_site, make_user
from tests.vehicles.offers import PLATE, gate_camera, offer
from vehicles import barrier
from vehicles.models import Vehicle
from vehicles.services import name_visit, record_visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from django.test import Client
    from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

    from streaming.models import Camera
    from vehicles.models import BarrierCall, Gate, VehicleLog
    from vehicles.pipeline import PlateOffered

    Commit = Callable[..., Any]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_client")]
NOON = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
"""12:00 in Kolkata."""
ALIKE = "MH12A81Z34"
SECRET = "hidden-word"


@pytest.fixture(autouse=True)
def _pictures(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def committed(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> Iterator[Commit]:
    """Return what runs something and then what waits for its commit."""

    def run(action: Callable[..., Any], **values: Any) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            return action(**values)

    yield run
    assert barrier.finish(10)


@pytest.fixture
def camera() -> Camera:
    camera = gate_camera()
    type(camera.site).objects.update(time_zone="Asia/Kolkata")
    camera.site.refresh_from_db()
    camera.gate_camera.gate.name = "Gate 1"
    camera.gate_camera.gate.save()
    return camera


def at(camera: Camera, *texts: str, seen_at: datetime = NOON, **values: Any) -> Any:
    times = {"first_seen_at": seen_at, "at": seen_at + timedelta(seconds=1)}
    return offer(camera, *texts, **times | values)


def block(camera: Camera, plate: str = PLATE, reason: str = "Stolen") -> Vehicle:
    return Vehicle.objects.create(
        site=camera.site, plate_number=plate, status="blocked", reason=reason
    )


def texts_of(kind: Kind) -> list[str]:
    rows = Alert.objects.filter(kind=kind).order_by("pk")
    return list(rows.values_list("text", flat=True))


class TestBlockedVehicle:
    def test_is_told_of_by_plate_reason_gate_and_site_time(
        self, camera: Camera, committed: Commit
    ) -> None:
        make_rule(kind=Kind.BLOCKED_VEHICLE, severity="critical")
        block(camera)

        event = at(camera, PLATE, PLATE)
        committed(record_visit, event=event)
        alert = Alert.objects.get()
        assert alert.text == (
            f"MH12AB1234, which is blocked (Stolen), is at Gate 1 ({camera.code}), "
            "2026-03-02 12:00 IST."
        )
        assert (alert.severity, alert.subject) == ("critical", PLATE)
        assert (alert.site, alert.camera) == (camera.site, camera)
        assert alert.opened_at == event.at

    def test_is_told_of_once_for_a_visit(
        self, camera: Camera, committed: Commit
    ) -> None:
        make_rule(kind=Kind.BLOCKED_VEHICLE)
        block(camera)
        first = at(camera, PLATE, PLATE)
        committed(record_visit, event=first)
        alerts.resolve(alert=Alert.objects.get(), at=NOON)

        later = NOON + timedelta(seconds=20)
        for event in (
            first,
            at(camera, PLATE, PLATE, PLATE, seen_at=later),
            at(camera, PLATE, PLATE, seen_at=later, track_id=2),
        ):
            committed(record_visit, event=event)
        assert Alert.objects.count() == 1

        tomorrow = NOON + timedelta(days=1)
        committed(
            record_visit, event=at(camera, PLATE, PLATE, seen_at=tomorrow, track_id=3)
        )
        assert Alert.objects.count() == 2

    def test_is_told_of_when_a_later_picture_is_sure(
        self, camera: Camera, committed: Commit
    ) -> None:
        make_rule(kind=Kind.BLOCKED_VEHICLE)
        block(camera)

        committed(record_visit, event=at(camera, PLATE))
        assert not Alert.objects.exists()
        committed(record_visit, event=at(camera, PLATE, PLATE))
        assert len(texts_of(Kind.BLOCKED_VEHICLE)) == 1

    def test_is_told_of_when_a_person_could_read_it(
        self, camera: Camera, committed: Commit
    ) -> None:
        for kind in (Kind.BLOCKED_VEHICLE, Kind.UNKNOWN_VEHICLE):
            make_rule(kind=kind)
        block(camera)
        logs = [
            committed(record_visit, event=at(camera, track_id=track))
            for track in range(3)
        ]

        by, day = make_user("sam"), NOON + timedelta(days=1)
        for log, plate in zip(logs, (PLATE, PLATE, "MH12AB1235"), strict=True):
            committed(name_visit, log=log, plate=plate, by=by, at=day)
        alert = Alert.objects.get()
        assert alert.text == (
            f"MH12AB1234, which is blocked (Stolen), was at Gate 1 ({camera.code}), "
            "2026-03-02 12:00 IST: sam read its plate."
        )
        assert alert.opened_at == day

    def test_is_told_of_in_a_line_however_long_the_reason(
        self, camera: Camera, committed: Commit
    ) -> None:
        make_rule(kind=Kind.BLOCKED_VEHICLE)
        block(camera, reason="Took copper.\nTwice. " + "And more of it " * 90)

        committed(record_visit, event=at(camera, PLATE, PLATE))
        (text,) = texts_of(Kind.BLOCKED_VEHICLE)
        assert "(Took copper. Twice. And more" in text
        assert "\n" not in text
        assert len(text) < 250

    def test_is_nobodys_news_where_no_rule_asks(
        self, camera: Camera, committed: Commit
    ) -> None:
        make_rule(kind=Kind.BLOCKED_VEHICLE, site=make_site())
        block(camera)
        committed(record_visit, event=at(camera, PLATE, PLATE))
        assert not Alert.objects.exists()

    def test_is_stored_though_nobody_could_be_told(
        self,
        camera: Camera,
        committed: Commit,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def fail(**_: object) -> None:
            raise RuntimeError("No alerts today.")

        monkeypatch.setattr("vehicles.alarms.raise_alert", fail)
        block(camera)

        log = committed(record_visit, event=at(camera, PLATE, PLATE))
        log.refresh_from_db()
        assert log.status == "blocked"
        assert "No alerts today." in caplog.text


class TestPossibleBlockedVehicle:
    @pytest.fixture(autouse=True)
    def _rule(self, camera: Camera) -> None:
        make_rule(kind=Kind.POSSIBLE_BLOCKED_VEHICLE)
        camera.site.plate_formats.create(name="Any", pattern="[A-Z0-9]{9,10}")
        block(camera)

    @pytest.mark.parametrize(
        ("read", "sure", "words"),
        [
            (ALIKE, 0.95, "MH12A81Z34 was read"),
            (ALIKE, 0.5, "MH12A81Z34 was read, not for sure"),
            (PLATE, 0.5, "MH12AB1234 was read, not for sure"),
        ],
    )
    def test_is_told_of_with_what_was_read(
        self, camera: Camera, committed: Commit, read: str, sure: float, words: str
    ) -> None:
        committed(record_visit, event=at(camera, read, read, sure=sure))
        alert = Alert.objects.get()
        assert alert.text == (
            f"A vehicle at Gate 1 ({camera.code}), 2026-03-02 12:00 IST may be "
            f"MH12AB1234, which is blocked (Stolen): {words}. Look at it."
        )
        assert alert.subject == read

    @pytest.mark.parametrize(
        ("read", "sure"), [(PLATE, 0.95), ("MH12AB1235", 0.5), ("MH12AB123", 0.95)]
    )
    def test_is_not_another_plate_nor_the_blocked_one_itself(
        self, camera: Camera, committed: Commit, read: str, sure: float
    ) -> None:
        committed(record_visit, event=at(camera, read, read, sure=sure))
        assert not Alert.objects.exists()

    def test_is_told_of_for_a_registered_vehicle_as_well(
        self, camera: Camera, committed: Commit
    ) -> None:
        Vehicle.objects.create(site=camera.site, plate_number=ALIKE)

        log = committed(record_visit, event=at(camera, ALIKE, ALIKE))
        assert log.status == "authorized"
        assert len(texts_of(Kind.POSSIBLE_BLOCKED_VEHICLE)) == 1

    def test_is_told_of_once_for_a_visit(
        self, camera: Camera, committed: Commit
    ) -> None:
        for texts, sure in [
            ((PLATE, PLATE), 0.5),
            ((PLATE, PLATE, PLATE), 0.5),
            ((ALIKE, ALIKE, ALIKE, ALIKE), 0.95),
        ]:
            committed(record_visit, event=at(camera, *texts, sure=sure))
            for alert in Alert.objects.unresolved():
                alerts.resolve(alert=alert, at=NOON)
        assert len(texts_of(Kind.POSSIBLE_BLOCKED_VEHICLE)) == 1

    def test_is_told_of_once_it_looks_like_one(
        self, camera: Camera, committed: Commit
    ) -> None:
        committed(record_visit, event=at(camera, "XX"))
        assert not Alert.objects.exists()
        committed(record_visit, event=at(camera, "XX", ALIKE, ALIKE))
        assert Alert.objects.count() == 1


class TestUnknownVehicle:
    @pytest.mark.parametrize(
        ("values", "words"),
        [
            (None, "which is not registered"),
            ({"valid_until": NOON}, "whose permission is over"),
            (
                {"valid_from": NOON + timedelta(days=1)},
                "whose permission has not begun",
            ),
        ],
    )
    def test_is_told_of_with_why(
        self,
        camera: Camera,
        committed: Commit,
        values: dict[str, Any] | None,
        words: str,
    ) -> None:
        make_rule(kind=Kind.UNKNOWN_VEHICLE)
        if values is not None:
            Vehicle.objects.create(site=camera.site, plate_number=PLATE, **values)

        committed(record_visit, event=at(camera, PLATE, PLATE))
        alert = Alert.objects.get()
        assert alert.text == (
            f"MH12AB1234, {words}, is at Gate 1 ({camera.code}), 2026-03-02 12:00 IST."
        )
        assert alert.subject == PLATE

    @pytest.mark.parametrize(
        ("hours", "is_told"),
        [(-0.1, False), (0, True), (7, True), (7.9, True), (8, False), (14, False)],
    )
    def test_is_told_of_in_the_hours_at_which_it_was_there(
        self, camera: Camera, committed: Commit, hours: float, *, is_told: bool
    ) -> None:
        make_rule(kind=Kind.UNKNOWN_VEHICLE, from_time=time(22, 0), to_time=time(6, 0))
        ten_at_night = datetime(2026, 3, 2, 16, 30, tzinfo=UTC)

        seen_at = ten_at_night + timedelta(hours=hours)
        committed(record_visit, event=at(camera, PLATE, PLATE, seen_at=seen_at))
        assert Alert.objects.exists() is is_told

    @pytest.mark.parametrize("sure", [0.95, 0.5])
    def test_is_neither_known_nor_one_that_was_not_read(
        self, camera: Camera, committed: Commit, sure: float
    ) -> None:
        make_rule(kind=Kind.UNKNOWN_VEHICLE)
        Vehicle.objects.create(site=camera.site, plate_number=PLATE)
        committed(record_visit, event=at(camera, PLATE, PLATE, sure=sure))
        assert not Alert.objects.exists()

    def test_is_told_of_at_a_camera_without_a_gate(
        self, camera: Camera, committed: Commit
    ) -> None:
        make_rule(kind=Kind.UNKNOWN_VEHICLE)
        camera.gate_camera.delete()

        committed(record_visit, event=at(camera, PLATE, PLATE))
        (text,) = texts_of(Kind.UNKNOWN_VEHICLE)
        assert f"is at {camera.name} ({camera.code})," in text


class TestBarrierFailed:
    @pytest.fixture(autouse=True)
    def _rule(self) -> None:
        make_rule(kind=Kind.BARRIER_FAILED)

    @pytest.fixture
    def by_hand(
        self, camera: Camera, committed: Commit
    ) -> Callable[[str], BarrierCall]:
        """Return what opens the camera's gate, whose barrier is at an address."""
        gate, by = camera.gate_camera.gate, make_user("sam")

        def open_gate(address: str) -> BarrierCall:
            call: BarrierCall = committed(
                barrier.open_by_hand,
                gate=with_barrier(gate, address),
                by=by,
                reason="Rain",
                at=NOON,
            )
            return call

        return open_gate

    def test_is_told_of_by_gate_time_and_answer(
        self, camera: Camera, by_hand: Callable[[str], BarrierCall]
    ) -> None:
        with barrier_server(status=500) as server:
            call = by_hand(server.url)

        alert = Alert.objects.get()
        assert alert.text == (
            "The barrier of Gate 1 did not open, 2026-03-02 12:00 IST: It answered 500."
        )
        assert (alert.subject, alert.site, alert.camera) == (
            "Gate 1",
            camera.site,
            None,
        )
        assert alert.opened_at == NOON + timedelta(milliseconds=call.took_ms)

    def test_ends_when_it_opens_again(
        self, by_hand: Callable[[str], BarrierCall]
    ) -> None:
        elsewhere = make_alert(
            camera=None,
            site=make_site(),
            kind=Kind.BARRIER_FAILED,
            subject="Gate 1",
        )
        with barrier_server(status=500) as server:
            by_hand(server.url)
            by_hand(server.url)
        alert = Alert.objects.exclude(pk=elsewhere.pk).get()
        assert alert.state == "open"

        with barrier_server() as server:
            call = by_hand(server.url)
        alert.refresh_from_db()
        elsewhere.refresh_from_db()
        assert (alert.state, alert.resolved_by) == ("resolved", None)
        assert alert.resolved_at == NOON + timedelta(milliseconds=call.took_ms)
        assert elsewhere.state == "open"

    @pytest.mark.parametrize(
        "address",
        [
            f"http://gate:{SECRET}@127.0.0.1:1/{SECRET}",
            f"mqtt://gate:{SECRET}@127.0.0.1:1/{SECRET}",
            f"http://gate:{SECRET}@{SECRET}.invalid/open",
            f"http://gate:{SECRET}@169.254.169.254/{SECRET}",
            f"file:///{SECRET}",
        ],
    )
    def test_is_told_of_without_the_barriers_address(
        self, by_hand: Callable[[str], BarrierCall], address: str
    ) -> None:
        by_hand(address)
        (text,) = texts_of(Kind.BARRIER_FAILED)
        for part in (SECRET, "127.0.0.1", "169.254", "invalid", "://gate"):
            assert part not in text

    def test_is_told_of_when_it_is_too_late_for_a_visit(
        self, camera: Camera, committed: Commit
    ) -> None:
        log = let_in(camera, at(camera, PLATE, PLATE))

        late = NOON + timedelta(seconds=9)
        committed(
            barrier.open_for, log_id=log.pk, decided_at=NOON, stored_at=NOON, now=late
        )
        alert = Alert.objects.get()
        assert "Gate 1 did not open, 2026-03-02 12:00 IST: Too late" in alert.text
        assert alert.camera == camera

    def test_is_no_barrier_that_was_asked_when_the_picture_was_old(
        self, camera: Camera, committed: Commit
    ) -> None:
        log = let_in(camera, at(camera, PLATE, PLATE))

        late = NOON + timedelta(hours=1)
        times = {"decided_at": NOON, "stored_at": late, "now": late}
        call = committed(barrier.open_for, log_id=log.pk, **times)
        assert (call.result, call.answer) == ("failed", barrier.TOO_OLD)
        assert not Alert.objects.exists()

    @pytest.mark.parametrize(
        "meanwhile",
        [
            lambda log: Vehicle.objects.update(status="blocked", reason="Stolen"),
            lambda log: type(log.gate).objects.update(enabled=False),
            lambda log: type(log).objects.update(denied_at=NOON, denied_reason="-"),
        ],
    )
    def test_is_not_a_barrier_that_was_not_to_open_any_more(
        self, camera: Camera, committed: Commit, meanwhile: Callable[[VehicleLog], int]
    ) -> None:
        log = let_in(camera, at(camera, PLATE, PLATE))
        meanwhile(log)

        call = committed(
            barrier.open_for, log_id=log.pk, decided_at=NOON, stored_at=NOON, now=NOON
        )
        assert (call.result, call.answer[-10:]) == ("failed", "meanwhile.")
        assert not Alert.objects.exists()


def with_barrier(gate: Gate, address: str) -> Gate:
    gate.driver, gate.address = address.split(":")[0].replace("file", "http"), address
    gate.save()
    return gate


def let_in(camera: Camera, event: PlateOffered) -> VehicleLog:
    """Make a visit that opens, whose barrier was not told yet."""
    with_barrier(camera.gate_camera.gate, "http://127.0.0.1:1/open")
    Vehicle.objects.create(site=camera.site, plate_number=PLATE)
    log = record_visit(event=event)
    assert log is not None
    return log


class TestAlertPage:
    @pytest.mark.parametrize(
        ("kind", "subject", "link"),
        [
            (Kind.BLOCKED_VEHICLE, PLATE, f"/gates?q={PLATE}"),
            (Kind.POSSIBLE_BLOCKED_VEHICLE, ALIKE, f"/gates?q={ALIKE}"),
            (Kind.UNKNOWN_VEHICLE, PLATE, f"/gates?q={PLATE}"),
            (Kind.BARRIER_FAILED, "Gate 1", "/gates"),
        ],
    )
    def test_leads_to_the_visits_for_those_who_may_see_them(
        self,
        camera: Camera,
        kind: Kind,
        subject: str,
        link: str,
        role_groups: None,
        client: Client,
    ) -> None:
        alert = make_alert(camera=camera, kind=kind, subject=subject)
        client.force_login(make_user("sam", role=roles.SECURITY, sites=[camera.site]))
        for address in ("/alerts", f"/alerts/{alert.pk}"):
            place = client.get(address).content.decode()
            assert f', <a href="{link}">' in place

        allowed = Permission.objects.get(
            codename="view_vehiclelog", content_type__app_label="vehicles"
        )
        allowed.group_set.clear()
        assert f', <a href="{link}">' not in client.get("/alerts").content.decode()
