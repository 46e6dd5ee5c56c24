from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import cv2
import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from identity.management.commands import analyze_matches
from identity.matches import labels
from identity.matches.labels import Question, look
from identity.matches.quality import TooFewPeople
from identity.models import AccessLog, Employee
from tests.factories import (
    make_access_log,
    make_camera,
    make_employee,
    make_face_sample,
    make_site,
    make_vector,
    make_vector_like,
)

if TYPE_CHECKING:
    from pathlib import Path

    from streaming.models import Site

pytestmark = pytest.mark.django_db(transaction=True)
MARCH_2 = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
"""In Kolkata it is the 2nd already."""


def make_seen(person: Employee, similarity: float, **values: Any) -> AccessLog:
    """Make a visit whose face is so alike to the person's first photo."""
    photo = person.faces.order_by("pk")[0]
    face = make_vector_like(photo.embedding, similarity)
    return make_access_log(employee=person, embedding=face, **values)


def make_people(*, site: Site | None = None, n: int = 2) -> list[Employee]:
    """Make people with a photo each, at one site."""
    site = site or make_site()
    people = [make_employee(site=site) for _ in range(n)]
    for person in people:
        make_face_sample(employee=person)
    return people


def counts() -> dict[str, int]:
    return {
        model._meta.label: model._default_manager.count() for model in apps.get_models()
    }


class TestLook:
    def test_compares_visits_with_photos(self) -> None:
        one, other = make_people()
        make_seen(one, 0.9)
        make_seen(other, 0.5)

        found = look(Question())

        genuine = sorted(float(each) for each in found.similarities.genuine)
        assert genuine == pytest.approx([0.5, 0.9], abs=1e-3)
        assert (found.people, found.photos, found.seen, found.by_hand) == (2, 2, 2, 0)
        assert found.thresholds_in_force == (0.42,)

    def test_takes_the_word_of_people_over_what_was_decided(self) -> None:
        one, _ = make_people()
        unknown = AccessLog.Decision.UNKNOWN
        make_seen(one, 0.9)
        make_seen(one, 0.3, decision=unknown, linked_at=MARCH_2)
        make_seen(one, 0.8, flagged=True)
        make_seen(one, 0.2, flagged=True, linked_at=MARCH_2)
        make_access_log(camera=make_camera(site=one.site))

        found = look(Question())

        genuine = sorted(float(each) for each in found.similarities.genuine)
        assert genuine == pytest.approx([0.2, 0.3, 0.9], abs=1e-3)
        assert found.by_hand == 2

    def test_compares_people_of_one_site_with_each_other_only(self) -> None:
        here, there = make_people(), make_people()
        double = make_face_sample(employee=there[0], embedding=make_vector(seed=1))
        make_face_sample(employee=here[1], embedding=make_vector())
        visit = make_seen(here[0], 0.7)
        AccessLog.objects.filter(pk=visit.pk).update(embedding=double.embedding)
        make_seen(there[0], 0.9)

        found = look(Question())

        assert found.similarities.best_other.max() < 0.6
        assert look(Question(site=here[0].site)).seen == 1

    def test_keeps_face_models_apart_and_takes_that_of_most_visits(self) -> None:
        one, other = make_people()
        for person in (one, other):
            make_face_sample(employee=person, face_model="rare")
        make_seen(one, 0.9, face_model="rare")
        for _ in range(2):
            make_seen(one, 0.9)

        assert look(Question()).seen == 2
        assert look(Question(face_model="rare")).seen == 1

    def test_is_refused_by_postgres_when_it_writes(self) -> None:
        with labels._reading_only(), pytest.raises(DatabaseError):
            Employee.objects.update(notes="changed")

    def test_says_what_is_missing(self) -> None:
        with pytest.raises(TooFewPeople, match="no visit of a recognised person"):
            look(Question())
        (alone,) = make_people(n=1)
        make_seen(alone, 0.9)

        with pytest.raises(TooFewPeople, match="two people with photos"):
            look(Question())


class TestCommand:
    def test_prints_rates_and_draws_them_and_writes_no_row(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        one, other = make_people()
        for similarity in (0.9, 0.62, 0.5, 0.3):
            make_seen(one, similarity)
            make_seen(other, similarity)
        before, png = counts(), tmp_path / "out.png"

        call_command(
            "analyze_matches", "--thresholds", "0.6,0.45", "--output", str(png)
        )

        assert counts() == before
        said = capsys.readouterr().out
        rows = [
            [cell.strip() for cell in line.split("│")[1:-1]]
            for line in said.splitlines()
            if line.startswith("│ 0.")
        ]
        shares = {row[0]: row[1:3] for row in rows}
        assert shares["0.600"] == ["50.0%", "50.0%"]
        assert shares["0.450"] == ["75.0%", "75.0%"]
        assert {row[5] for row in rows} >= {"in force", "best"}
        assert "8 seen faces of 2 people with 2 photos" in said
        drawn = cv2.imread(str(png))
        assert drawn is not None
        height, width = drawn.shape[:2]
        assert (width, height) > (1000, 500)

    def test_goes_by_the_days_of_the_sites_clock(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        site = make_site(slug="pune", time_zone="Asia/Kolkata")
        one, _ = make_people(site=site)
        make_seen(one, 0.9, occurred_at=MARCH_2)
        days = ["--from=2026-03-02", "--to=2026-03-02"]

        call_command("analyze_matches", "--site=pune", *days)

        assert "1 seen faces" in capsys.readouterr().out
        with pytest.raises(CommandError, match="no visit"):
            call_command("analyze_matches", *days)

    @pytest.mark.parametrize(
        ("option", "sentence"),
        [
            ("--thresholds=a", "no list of numbers"),
            ("--thresholds=", "no list of numbers"),
            ("--thresholds=0.5,1.5", "between 0 and 1"),
            ("--thresholds=nan", "between 0 and 1"),
            ("--output=out.pdf", "must end in .png"),
            ("--output=/nowhere/out.png", "no folder /nowhere"),
            ("--output=/proc/out.png", "cannot be written"),
            ("--from=yesterday", "no day like"),
            ("--site=moon", "no site moon"),
        ],
    )
    def test_refuses_with_a_sentence(self, option: str, sentence: str) -> None:
        one, _ = make_people()
        make_seen(one, 0.9)

        with pytest.raises(CommandError, match=sentence):
            call_command("analyze_matches", option)

    def test_says_when_it_rests_on_its_own_decisions(self) -> None:
        one, _ = make_people()
        make_seen(one, 0.9)

        words = analyze_matches.basis(look(Question()))

        assert "said by people for 0, decided for 1" in words
        assert "link unknown visits" in words
