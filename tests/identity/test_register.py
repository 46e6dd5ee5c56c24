from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction

from alerts.models import Alert, Kind
from identity import register
from identity.models import AccessLog, UnknownPerson
from identity.register import NotPromoted
from tests.factories import (
    FACE_MODEL,
    make_access_log,
    make_alert,
    make_camera,
    make_employee,
    make_site,
    make_unknown_person,
    make_user,
    make_vector,
    make_vector_like,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streaming.models import Site

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALIKE_FROM = 0.5


def attach(
    vector: Sequence[float], *, site: Site, **values: Any
) -> UnknownPerson | None:
    defaults: dict[str, Any] = {
        "face_model": FACE_MODEL,
        "quality": 0.8,
        "site_id": site.pk,
        "at": NOON,
        "alike_from": ALIKE_FROM,
    }
    with transaction.atomic():
        return register.attach(log_vector=vector, **defaults | values)


class TestAttach:
    def test_founds_a_stranger_of_a_face_that_is_like_nobody(self) -> None:
        site = make_site()

        one, other = (attach(make_vector(), site=site) for _ in range(2))

        assert one
        assert other
        assert one != other
        assert (one.sightings, one.first_seen_at, one.last_seen_at) == (1, NOON, NOON)

    def test_knows_a_stranger_again_and_moves_their_mean(self) -> None:
        site, face = make_site(), make_vector()
        later = make_vector_like(face, 0.6)

        first = attach(face, site=site)
        again = attach(later, site=site, at=NOON + HOUR)

        assert again == first
        assert again
        assert (again.sightings, again.last_seen_at) == (2, NOON + HOUR)
        assert again.first_seen_at == NOON
        assert cosine(again.embedding, later) == pytest.approx(0.894, abs=0.001)
        assert UnknownPerson.objects.count() == 1

    def test_takes_a_face_that_is_not_alike_enough_for_somebody_else(self) -> None:
        site, face = make_site(), make_vector()

        first = attach(face, site=site)

        assert attach(make_vector_like(face, 0.49), site=site) != first
        assert attach(make_vector_like(face, 0.51, seed=5), site=site) == first

    def test_lets_a_poor_face_join_but_neither_found_nor_move_anybody(self) -> None:
        site, face = make_site(), make_vector()
        poor = make_vector_like(face, 0.6)

        assert attach(poor, site=site, quality=0.1) is None
        first = attach(face, site=site)
        again = attach(poor, site=site, quality=0.1)

        assert again == first
        assert again
        assert again.sightings == 2
        assert again.embedding == pytest.approx(face, abs=1e-6)

    def test_keeps_sites_and_face_models_apart(self) -> None:
        site, face = make_site(), make_vector()

        first = attach(face, site=site)

        assert attach(face, site=make_site()) != first
        assert attach(face, site=site, face_model="another") != first

    def test_takes_a_sighting_that_comes_late_for_the_first(self) -> None:
        site, face = make_site(), make_vector()

        attach(face, site=site)
        again = attach(face, site=site, at=NOON - HOUR)

        assert again
        assert (again.first_seen_at, again.last_seen_at) == (NOON - HOUR, NOON)

    def test_knows_again_whom_somebody_named(self) -> None:
        site, face = make_site(), make_vector()
        named = make_unknown_person(
            site=site,
            embedding=face,
            employee=make_employee(site=site),
            promoted_at=NOON,
        )

        assert attach(face, site=site) == named

    def test_leaves_no_line_in_the_history_for_each_sighting(self) -> None:
        site, face = make_site(), make_vector()

        for _ in range(3):
            stranger = attach(face, site=site)

        assert stranger
        assert stranger.history.count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_founds_one_stranger_of_a_face_that_two_workers_bring_at_once(self) -> None:
        site, face = make_site(), make_vector()
        together = threading.Barrier(6)
        failures: list[BaseException] = []

        def work(number: int) -> None:
            try:
                together.wait()
                attach(make_vector_like(face, 0.9, seed=number), site=site)
            except BaseException as error:
                failures.append(error)
            finally:
                connection.close()

        threads = [threading.Thread(target=work, args=[n]) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)

        assert failures == []
        assert UnknownPerson.objects.get().sightings == 6


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


class TestPromote:
    def test_gives_every_visit_the_name_and_keeps_what_was_decided(self) -> None:
        site, hana = make_site(), make_user("hana")
        stranger = make_unknown_person(site=site, last_seen_at=NOON)
        camera = make_camera(site=site)
        logs = [
            make_access_log(camera=camera, unknown_person=stranger) for _ in range(3)
        ]
        elsewhere = make_access_log(camera=camera)
        person = make_employee(site=site)

        done = register.promote(
            unknown=stranger, employee=person, by=hana, at=NOON + HOUR
        )

        assert done.rows == 3
        for log in logs:
            log.refresh_from_db()
            assert (log.employee, log.decision) == (person, "unknown")
            assert (log.linked_at, log.linked_by) == (NOON + HOUR, hana)
        elsewhere.refresh_from_db()
        assert elsewhere.employee is None
        stranger.refresh_from_db()
        assert (stranger.employee, stranger.promoted_by) == (person, hana)
        assert stranger.history.first().history_user == hana
        person.refresh_from_db()
        assert person.last_seen_at == NOON

    def test_keeps_a_name_that_a_visit_had_before(self) -> None:
        site, hana = make_site(), make_user("hana")
        stranger = make_unknown_person(site=site)
        other = make_employee(site=site)
        named = make_access_log(
            camera=make_camera(site=site), unknown_person=stranger, employee=other
        )

        done = register.promote(
            unknown=stranger, employee=make_employee(site=site), by=hana, at=NOON
        )

        named.refresh_from_db()
        assert (done.rows, named.employee) == (0, other)

    def test_never_turns_back_when_somebody_was_last_seen(self) -> None:
        site, hana = make_site(), make_user("hana")
        person = make_employee(site=site, last_seen_at=NOON + HOUR)
        stranger = make_unknown_person(site=site, last_seen_at=NOON)

        register.promote(unknown=stranger, employee=person, by=hana, at=NOON)

        person.refresh_from_db()
        assert person.last_seen_at == NOON + HOUR

    def test_resolves_the_alert_about_the_stranger(self) -> None:
        site, hana = make_site(), make_user("hana")
        camera = make_camera(site=site)
        stranger, other = (make_unknown_person(site=site) for _ in range(2))
        for each in (stranger, other):
            make_alert(camera=camera, kind=Kind.REPEATED_STRANGER, subject=str(each))

        register.promote(
            unknown=stranger, employee=make_employee(site=site), by=hana, at=NOON
        )

        assert Alert.objects.unresolved().get().subject == str(other)

    @pytest.mark.parametrize(
        ("values", "sentence"),
        [
            ({"site": None}, "works at another site"),
            ({"erased_at": NOON, "status": "inactive"}, "was erased"),
        ],
    )
    def test_refuses_somebody_it_cannot_be(
        self, values: dict[str, Any], sentence: str
    ) -> None:
        site, hana = make_site(), make_user("hana")
        stranger = make_unknown_person(site=site)
        log = make_access_log(camera=make_camera(site=site), unknown_person=stranger)
        person = make_employee(**{"site": site} | values)

        with pytest.raises(NotPromoted, match=sentence):
            register.promote(unknown=stranger, employee=person, by=hana, at=NOON)

        log.refresh_from_db()
        assert log.employee is None

    def test_refuses_a_stranger_who_has_a_name_already(self) -> None:
        site, hana = make_site(), make_user("hana")
        stranger = make_unknown_person(site=site)
        first, second = make_employee(site=site), make_employee(site=site)
        register.promote(unknown=stranger, employee=first, by=hana, at=NOON)

        with pytest.raises(NotPromoted, match=f"is {first.code} already"):
            register.promote(unknown=stranger, employee=second, by=hana, at=NOON)

    def test_refuses_a_stranger_who_was_erased_meanwhile(self) -> None:
        stranger = make_unknown_person()
        person = make_employee(site=stranger.site)
        UnknownPerson.objects.filter(pk=stranger.pk).delete()

        with pytest.raises(NotPromoted, match="not in the register any more"):
            register.promote(
                unknown=stranger, employee=person, by=make_user("hana"), at=NOON
            )

    def test_accepts_somebody_who_left(self) -> None:
        site, hana = make_site(), make_user("hana")
        person = make_employee(site=site, status="inactive")
        stranger = make_unknown_person(site=site)

        register.promote(unknown=stranger, employee=person, by=hana, at=NOON)

        stranger.refresh_from_db()
        assert stranger.employee == person


class TestUndoPromotion:
    def test_takes_the_name_back_from_the_visits_that_it_gave_it_to(self) -> None:
        site, hana = make_site(), make_user("hana")
        camera, person = make_camera(site=site), make_employee(site=site)
        stranger = make_unknown_person(site=site)
        log = make_access_log(camera=camera, unknown_person=stranger)
        alone = make_access_log(
            camera=camera,
            unknown_person=stranger,
            employee=person,
            decision=AccessLog.Decision.UNKNOWN,
            linked_at=NOON - HOUR,
        )
        register.promote(unknown=stranger, employee=person, by=hana, at=NOON)

        done = register.undo_promotion(unknown=stranger, by=hana)

        log.refresh_from_db()
        alone.refresh_from_db()
        stranger.refresh_from_db()
        assert (done.rows, log.employee, log.linked_at) == (1, None, None)
        assert alone.employee == person
        assert (stranger.employee, stranger.promoted_at) == (None, None)

    def test_refuses_a_stranger_without_a_name(self) -> None:
        with pytest.raises(NotPromoted, match="Nobody said who"):
            register.undo_promotion(unknown=make_unknown_person(), by=make_user("hana"))


class TestSearch:
    def test_tells_as_whom_and_when_a_face_was_here(self) -> None:
        site, face = make_site(), make_vector()
        camera = make_camera(site=site)
        stranger = make_unknown_person(site=site, embedding=make_vector_like(face, 0.7))
        near, far = (
            make_access_log(camera=camera, embedding=make_vector_like(face, alike))
            for alike in (0.8, 0.6)
        )
        make_access_log(camera=camera)
        make_access_log(embedding=face)
        make_unknown_person(embedding=face)

        found = register.search(
            vector=face, face_model=FACE_MODEL, site_ids=[site.pk], at_least=0.42
        )

        assert [row for row, _ in found.strangers] == [stranger]
        assert [row for row, _ in found.sightings] == [near, far]
        assert [round(alike, 3) for _, alike in found.sightings] == [0.8, 0.6]

    def test_finds_nothing_where_nobody_looks_like_it(self) -> None:
        site = make_site()
        make_access_log(camera=make_camera(site=site))

        found = register.search(
            vector=make_vector(),
            face_model=FACE_MODEL,
            site_ids=[site.pk],
            at_least=0.42,
        )

        assert found == register.Resembling(strangers=[], sightings=[])
