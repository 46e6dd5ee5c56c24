from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection, transaction

from alerts.models import Alert, Kind
from identity.models import AccessLog, Employee, UnknownPerson
from identity.rules import Outcome, Policy, Verdict
from identity.services import extend_visit, record_access, snapshot_name
from streaming.models import Camera
from tests.factories import (
    FACE_MODEL,
    make_access_log,
    make_camera,
    make_employee,
    make_rule,
    make_site,
    make_vector,
    make_vector_like,
)
from tests.offers import make_offer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_django import Settings

    from identity.pipeline import FaceOffered

pytestmark = pytest.mark.django_db
POLICY = Policy(threshold=0.42, margin=0.08)
STRANGER = Verdict(Outcome.UNKNOWN, None, 0.2, 0.1, 3)
TWINS = Verdict(Outcome.AMBIGUOUS, None, 0.8, 0.79, 3)
NOON = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def is_of(employee: Employee) -> Verdict:
    return Verdict(Outcome.MATCH, employee.pk, 0.7, 0.1, 3)


def seen_at(camera: Camera, **values: Any) -> FaceOffered:
    return make_offer(**{"camera": camera.code, "at": NOON} | values)


def record(offer: FaceOffered, verdict: Verdict, **values: Any) -> AccessLog:
    defaults: dict[str, Any] = {
        "engine": "local",
        "policy": POLICY,
        "vector": make_vector(),
        "face_model": FACE_MODEL,
        "quality": 0.8,
        "alike_from": 0.5,
    }
    return record_access(offer=offer, verdict=verdict, **defaults | values)


def files(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(folder)) for path in found)


class TestRecordAccess:
    def test_stores_who_was_recognised_with_what_it_rests_on(self) -> None:
        employee = make_employee()
        camera = make_camera(site=employee.site, direction="entry")
        offer, vector = seen_at(camera), make_vector()

        record(offer, is_of(employee), vector=vector)

        log = AccessLog.objects.get()
        assert (log.employee, log.decision) == (employee, "authorized")
        assert (log.event_id, log.track_id) == (offer.event_id, offer.track_id)
        assert (log.similarity, log.runner_up, log.votes) == (0.7, 0.1, 3)
        assert (log.threshold, log.margin, log.engine) == (0.42, 0.08, "local")
        assert (log.direction, log.x, log.y) == ("entry", 0.5, 0.8)
        assert log.embedding == pytest.approx(vector, abs=1e-6)
        assert log.occurred_at == log.last_seen_at == NOON

    @pytest.mark.parametrize(
        "values", [{"status": "inactive"}, {"is_authorized": False}]
    )
    def test_refuses_who_may_not_enter(self, values: dict[str, Any]) -> None:
        employee = make_employee(**values)
        camera = make_camera(site=employee.site)

        log = record(seen_at(camera), is_of(employee))

        assert (log.employee, log.decision) == (employee, "unauthorized")

    def test_takes_who_was_erased_meanwhile_for_a_stranger(self) -> None:
        employee = make_employee(status="inactive", erased_at=NOON)
        camera = make_camera(site=employee.site)

        log = record(seen_at(camera), is_of(employee))

        assert (log.employee, log.decision) == (None, "unknown")

    def test_takes_who_works_elsewhere_for_a_stranger(self) -> None:
        log = record(seen_at(make_camera()), is_of(make_employee()))

        assert (log.employee, log.decision) == (None, "unknown")

    def test_names_nobody_of_two_who_fit(self) -> None:
        log = record(seen_at(make_camera()), TWINS)

        assert (log.employee, log.decision) == (None, "ambiguous")
        assert log.unknown_person is None

    def test_groups_strangers_who_are_alike(self) -> None:
        camera, face = make_camera(), make_vector()

        one = record(seen_at(camera), STRANGER, vector=face)
        same = make_vector_like(face, 0.9)
        other = record(seen_at(camera), STRANGER, vector=same)

        assert one.unknown_person is not None
        assert one.unknown_person == other.unknown_person
        assert UnknownPerson.objects.get().sightings == 2

    def test_stores_a_stranger_whose_face_cannot_be_compared(self) -> None:
        verdict = Verdict(Outcome.UNKNOWN, None, None, None, 0)

        record(seen_at(make_camera()), verdict, vector=None, quality=0.0)

        log = AccessLog.objects.get()
        assert (log.decision, log.votes, log.embedding) == ("unknown", 0, None)
        assert not UnknownPerson.objects.exists()

    def test_refuses_a_camera_that_is_gone(self, media: Path) -> None:
        with pytest.raises(Camera.DoesNotExist):
            record(make_offer(camera="CAM-GONE"), STRANGER)

        assert files(media) == []


class TestRepetition:
    """Of record_access: what comes twice, or goes on."""

    def test_stores_an_event_once_however_often_it_is_delivered(
        self, media: Path
    ) -> None:
        offer = seen_at(make_camera())

        first, again = record(offer, STRANGER), record(offer, TWINS)

        assert first == again
        assert AccessLog.objects.count() == 1
        assert len(files(media)) == 1
        assert UnknownPerson.objects.get().sightings == 1

    def test_prolongs_the_visit_of_the_same_person_on_the_same_track(
        self, media: Path
    ) -> None:
        employee = make_employee()
        camera = make_camera(site=employee.site)
        first = record(seen_at(camera, track_id=7), is_of(employee))

        later = seen_at(camera, track_id=7, at=NOON + MINUTE)
        assert record(later, is_of(employee)) == first

        log = AccessLog.objects.get()
        assert (log.occurred_at, log.last_seen_at) == (NOON, NOON + MINUTE)
        assert len(files(media)) == 1

    def test_prolongs_a_strangers_visit_that_was_named_meanwhile(self) -> None:
        camera = make_camera()
        first = record(seen_at(camera, track_id=7), STRANGER)
        named = make_employee(site=camera.site)
        AccessLog.objects.update(employee=named, linked_at=NOON)

        assert record(seen_at(camera, track_id=7), STRANGER) == first

    @pytest.mark.parametrize("late", [-MINUTE, MINUTE])
    def test_never_moves_the_end_of_a_visit_back(self, late: timedelta) -> None:
        camera = make_camera()
        record(seen_at(camera, track_id=7), STRANGER)

        record(seen_at(camera, track_id=7, at=NOON + late), STRANGER)

        assert AccessLog.objects.get().last_seen_at == max(NOON, NOON + late)

    @pytest.mark.parametrize("other", [{"track_id": 8}, {"session": "second"}], ids=str)
    def test_stores_another_track_by_itself(self, other: dict[str, Any]) -> None:
        camera = make_camera()
        record(seen_at(camera, track_id=7), STRANGER)

        record(seen_at(camera, **{"track_id": 7} | other), STRANGER)

        assert AccessLog.objects.count() == 2

    def test_stores_another_result_by_itself(self) -> None:
        employee = make_employee()
        camera = make_camera(site=employee.site)
        verdicts = [STRANGER, is_of(employee), is_of(make_employee(site=camera.site))]

        for verdict in verdicts:
            record(seen_at(camera, track_id=7), verdict)

        decisions = AccessLog.objects.order_by("id").values_list("decision", flat=True)
        assert list(decisions) == ["unknown", "authorized", "authorized"]


class TestSnapshots:
    """Of record_access: the pictures that rows hold."""

    def test_lies_under_day_and_time_of_the_site(self, media: Path) -> None:
        employee = make_employee(site=make_site(time_zone="Asia/Kolkata"))
        camera = make_camera(site=employee.site, code="CAM-A")
        late = datetime(2026, 3, 1, 20, 0, 5, tzinfo=UTC)

        known = record(seen_at(camera, track_id=7, at=late), is_of(employee))
        stranger = record(seen_at(camera, track_id=8, at=late), STRANGER)

        for log, folder in ((known, "known"), (stranger, "unknown")):
            day = f"snapshots/{folder}/2026-03-02"
            track = f"CAM-A-{log.track_id}-{log.event_id.hex[:8]}"
            assert log.snapshot.name == f"{day}/01-30-05-{track}.jpg"
            assert default_storage.open(log.snapshot.name).read() == b"a person"
            assert log.snapshot_bytes == len(b"a person")

    def test_has_a_name_that_fits_its_column(self) -> None:
        longest = Camera._meta.get_field("code").max_length or 0
        camera = make_camera(code="C" * longest)
        offer = seen_at(camera, track_id=2**63 - 1)

        name = snapshot_name(offer, camera=camera, is_known=False)

        limit = AccessLog._meta.get_field("snapshot").max_length
        assert limit is not None
        assert len(name) <= limit

    def test_is_none_where_the_stage_gave_none(self, media: Path) -> None:
        log = record(seen_at(make_camera(), snapshot=b""), STRANGER)

        assert (log.snapshot.name, log.snapshot_bytes) == ("", 0)
        assert files(media) == []

    def test_is_gone_when_its_row_is_not_stored(self, media: Path) -> None:
        with pytest.raises(IntegrityError):
            record(seen_at(make_camera(), track_id=-1), STRANGER)

        assert files(media) == []

    def test_is_not_worth_the_visit_where_the_disk_takes_no_file(
        self, media: Path
    ) -> None:
        (media / "snapshots").write_text("A file where a folder should be.")

        log = record(seen_at(make_camera()), STRANGER)

        assert (AccessLog.objects.get(), log.snapshot.name) == (log, "")


class TestLastSeen:
    """Of record_access: when an employee was last seen."""

    @pytest.mark.parametrize("late", [-MINUTE, MINUTE])
    def test_only_moves_forward(self, late: timedelta) -> None:
        employee = make_employee()
        camera = make_camera(site=employee.site)

        record(seen_at(camera), is_of(employee))
        record(seen_at(camera, at=NOON + late), is_of(employee))

        employee.refresh_from_db()
        assert employee.last_seen_at == max(NOON, NOON + late)


class TestExtendVisit:
    def test_notes_that_somebody_is_still_there(self) -> None:
        employee = make_employee()
        log = make_access_log(employee=employee, occurred_at=NOON)

        assert extend_visit(log_id=log.pk, at=NOON + MINUTE) == log

        log.refresh_from_db()
        employee.refresh_from_db()
        assert log.last_seen_at == employee.last_seen_at == NOON + MINUTE

    def test_knows_no_row_that_is_gone(self) -> None:
        assert extend_visit(log_id=0, at=NOON) is None

    @pytest.mark.parametrize(
        "values",
        [
            {"is_authorized": False},
            {"status": "inactive"},
            {"status": "inactive", "erased_at": NOON},
        ],
        ids=str,
    )
    def test_holds_no_longer_when_the_person_is_let_in_no_more(
        self, values: dict[str, Any]
    ) -> None:
        log = make_access_log(employee=make_employee(), occurred_at=NOON)
        Employee.objects.update(**values)

        assert extend_visit(log_id=log.pk, at=NOON + MINUTE) is None

        log.refresh_from_db()
        assert log.last_seen_at == NOON

    def test_holds_no_longer_when_a_refused_person_is_let_in(self) -> None:
        refused = make_employee(is_authorized=False)
        log = make_access_log(employee=refused, decision="unauthorized")
        assert extend_visit(log_id=log.pk, at=log.occurred_at) == log

        Employee.objects.update(is_authorized=True)

        assert extend_visit(log_id=log.pk, at=log.occurred_at) is None

    def test_holds_for_a_stranger_who_was_named_meanwhile(self) -> None:
        log = make_access_log()
        employee = make_employee(site=log.camera.site, status="inactive")
        AccessLog.objects.update(employee=employee, linked_at=NOON)

        assert extend_visit(log_id=log.pk, at=log.occurred_at) == log


class TestAnnouncements:
    """Of record_access: who hears of a new row."""

    def test_raises_the_alert_that_a_rule_asks_for_once_a_visit(
        self, django_capture_on_commit_callbacks: Callable[..., Any]
    ) -> None:
        make_rule(kind=Kind.UNKNOWN_PERSON)
        camera = make_camera()

        for at in (NOON, NOON + MINUTE):
            with django_capture_on_commit_callbacks(execute=True) as told:
                record(seen_at(camera, track_id=7, at=at), STRANGER)
            assert bool(told) == (at == NOON)

        assert Alert.objects.get().camera == camera

    def test_makes_the_same_queries_however_many_rows_there_are(
        self, django_assert_max_num_queries: Callable[[int], Any]
    ) -> None:
        employee = make_employee()
        camera = make_camera(site=employee.site)
        for _ in range(5):
            make_access_log(camera=camera, employee=employee)

        with django_assert_max_num_queries(10):
            record(seen_at(camera), is_of(employee))


@pytest.mark.django_db(transaction=True)
class TestSeveralAtOnce:
    """Of record_access: two workers with the same, or the same visit."""

    def test_store_an_event_once(self, media: Path) -> None:
        offer = seen_at(make_camera())

        together(*[lambda: record(offer, STRANGER)] * 4)

        log = AccessLog.objects.get()
        assert files(media) == [log.snapshot.name]

    def test_store_a_visit_once(self, media: Path) -> None:
        employee = make_employee()
        camera = make_camera(site=employee.site)
        offers = [seen_at(camera, track_id=7, at=NOON + n * MINUTE) for n in range(4)]

        together(
            *[lambda offer=each: record(offer, is_of(employee)) for each in offers]
        )

        log = AccessLog.objects.get()
        assert log.last_seen_at == NOON + 3 * MINUTE
        assert files(media) == [log.snapshot.name]

    def test_take_who_is_being_erased_for_a_stranger(self) -> None:
        employee = make_employee()
        camera = make_camera(site=employee.site)
        record_them = threading.Thread(
            target=closing(lambda: record(seen_at(camera), is_of(employee)))
        )
        with transaction.atomic():
            Employee.objects.filter(pk=employee.pk).update(
                status="inactive", erased_at=NOON
            )
            record_them.start()
            wait_until(lambda: somebody_waits() or not record_them.is_alive())
        record_them.join()

        log = AccessLog.objects.get()
        assert (log.employee, log.decision) == (None, "unknown")


def somebody_waits() -> bool:
    """Whether some transaction waits for what another one has locked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


def wait_until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def closing(call: Callable[[], object]) -> Callable[[], None]:
    """Return a call that leaves no connection of its thread open."""

    def run() -> None:
        try:
            call()
        finally:
            connection.close()

    return run


def together(*calls: Callable[[], object]) -> None:
    """Run the calls at the same time, each in a thread with its own connection."""
    barrier = threading.Barrier(len(calls))
    failures: list[Exception] = []

    def run(call: Callable[[], object]) -> None:
        try:
            barrier.wait()
            call()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=closing(partial(run, call))) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
