from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from alerts.models import Alert, Kind
from identity import digest, enrolment_audit, look_alikes, tasks
from identity.enrolment_audit import LookAlikes, audit
from tests.factories import (
    make_access_log,
    make_camera,
    make_employee,
    make_face_sample,
    make_rule,
    make_site,
    make_vector,
    make_vector_like,
)

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries

    from identity.models import Employee
    from streaming.models import Site

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("redis_client")]
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
YEAR = timedelta(days=365)


@pytest.fixture
def site() -> Site:
    return make_site(name="Press plant")


@pytest.fixture
def model() -> str:
    return enrolment_audit.present_model()


def photo(employee: Employee, **values: Any) -> None:
    defaults = {
        "face_model": enrolment_audit.present_model(),
        "created_at": NOW - timedelta(days=1),
    }
    make_face_sample(employee=employee, **defaults | values)


def codes(people: Any) -> list[str]:
    return [one.code for one in people]


def visits(employee: Employee, similarities: list[float], **values: Any) -> None:
    """Store a visit a day, the last one yesterday."""
    camera = make_camera(site=employee.site)
    for number, similarity in enumerate(reversed(similarities), 1):
        make_access_log(
            camera=camera,
            employee=employee,
            similarity=similarity,
            occurred_at=NOW - timedelta(days=number),
            **values,
        )


class TestAudit:
    def test_sorts_people_by_what_is_wrong_with_their_photos(self, site: Site) -> None:
        make_employee(site=site, code="NONE")
        photo(make_employee(site=site, code="GOOD"))
        photo(make_employee(site=site, code="OLD"), created_at=NOW - 2.1 * YEAR)
        photo(make_employee(site=site, code="POOR"), quality=0.4)
        photo(make_employee(site=site, code="OTHER"), face_model="earlier")

        found = audit(sites=[site], now=NOW)

        assert codes(found.without_photo) == ["NONE"]
        assert codes(found.old) == ["OLD"]
        assert codes(found.poor) == ["POOR"]
        assert codes(found.other_model) == ["OTHER"]
        assert (found.total, found.falling, found.alike) == (4, [], [])

    def test_is_content_with_one_photo_that_is_good(self, site: Site) -> None:
        good = make_employee(site=site)
        photo(good)
        photo(good, quality=0.2, created_at=NOW - 3 * YEAR, face_model="earlier")

        assert audit(sites=[site], now=NOW).total == 0

    def test_leaves_out_who_left_and_who_works_elsewhere(self, site: Site) -> None:
        make_employee(site=site, status="inactive")
        make_employee()

        assert audit(sites=[site], now=NOW).total == 0

    def test_needs_few_queries_however_many_people_there_are(
        self, site: Site, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(20):
            make_employee(site=site)

        with django_assert_max_num_queries(8):
            audit(sites=[site], now=NOW)


class TestFalling:
    def test_compares_the_last_ten_visits_with_those_before(self, site: Site) -> None:
        falling = make_employee(site=site)
        photo(falling)
        visits(falling, [0.8] * 30 + [0.65] * 10)

        (found,) = audit(sites=[site], now=NOW).falling

        assert found.employee == falling
        assert [found.before, found.now] == pytest.approx([0.8, 0.65])

    @pytest.mark.parametrize(
        ("similarities", "values"),
        [
            ([0.8] * 30 + [0.73] * 10, {}),
            ([0.8] * 9 + [0.5] * 10, {}),
            ([0.8] * 34 + [0.5, 0.5, 0.5, 0.5], {}),
            ([99.5] * 30 + [94.0] * 10, {"threshold": 85, "engine": "rekognition"}),
            ([0.5] * 10 + [0.8] * 30, {}),
        ],
        ids=["a-little", "too-few-before", "too-few-bad", "per-cent", "rising"],
    )
    def test_leaves_out(
        self, site: Site, similarities: list[float], values: dict[str, Any]
    ) -> None:
        person = make_employee(site=site)
        photo(person)
        visits(person, similarities, **values)

        assert audit(sites=[site], now=NOW).falling == []

    def test_knows_the_scale_of_per_cent(self, site: Site) -> None:
        person = make_employee(site=site)
        photo(person)
        values = {"threshold": 85, "engine": "rekognition"}
        visits(person, [99.5] * 30 + [90.0] * 10, **values)

        assert len(audit(sites=[site], now=NOW).falling) == 1

    def test_never_compares_two_engines(self, site: Site) -> None:
        person = make_employee(site=site)
        photo(person)
        visits(person, [0.6] * 10)
        camera = make_camera(site=site)
        for number in range(30):
            make_access_log(
                camera=camera,
                employee=person,
                similarity=99.0,
                threshold=85,
                engine="rekognition",
                occurred_at=NOW - timedelta(days=20 + number),
            )

        assert audit(sites=[site], now=NOW).falling == []


class TestLookAlikes:
    def test_are_told_once_by_their_most_similar_photos(
        self, site: Site, model: str
    ) -> None:
        one, other, third = (make_employee(site=site) for _ in range(3))
        face = make_vector()
        photo(one, embedding=face)
        photo(one, embedding=make_vector_like(face, 0.7))
        photo(other, embedding=make_vector_like(face, 0.6))
        photo(other, embedding=make_vector_like(face, 0.5))
        photo(third)

        found = look_alikes.find(site_id=site.pk, face_model=model, at_least=0.45)

        assert [pair[:2] for pair in found] == [(one.pk, other.pk)]
        assert found[0][2] == pytest.approx(0.6, abs=1e-5)

    def test_are_found_across_steps(
        self, site: Site, model: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(look_alikes, "AT_ONCE", 2)
        face = make_vector()
        people = [make_employee(site=site) for _ in range(7)]
        for number, person in enumerate(people):
            like = make_vector_like(face, 0.9) if number in {1, 6} else make_vector()
            photo(person, embedding=like)

        found = look_alikes.find(site_id=site.pk, face_model=model, at_least=0.5)

        assert [pair[:2] for pair in found] == [(people[1].pk, people[6].pk)]

    def test_are_never_of_two_sites_or_two_models(self, site: Site, model: str) -> None:
        face = make_vector()
        photo(make_employee(site=site), embedding=face)
        photo(make_employee(), embedding=face)
        photo(make_employee(site=site), embedding=face, face_model="earlier")
        photo(make_employee(site=site, status="inactive"), embedding=face)

        assert look_alikes.find(site_id=site.pk, face_model=model, at_least=0.5) == []

    def test_are_shown_as_they_were_found_at_night(self, site: Site) -> None:
        one, other = make_employee(site=site), make_employee(site=site)
        photo(one)
        photo(other)
        found = LookAlikes(at=NOW, pairs=[(one.pk, other.pk, 0.5), (one.pk, -1, 0.9)])
        enrolment_audit.keep_look_alikes(site_id=site.pk, found=found)

        (pair,) = audit(sites=[site], now=NOW).alike

        assert (pair.one, pair.other, pair.similarity) == (one, other, 0.5)
        assert audit(sites=[site], now=NOW).alike_at == NOW
        assert audit(sites=[make_site()], now=NOW).alike_at is None

    @pytest.mark.usefixtures("card_faces")
    def test_are_looked_for_by_the_nightly_job(self, site: Site) -> None:
        face = make_vector()
        for like in (face, make_vector_like(face, 0.5)):
            employee = make_employee(site=site)
            photo(employee, embedding=like, face_model="cards")

        assert tasks.compare_people() == {"pairs": 1}
        assert len(audit(sites=[site], now=NOW).alike) == 1


class TestInWords:
    @pytest.mark.parametrize(
        ("counts", "words"),
        [
            ({}, ""),
            ({"without_photo": 0, "alike": 0}, ""),
            ({"without_photo": 1}, "1 has no photo."),
            (
                {"without_photo": 3, "old": 2, "alike": 1, "falling": 4},
                "3 have no photo, 2 have only old photos, 1 pair looks alike, 4 are "
                "recognised less well than before.",
            ),
        ],
    )
    def test_says_what_there_is(self, counts: dict[str, int], words: str) -> None:
        assert enrolment_audit.in_words(counts) == words


class TestDigest:
    @pytest.fixture(autouse=True)
    def _rule(self) -> None:
        make_rule(kind=Kind.ENROLMENT_DIGEST)

    def test_raises_an_alert_with_counts_and_no_names(self, site: Site) -> None:
        person = make_employee(site=site, name="Anna Berg")

        assert digest.tell(now=NOW) == 1

        alert = Alert.objects.get()
        assert (alert.site, alert.kind) == (site, Kind.ENROLMENT_DIGEST)
        assert alert.text == (
            "Photos at Press plant: 1 has no photo. See the enrolment audit in the "
            "admin."
        )
        assert person.name not in alert.text

    def test_takes_the_place_of_last_weeks(self, site: Site) -> None:
        make_employee(site=site)
        digest.tell(now=NOW - timedelta(days=7))
        make_employee(site=site)

        digest.tell(now=NOW)

        older, newer = Alert.objects.order_by("opened_at")
        assert (older.state, older.note) == ("resolved", digest.NEWER)
        assert (newer.state, "2 have no photo" in newer.text) == ("open", True)

    def test_is_silent_where_all_is_well(self, site: Site) -> None:
        person = make_employee(site=site)
        digest.tell(now=NOW - timedelta(days=7))
        photo(person)

        assert digest.tell(now=NOW) == 0

        assert Alert.objects.get().note == digest.DONE

    def test_needs_a_rule(self, site: Site) -> None:
        make_employee(site=site)
        make_rule(kind=Kind.DISK_FULL)
        from alerts.models import AlertRule

        AlertRule.objects.filter(kind=Kind.ENROLMENT_DIGEST).delete()

        assert digest.tell(now=NOW) == 0
        assert not Alert.objects.exists()
