from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime
from io import StringIO
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections
from django.utils import timezone
from simple_history.utils import update_change_reason

from alerts.models import AlertDelivery, Kind
from attendance.models import (
    AttendanceCorrection,
    AttendanceRecord,
    CorrectionRequest,
    Leave,
    ShiftAssignment,
    UnknownAttendance,
)
from identity import engines, enrolment, erasure, face_work, gallery, photo_desk
from identity.models import (
    AccessLog,
    Department,
    Employee,
    Erasure,
    FaceSample,
    UnknownPerson,
)
from identity.register import NotPromoted, promote
from tests import cards
from tests.factories import (
    make_access_log,
    make_alert,
    make_assignment,
    make_camera,
    make_channel,
    make_employee,
    make_face_sample,
    make_site,
    make_unknown_person,
    make_user,
    make_vector,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import redis
    from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

    from tests.rekognition_server import RekognitionServer

    Erase = Callable[[], Erasure]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("photo_worker")]
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
CODE, NAME, EMAIL = "E-104", "José Ruiz Ortega", "jose.ruiz@plant.example"
EARLIER = "José Ortega"
PERSON = 7
"""Whose cards are theirs."""


@pytest.fixture(autouse=True)
def media(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def person() -> Employee:
    """Enrol somebody who has left traces wherever a person leaves any."""
    hana = make_user("hana")
    person = make_employee(code=CODE, name=EARLIER, email=EMAIL, notes="Likes tea.")
    person.department = Department.objects.create(site=person.site, name="Paint shop")
    person.name = NAME
    person.save()
    camera = make_camera(site=person.site)
    for number in range(2):
        photo_desk.enrol_photo(
            employee=person,
            photo=cards.card(PERSON, noise=0.2 * number, seed=number),
            by=hana,
        )
    for number in range(3):
        seen(camera, employee=person, notes=f"{NAME} was late." if number else "")
    stranger = make_unknown_person(
        site=person.site,
        embedding=vector(),
        face_model="cards",
        notes=f"{CODE}? Red cap.",
    )
    seen(camera, unknown_person=stranger)
    promote(unknown=stranger, employee=person, by=hana, at=NOW)
    alike = make_unknown_person(
        site=person.site, embedding=vector(), face_model="cards"
    )
    seen(camera, unknown_person=alike)
    alert = make_alert(
        camera=camera,
        kind=Kind.REFUSED_PERSON,
        subject=CODE,
        text=f"{CODE} {NAME} was refused at {camera.code}.",
        note=f"Called {EMAIL}.",
    )
    AlertDelivery.objects.create(
        alert=alert,
        channel=make_channel(),
        event="alert.opened",
        body=json.dumps({"text": f"{CODE} {NAME}", "old": EARLIER}),
        created_at=NOW,
    )
    LogEntry.objects.log_actions(
        hana.pk,
        [person],
        CHANGE,
        change_message=[{"changed": {"name": "photo", "object": NAME}}],
    )
    attend(person, words=f"Back pain, says {CODE}.")
    attend(make_employee(site=person.site), words=f"Stood in for {NAME}.")
    return person


def attend(person: Employee, *, words: str) -> None:
    """Have somebody work a day, of which people wrote these words."""
    make_assignment(employee=person)
    day = date(2026, 5, 1)
    leave = Leave.objects.create(
        employee=person, starts_on=day, ends_on=date(2026, 5, 30), notes=words
    )
    leave.save()
    update_change_reason(leave, words)
    record = AttendanceRecord.objects.create(
        employee=person,
        attendance_date=day,
        plan="work",
        status="absent",
        start_at=datetime(2026, 5, 1, 4, tzinfo=UTC),
        end_at=datetime(2026, 5, 1, 12, tzinfo=UTC),
        closes_at=datetime(2026, 5, 1, 16, tzinfo=UTC),
    )
    AttendanceCorrection.objects.create(
        record=record, made_at=NOW, reason=words, before={}, after={}
    )
    for state in ("open", "declined"):
        CorrectionRequest.objects.create(
            record=record, made_at=NOW, text=words, answer=words, state=state
        )


def vector() -> list[float]:
    (face,) = face_work.look(cards.card(PERSON, noise=0.1, seed=9)).faces
    return list(face.vector)


def seen(camera: Any, **values: Any) -> AccessLog:
    """Store a visit with its picture."""
    name = f"snapshots/known/2026-05-04/12-00-00-{AccessLog.objects.count()}.jpg"
    default_storage.save(name, ContentFile(cards.card(PERSON)))
    return make_access_log(
        camera=camera,
        embedding=vector(),
        face_model="cards",
        snapshot=name,
        snapshot_bytes=100,
        **values,
    )


@pytest.fixture
def erase(
    person: Employee,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> Erase:
    def work() -> Erasure:
        with django_capture_on_commit_callbacks(execute=True):
            done = erasure.erase(employee=person, by=make_user("amir"), at=NOW)
        return Erasure.objects.get(pk=done.pk)

    return work


def texts() -> Iterator[tuple[str, str]]:
    """Give every value of every text-like column of the database, with its place."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = 'public' AND (data_type IN ('text', 'json', 'jsonb', "
            "'character varying', 'ARRAY') OR udt_name IN ('vector', 'bytea'))"
        )
        for table, column in cursor.fetchall():
            cursor.execute(f'SELECT "{column}"::text FROM "{table}"')
            for (value,) in cursor.fetchall():
                if value:
                    yield f"{table}.{column}", value


def found(word: str) -> list[str]:
    forms = {word.casefold(), json.dumps(word)[1:-1].casefold()}
    return [
        place for place, text in texts() if any(it in text.casefold() for it in forms)
    ]


def vectors_alike() -> list[str]:
    """Name the columns in which a vector is this person's."""
    places = []
    for place, text in texts():
        if text.startswith("[") and text.count(",") == 127:
            other = json.loads(text)
            if sum(a * b for a, b in zip(vector(), other, strict=True)) > 0.4:
                places.append(place)
    return places


class TestErase:
    def test_leaves_nothing_that_tells_of_the_person(
        self, person: Employee, erase: Erase, media: Path, redis_client: redis.Redis
    ) -> None:
        private = ("Likes tea", "Paint shop", "Red cap", "Back pain")
        words = (CODE, NAME, EARLIER, EMAIL, *private)
        before = {word: found(word) for word in words}
        assert all(before.values())
        assert vectors_alike()
        Department.objects.update(name="Press shop")

        erase()

        assert {word: found(word) for word in words} == {word: [] for word in words}
        assert vectors_alike() == []
        assert [path for path in media.rglob("*") if path.is_file()] == []
        kept = b"".join(
            key + redis_client.dump(key) for key in redis_client.scan_iter("*")
        )
        assert CODE.encode() not in kept
        assert NAME.encode() not in kept

    def test_is_no_longer_found_by_a_search(
        self, person: Employee, erase: Erase
    ) -> None:
        site = person.site_id
        erase()

        near = gallery.similar_sightings(
            vector(), site_ids=[site], face_model="cards", at_least=0.3
        )
        assert near == []
        assert gallery.nearest(vector(), site_id=site, face_model="cards") == []
        assert (
            gallery.nearest_unknown(vector(), site_id=site, face_model="cards") is None
        )

    def test_leaves_the_statistics(self, person: Employee, erase: Erase) -> None:
        def figures() -> list[tuple[Any, ...]]:
            rows = AccessLog.objects.order_by("pk")
            return list(
                rows.values_list(
                    "camera", "employee", "decision", "similarity", "occurred_at"
                )
            )

        before = figures()

        erase()

        assert figures() == before
        assert len(before) == 5

    def test_leaves_a_row_that_names_nobody(
        self, person: Employee, erase: Erase
    ) -> None:
        erase()

        person.refresh_from_db()
        assert (person.code, person.name) == (f"ERASED-{person.pk}", "Erased person")
        assert (person.email, person.department, person.notes) == (None, None, "")
        assert (person.status, person.is_authorized) == ("inactive", False)
        assert person.erased_at == NOW
        assert person.enrolled_at is None
        (history,) = person.history.all()
        assert (history.name, history.history_user.username) == (
            "Erased person",
            "amir",
        )

    def test_reports_what_was_removed(self, person: Employee, erase: Erase) -> None:
        done = erase()

        assert done.removed == {
            "photos": 2,
            "remote_faces": 0,
            "visits_kept_without_face": 4,
            "snapshots": 5,
            "unnamed_visits_alike": 1,
            "register_entries": 2,
            "history_rows": 2,
            "texts": 3,
            "attendance_texts": 4 + 6,
            "attendance_history_rows": 3,
            "vehicles": 0,
            "vehicle_visits_emptied": 0,
            "vehicle_history_rows": 0,
            "vehicle_texts": 0,
        }
        assert (done.erased_by.username, done.erased_at) == ("amir", NOW)  # type: ignore[union-attr]
        assert done.is_complete

    def test_empties_visits_of_whom_a_stranger_was_named_before_there_was_a_photo(
        self, erase: Erase, person: Employee
    ) -> None:
        named = person.once_unknown.get()
        camera = make_camera(site=person.site)
        later = seen(camera, unknown_person=named)
        AccessLog.objects.filter(pk=later.pk).update(embedding=make_vector(5))
        person.faces.all().delete()

        erase()

        later.refresh_from_db()
        assert (later.embedding, later.snapshot.name) == (None, "")

    def test_knows_strangers_by_visits_where_no_photo_is_left(
        self, erase: Erase, person: Employee
    ) -> None:
        person.faces.all().delete()
        person.once_unknown.all().delete()
        assert UnknownPerson.objects.count() == 1

        erase()

        assert not UnknownPerson.objects.exists()
        assert vectors_alike() == []

    def test_looks_also_where_they_worked_before(
        self, erase: Erase, person: Employee
    ) -> None:
        person.department = None
        person.site = make_site()
        person.save()

        erase()

        assert vectors_alike() == []

    def test_leaves_others_alone(self, person: Employee, erase: Erase) -> None:
        other = make_employee(code="E-1045", name="José Ruiz", site=person.site)
        photo_desk.enrol_photo(employee=other, photo=cards.card(1), by=None)
        log = make_access_log(
            employee=other,
            embedding=make_vector(1),
            notes=f"Came with {NAME}. Ask E-1045 and E-104-2.",
        )
        stranger = make_unknown_person(site=person.site, face_model="cards")

        erase()

        for row in (other, log, stranger):
            row.refresh_from_db()
        assert (other.code, other.name, other.faces.count()) == (
            "E-1045",
            "José Ruiz",
            1,
        )
        assert log.embedding is not None
        assert log.notes == "Came with Erased person. Ask E-1045 and E-104-2."

    def test_is_refused_the_second_time(self, person: Employee, erase: Erase) -> None:
        erase()

        with pytest.raises(erasure.AlreadyErased, match="was erased already"):
            erasure.erase(employee=person, by=None, at=NOW)

    def test_of_two_people_with_open_alerts_keeps_both_alerts(
        self, person: Employee, erase: Erase
    ) -> None:
        other = make_employee(site=person.site, code="E-200")
        make_alert(
            camera=make_camera(site=person.site),
            kind=Kind.REFUSED_PERSON,
            subject="E-200",
        )

        erase()
        erasure.erase(employee=other, by=None, at=NOW)

        assert found("E-200") == []

    def test_keeps_the_name_of_somebody_who_is_called_the_same(
        self, person: Employee, erase: Erase
    ) -> None:
        make_employee(site=person.site, code="E-205", name=NAME)
        theirs = make_alert(subject="E-205", text=f"{NAME} (E-205) is at the gate.")
        own = make_alert(subject=CODE, text=f"{NAME} ({CODE}) is at the gate.")

        erase()

        theirs.refresh_from_db()
        own.refresh_from_db()
        assert theirs.text == f"{NAME} (E-205) is at the gate."
        assert own.text == f"Erased person (ERASED-{person.pk}) is at the gate."

    def test_does_not_take_a_short_name_for_a_word_of_any_text(
        self, person: Employee, erase: Erase
    ) -> None:
        Employee.objects.filter(pk=person.pk).update(name="An")
        text = "An unknown person is at the gate."
        alert = make_alert(text=text)

        erase()

        alert.refresh_from_db()
        assert alert.text == text


class TestAttendance:
    """Of erase: what becomes of it."""

    def test_leaves_the_days(self, person: Employee, erase: Erase) -> None:
        def days() -> list[tuple[Any, ...]]:
            rows = AttendanceRecord.objects.order_by("pk")
            return list(rows.values_list("employee", "attendance_date", "status"))

        before = days()

        erase()

        assert days() == before
        assert len(before) == 2

    def test_takes_the_names_from_what_is_said_of_others(
        self, person: Employee, erase: Erase
    ) -> None:
        erase()

        others = Leave.objects.exclude(employee=person).get()
        assert others.notes == "Stood in for Erased person."

    def test_leaves_no_request_waiting_that_nobody_can_answer(
        self, person: Employee, erase: Erase
    ) -> None:
        erase()

        theirs = CorrectionRequest.objects.filter(record__employee=person)
        assert set(theirs.values_list("state", flat=True)) == {"declined"}
        waiting = CorrectionRequest.objects.get(state="open")
        assert waiting.text == "Stood in for Erased person."

    def test_expects_them_no_more(self, person: Employee, erase: Erase) -> None:
        tomorrow = date(2026, 5, 5)
        later = ShiftAssignment.objects.get(employee=person)
        ShiftAssignment.objects.filter(pk=later.pk).update(starts_on=tomorrow)
        Leave.objects.create(
            employee=person, starts_on=date(2026, 6, 1), ends_on=date(2026, 6, 2)
        )

        erase()

        assert not ShiftAssignment.objects.filter(employee=person).exists()
        assert Leave.objects.get(employee=person).ends_on == tomorrow
        assert ShiftAssignment.objects.exclude(employee=person).get().ends_on is None

    def test_takes_the_picture_of_a_visit_that_was_linked_to_them(
        self, person: Employee, erase: Erase
    ) -> None:
        """By hand, and the face alone would not tell that it is them."""
        log = seen(make_camera(site=person.site))
        AccessLog.objects.filter(pk=log.pk).update(embedding=make_vector(5))
        UnknownAttendance.objects.create(
            event_id=uuid4(),
            camera=log.camera,
            session=log.session,
            track_id=log.track_id,
            access_log=log,
            occurred_at=NOW,
            last_seen_at=NOW,
            state="linked",
            employee=person,
        )

        erase()

        log.refresh_from_db()
        assert (log.embedding, log.snapshot.name) == (None, "")
        assert log.decision == "unknown"


class TestFiles:
    def test_that_fail_in_an_unforeseen_way_leave_the_person_erased(
        self, erase: Erase, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(name: str) -> None:
            raise RuntimeError(name)

        monkeypatch.setattr(default_storage, "delete", fail)

        assert not erase().is_complete

    def test_that_stay_are_removed_by_the_next_run(
        self, erase: Erase, media: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(name: str) -> None:
            raise PermissionError(name)

        with monkeypatch.context() as broken:
            broken.setattr(default_storage, "delete", refuse)
            done = erase()
        assert not done.is_complete
        assert len(done.remaining["files"]) == 7

        assert erasure.finish_all() == 0

        assert not Erasure.objects.unfinished().exists()
        assert [path for path in media.rglob("*") if path.is_file()] == []


class TestRemoteFaces:
    @pytest.fixture
    def remote(
        self, rekognition: RekognitionServer, settings: Settings
    ) -> RekognitionServer:
        settings.FACE_ENGINE = "rekognition"
        engines.the_engine.cache_clear()
        return rekognition

    def ids(self, person: Employee) -> list[str]:
        return list(enrolment.remote_engine().remote_ids(site_id=person.site_id))

    @pytest.fixture
    def person(self, remote: RekognitionServer) -> Employee:
        employee = make_employee(code=CODE, name=NAME)
        photo_desk.enrol_photo(employee=employee, photo=cards.card(PERSON), by=None)
        return employee

    def test_are_removed_from_the_collection(
        self, person: Employee, erase: Erase
    ) -> None:
        assert len(self.ids(person)) == 1

        done = erase()

        assert self.ids(person) == []
        assert (done.removed["remote_faces"], done.is_complete) == (1, True)

    def test_wait_while_the_other_side_is_down(
        self,
        person: Employee,
        erase: Erase,
        remote: RekognitionServer,
        redis_client: redis.Redis,
    ) -> None:
        remote.faults.is_denied = True
        done = erase()
        assert not FaceSample.objects.exists()
        assert len(done.remaining["remote_faces"]) == 1
        assert erasure.finish_all() == 1
        remote.faults.is_denied = False
        redis_client.flushdb()  # The breaker closes again.

        assert erasure.finish_all() == 0

        assert self.ids(person) == []

    def test_are_removed_also_when_the_site_is_back_at_the_local_engine(
        self, person: Employee, erase: Erase, settings: Settings
    ) -> None:
        settings.FACE_ENGINE = "local"
        engines.the_engine.cache_clear()

        assert erase().is_complete
        assert self.ids(person) == []


class TestFinishAll:
    def test_empties_a_visit_that_was_stored_just_after(
        self, person: Employee, erase: Erase, media: Path
    ) -> None:
        erase()
        person.refresh_from_db()
        late = seen(make_camera(site=person.site), employee=person)

        erasure.finish_all()

        late.refresh_from_db()
        assert (late.embedding, late.snapshot.name) == (None, "")
        assert [path for path in media.rglob("*") if path.is_file()] == []


@pytest.mark.django_db(transaction=True)
class TestWhilePromoted:
    def test_leaves_nothing_whoever_is_first(self) -> None:
        for _ in range(5):
            person, hana = make_employee(), make_user(f"hana-{uuid4().hex}")
            face = {"embedding": make_vector(), "face_model": "cards"}
            make_face_sample(employee=person, **face)
            stranger = make_unknown_person(site=person.site, **face)
            start, failed = threading.Barrier(2), list[Exception]()

            def work(
                step: Callable[..., object],
                start: threading.Barrier = start,
                failed: list[Exception] = failed,
                **values: object,
            ) -> None:
                start.wait()
                try:
                    step(**values, at=NOW)
                except NotPromoted:
                    return
                except DatabaseError as error:
                    failed.append(error)
                finally:
                    connections.close_all()

            threads = [
                threading.Thread(
                    target=work,
                    args=(promote,),
                    kwargs={"unknown": stranger, "employee": person, "by": hana},
                ),
                threading.Thread(
                    target=work,
                    args=(erasure.erase,),
                    kwargs={"employee": person, "by": hana},
                ),
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

            assert failed == []
            assert not UnknownPerson.objects.filter(employee=person).exists()


class TestCommand:
    def test_erases_and_says_what(
        self, person: Employee, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call_command("erase_person", CODE, "--yes")

        assert "photos: 2" in capsys.readouterr().out
        assert Employee.objects.get(pk=person.pk).erased_at is not None

    def test_asks_first(
        self, person: Employee, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []

        def answer(question: str) -> str:
            asked.append(question)
            return "no"

        monkeypatch.setattr("builtins.input", answer)

        with pytest.raises(CommandError, match="Nothing was erased"):
            call_command("erase_person", CODE)

        assert f"{CODE} {NAME}" in asked[0]
        assert UnknownPerson.objects.exists()
        assert not Erasure.objects.exists()

    def test_erases_nobody_where_nobody_can_be_asked(
        self, person: Employee, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", StringIO())

        with pytest.raises(CommandError, match="Nothing was erased"):
            call_command("erase_person", CODE)

    def test_names_a_code_that_nobody_has(self) -> None:
        with pytest.raises(CommandError, match="Nobody has the code E-999"):
            call_command("erase_person", "E-999", "--yes")

    def test_refuses_whom_it_has_erased(self, person: Employee) -> None:
        erasure.erase(employee=person, by=None, at=timezone.now())

        with pytest.raises(CommandError, match="was erased already"):
            call_command("erase_person", f"ERASED-{person.pk}", "--yes")
