"""Barriers opened for visits and by people."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from alerts.models import Alert
from alerts.models import Kind as AlertKind
from streaming.fields import Unreadable
from tests.barrier_server import barrier_server
from tests.broker import broker, listening
from tests.factories import make_rule, make_user
from tests.vehicles.offers import NOW, PLATE, gate_camera, offer
from vehicles import barrier
from vehicles.barrier import Callers, NotOpened, open_by_hand, open_for
from vehicles.models import BarrierCall, Gate, Vehicle, VehicleLog
from vehicles.services import record_visit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_django import Settings

    from streaming.models import Camera
    from tests.barrier_server import Barrier
    from vehicles.pipeline import PlateOffered

SECRET = "hidden-word"


@pytest.fixture(autouse=True)
def _pictures(settings: Settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def server() -> Iterator[Barrier]:
    with barrier_server() as server:
        yield server


@pytest.fixture
def finished() -> Iterator[None]:
    """Leave no thread at work in the database when a test is over."""
    yield
    assert barrier.finish(10)


def at_barrier(server: Barrier, **values: Any) -> Camera:
    """Make a camera at a gate whose barrier is told with a password."""
    address = server.url.replace("//", f"//gate:{SECRET}@")
    return gate_camera(driver="http", address=address, **values)


def gate_of(camera: Camera) -> Gate:
    return camera.gate_camera.gate


def let_in(camera: Camera, **values: Any) -> VehicleLog:
    """Make a visit that opens, whose barrier was not told yet."""
    Vehicle.objects.create(site=camera.site, plate_number=PLATE)
    log = record_visit(event=offer(camera, PLATE, PLATE))
    assert log is not None
    assert log.opens
    VehicleLog.objects.filter(pk=log.pk).update(**values)
    return log


def just_now(camera: Camera, *texts: str, **values: Any) -> PlateOffered:
    now = timezone.now()
    return offer(camera, *texts, **{"first_seen_at": now, "at": now} | values)


@pytest.mark.django_db
class TestOpenFor:
    @pytest.mark.parametrize("after_s", [-1, 0, 4])
    def test_tells_the_barrier_once(self, server: Barrier, after_s: float) -> None:
        log = let_in(at_barrier(server))
        now = NOW + timedelta(seconds=after_s)

        first = open_for(log_id=log.pk, decided_at=NOW, stored_at=NOW, now=now)
        again = open_for(log_id=log.pk, decided_at=NOW, stored_at=NOW, now=now)
        assert first is not None
        assert first == again
        assert (first.result, first.answer) == ("opened", "It answered 200.")
        assert (first.gate, first.log) == (log.gate, log)
        assert (first.asked_by, first.asked_at) == (None, now)
        assert len(server.told) == 1

    @pytest.mark.parametrize("after_s", [5, 3600])
    def test_opens_nothing_late(self, server: Barrier, after_s: float) -> None:
        log = let_in(at_barrier(server))

        now = NOW + timedelta(seconds=after_s)
        call = open_for(log_id=log.pk, decided_at=NOW, stored_at=NOW, now=now)
        assert call is not None
        assert call.result == "failed"
        assert call.answer.startswith("Too late")
        assert server.told == []

    def test_never_tries_again(self) -> None:
        with barrier_server(status=500) as server:
            log = let_in(at_barrier(server))
            calls = [
                open_for(log_id=log.pk, decided_at=NOW, stored_at=NOW, now=NOW)
                for _ in range(2)
            ]

        assert [call and call.answer for call in calls] == ["It answered 500."] * 2
        assert len(server.told) == 1

    def test_opens_nothing_for_what_was_blocked_meanwhile(
        self, server: Barrier
    ) -> None:
        log = let_in(at_barrier(server))
        Vehicle.objects.update(status="blocked", reason="Stolen")

        call = open_for(log_id=log.pk, decided_at=NOW, stored_at=NOW, now=NOW)
        assert call is not None
        assert (call.result, call.answer) == (
            "failed",
            "The vehicle was blocked meanwhile.",
        )
        assert server.told == []

    def test_opens_nothing_for_an_unknown_plate_that_was_blocked_meanwhile(
        self, server: Barrier
    ) -> None:
        camera = at_barrier(server, opens_for_unknown=True)
        log = record_visit(event=offer(camera, PLATE, PLATE))
        assert log is not None
        assert log.opens
        Vehicle.objects.create(
            site=camera.site, plate_number=PLATE, status="blocked", reason="Stolen"
        )

        call = open_for(log_id=log.pk, decided_at=NOW, stored_at=NOW, now=NOW)
        assert call is not None
        assert call.answer == "The vehicle was blocked meanwhile."
        assert server.told == []

    def test_opens_no_gate_that_was_switched_off_meanwhile(
        self, server: Barrier
    ) -> None:
        log = let_in(at_barrier(server))
        Gate.objects.update(enabled=False)

        call = open_for(log_id=log.pk, decided_at=NOW, stored_at=NOW, now=NOW)
        assert call is not None
        assert call.answer == "The gate was switched off meanwhile."
        assert server.told == []

    @pytest.mark.parametrize("values", [{"opens": False}, {"gate": None}])
    def test_opens_nothing_for_others(self, server: Barrier, values: Any) -> None:
        log = let_in(at_barrier(server), **values)

        assert open_for(log_id=log.pk, decided_at=NOW, stored_at=NOW, now=NOW) is None
        assert server.told == []
        assert not BarrierCall.objects.exists()

    def test_tells_nobody_where_there_is_no_barrier(self) -> None:
        log = let_in(gate_camera())

        assert open_for(log_id=log.pk, decided_at=NOW, stored_at=NOW, now=NOW) is None
        assert not BarrierCall.objects.exists()

    @pytest.mark.parametrize(
        ("address", "words"),
        [
            (f"file:///etc/{SECRET}", "Write http://"),
            (f"http://gate:{SECRET}@169.254.169.254/", "keeps for itself"),
            (f"http://gate:{SECRET}@127.0.0.1:1/{SECRET}", "refused the connection"),
        ],
    )
    def test_says_what_failed_without_a_secret(
        self, address: str, words: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        log = let_in(gate_camera(driver="http", address=address))

        call = open_for(log_id=log.pk, decided_at=NOW, stored_at=NOW, now=NOW)
        assert call is not None
        assert call.result == "failed"
        assert words in call.answer
        assert words in caplog.text
        assert SECRET not in call.answer + caplog.text

    def test_says_when_the_address_cannot_be_read(
        self, server: Barrier, settings: Settings
    ) -> None:
        log = let_in(at_barrier(server))
        settings.SECRET_KEY = "another"

        call = open_for(log_id=log.pk, decided_at=NOW, stored_at=NOW, now=NOW)
        assert call is not None
        assert isinstance(Gate.objects.get().address, Unreadable)
        assert call.answer == barrier.UNREADABLE

    def test_keeps_the_call_when_the_process_ends_in_it(
        self, server: Barrier, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def end(*_: object, **__: object) -> None:
            raise SystemExit

        log = let_in(at_barrier(server))
        monkeypatch.setattr(barrier, "open_barrier", end)
        with pytest.raises(SystemExit):
            open_for(log_id=log.pk, decided_at=NOW, stored_at=NOW, now=NOW)

        call = BarrierCall.objects.get()
        assert (call.result, call.answer) == ("failed", barrier.NO_WORD)

    def test_opens_over_mqtt(self, tmp_path: Path) -> None:
        with broker(tmp_path) as port, listening(port, "gate-1/open") as listener:
            address = f"mqtt://127.0.0.1:{port}/gate-1/open"
            log = let_in(gate_camera(driver="mqtt", address=address, payload="up"))
            call = open_for(log_id=log.pk, decided_at=NOW, stored_at=NOW, now=NOW)
            assert listener.was_told.wait(10)

        assert call is not None
        assert (call.result, call.answer) == ("opened", "The broker acknowledged it.")
        assert listener.told == ["up"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("finished")
class TestRecordedVisit:
    def test_opens_its_gate(self, server: Barrier) -> None:
        camera = at_barrier(server)
        Vehicle.objects.create(site=camera.site, plate_number=PLATE)

        log = record_visit(event=just_now(camera, PLATE, PLATE))
        assert barrier.finish(10)
        call = BarrierCall.objects.get()
        assert (call.log, call.result) == (log, "opened")
        assert [told.payload for told in server.told] == ["open"]

    def test_opens_it_once_however_many_record_it(self, server: Barrier) -> None:
        camera = at_barrier(server)
        Vehicle.objects.create(site=camera.site, plate_number=PLATE)
        one = just_now(camera, PLATE, PLATE)
        again = just_now(camera, PLATE, PLATE, track_id=2)

        def record(event: PlateOffered) -> None:
            try:
                record_visit(event=event)
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as workers:
            list(workers.map(record, [one, again] * 4))
        assert barrier.finish(10)

        assert VehicleLog.objects.count() == 1
        assert len(server.told) == BarrierCall.objects.count() == 1

    @pytest.mark.parametrize(
        ("status", "texts", "sure"),
        [
            ("blocked", (PLATE, PLATE), 0.95),
            ("blocked", ("MHI2ABI234", PLATE), 0.95),
            ("authorized", (PLATE, PLATE), 0.5),
            ("authorized", (PLATE,), 0.95),
        ],
    )
    def test_opens_nothing_for_a_blocked_vehicle_or_one_not_read(
        self, server: Barrier, status: str, texts: tuple[str, ...], sure: float
    ) -> None:
        camera = at_barrier(server, opens_for_unknown=True)
        Vehicle.objects.create(
            site=camera.site, plate_number=PLATE, status=status, reason="Stolen"
        )

        record_visit(event=just_now(camera, *texts, sure=sure))
        assert barrier.finish(10)
        assert server.told == []
        assert not BarrierCall.objects.exists()

    def test_opens_once_a_later_picture_is_sure(self, server: Barrier) -> None:
        camera = at_barrier(server)
        Vehicle.objects.create(site=camera.site, plate_number=PLATE)

        for texts in ((PLATE,), (PLATE, PLATE), (PLATE, PLATE)):
            record_visit(event=just_now(camera, *texts))
        assert barrier.finish(10)
        assert len(server.told) == 1

    def test_opens_by_the_last_picture_whichever_was_clearest(
        self, server: Barrier
    ) -> None:
        camera = at_barrier(server)
        Vehicle.objects.create(site=camera.site, plate_number=PLATE)
        event = just_now(camera, PLATE, PLATE)
        before = event.at - timedelta(minutes=1)

        record_visit(event=replace(event, first_seen_at=before, at=before))
        assert barrier.finish(10)
        assert len(server.told) == 1

    def test_that_is_recorded_late_opens_nothing(self, server: Barrier) -> None:
        camera = at_barrier(server)
        Vehicle.objects.create(site=camera.site, plate_number=PLATE)

        record_visit(event=offer(camera, PLATE, PLATE))
        assert barrier.finish(10)
        call = BarrierCall.objects.get()
        assert (call.result, call.answer[:8]) == ("failed", "Too late")
        assert server.told == []

    def test_whose_barrier_fails_has_an_alert_until_one_opens(self) -> None:
        make_rule(kind=AlertKind.BARRIER_FAILED)
        with barrier_server(status=500) as server:
            camera = at_barrier(server)
            Vehicle.objects.create(site=camera.site, plate_number=PLATE)
            record_visit(event=just_now(camera, PLATE, PLATE))
            assert barrier.finish(10)
            alert = Alert.objects.get()
            assert alert.text.endswith("It answered 500.")

            server.status = 200
            Vehicle.objects.create(site=camera.site, plate_number="MH12AB1235")
            next_one = just_now(camera, "MH12AB1235", "MH12AB1235", track_id=2)
            record_visit(event=next_one)
            assert barrier.finish(10)
        alert.refresh_from_db()
        assert alert.state == "resolved"

    def test_opens_its_gate_when_it_is_stored(self, server: Barrier) -> None:
        camera = at_barrier(server)
        Vehicle.objects.create(site=camera.site, plate_number=PLATE)

        with transaction.atomic():
            record_visit(event=just_now(camera, PLATE, PLATE))
            assert barrier.finish(10)
            assert server.told == []
        assert barrier.finish(10)
        assert len(server.told) == 1

    def test_that_is_not_stored_opens_nothing(self, server: Barrier) -> None:
        camera = at_barrier(server)
        Vehicle.objects.create(site=camera.site, plate_number=PLATE)

        with transaction.atomic():
            record_visit(event=just_now(camera, PLATE, PLATE))
            transaction.set_rollback(True)
        assert barrier.finish(10)
        assert server.told == []

    def test_waits_for_no_barrier(self) -> None:
        with barrier_server(slow_s=1) as server:
            camera = at_barrier(server)
            Vehicle.objects.create(site=camera.site, plate_number=PLATE)

            log = record_visit(event=just_now(camera, PLATE, PLATE))
            assert not barrier.finish(0)
            assert barrier.finish(10)
        assert BarrierCall.objects.get(log=log).result == "opened"


@pytest.mark.django_db
class TestOpenByHand:
    def test_keeps_who_and_why(
        self, server: Barrier, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO")
        by, gate = make_user("sam"), gate_of(at_barrier(server))

        open_by_hand(gate=gate, by=by, reason=" Ambulance ", at=NOW)
        call = BarrierCall.objects.get()
        assert (call.asked_by, call.reason, call.asked_at) == (by, "Ambulance", NOW)
        assert (call.result, call.log) == ("opened", None)
        assert len(server.told) == 1
        assert "by hand by sam: Ambulance" in caplog.text
        assert SECRET not in caplog.text

    def test_may_be_done_again_for_the_same_visit(self, server: Barrier) -> None:
        by, log = make_user("sam"), let_in(at_barrier(server))
        assert log.gate is not None
        open_for(log_id=log.pk, decided_at=NOW, stored_at=NOW, now=NOW)

        for _ in range(2):
            open_by_hand(gate=log.gate, by=by, reason="It stood", at=NOW, log=log)
        assert log.barrier_calls.count() == len(server.told) == 3

    def test_keeps_what_failed(self) -> None:
        with barrier_server(status=503) as server:
            gate = gate_of(at_barrier(server))
            call = open_by_hand(
                gate=gate, by=make_user("sam"), reason="Visitor", at=NOW
            )

        call.refresh_from_db()
        assert (call.result, call.answer) == ("failed", "It answered 503.")

    def test_needs_a_reason(self, server: Barrier) -> None:
        gate = gate_of(at_barrier(server))

        with pytest.raises(NotOpened, match="Say why"):
            open_by_hand(gate=gate, by=make_user("sam"), reason=" ", at=NOW)
        assert server.told == []

    def test_needs_a_barrier(self) -> None:
        with pytest.raises(NotOpened, match="has no barrier"):
            open_by_hand(
                gate=gate_of(gate_camera()), by=make_user("sam"), reason="Rain", at=NOW
            )

    def test_is_for_a_vehicle_at_that_gate(self, server: Barrier) -> None:
        log, other = let_in(gate_camera()), gate_of(at_barrier(server))

        with pytest.raises(NotOpened, match="not at Gate"):
            open_by_hand(
                gate=other, by=make_user("sam"), reason="Rain", at=NOW, log=log
            )
        assert server.told == []


class TestCallers:
    def test_work_beside_each_other(self) -> None:
        callers, both = Callers(threads=2), threading.Barrier(2)

        for _ in range(2):
            callers.ask(lambda: both.wait(10))
        assert callers.finish(10)

    def test_go_on_after_an_error(self, caplog: pytest.LogCaptureFixture) -> None:
        callers, done = Callers(threads=1), threading.Event()

        callers.ask(lambda: 1 / 0)
        callers.ask(done.set)
        assert callers.finish(10)
        assert done.is_set()
        assert "A barrier was not told to open" in caplog.text

    def test_are_not_waited_for_without_end(self) -> None:
        callers, release = Callers(threads=1), threading.Event()

        callers.ask(lambda: release.wait(10))
        assert not callers.finish(0.05)
        release.set()
        assert callers.finish(10)
