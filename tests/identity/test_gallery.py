from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection

from identity import gallery
from identity.gallery import Alike, nearest, nearest_of_each, nearest_unknown
from identity.models.people import PHOTOS_MAX
from tests.factories import (
    FACE_MODEL,
    make_access_log,
    make_camera,
    make_employee,
    make_face_sample,
    make_site,
    make_unknown_person,
    make_vector,
    make_vector_like,
)

if TYPE_CHECKING:
    from identity.rules import Ranked

pytestmark = pytest.mark.django_db


def rounded(ranked: list[Ranked]) -> list[tuple[int, float]]:
    return [(each.person, round(each.similarity, 4)) for each in ranked]


class TestNearest:
    def test_ranks_people_by_the_best_of_their_photos(self) -> None:
        site, face = make_site(), make_vector()
        anna, bert = make_employee(site=site), make_employee(site=site)
        for person, similarity in ((anna, 0.3), (anna, 0.9), (bert, 0.6)):
            embedding = make_vector_like(face, similarity)
            make_face_sample(employee=person, embedding=embedding)

        found = nearest(face, site_id=site.pk, face_model=FACE_MODEL)

        assert rounded(found) == [(anna.pk, 0.9), (bert.pk, 0.6)]

    def test_finds_the_runner_up_behind_all_photos_of_the_best(self) -> None:
        site, face = make_site(), make_vector()
        anna, bert = make_employee(site=site), make_employee(site=site)
        for _ in range(PHOTOS_MAX):
            make_face_sample(employee=anna, embedding=make_vector_like(face, 0.9))
        make_face_sample(employee=bert, embedding=make_vector_like(face, 0.5))

        found = nearest(face, site_id=site.pk, face_model=FACE_MODEL)

        assert rounded(found) == [(anna.pk, 0.9), (bert.pk, 0.5)]

    def test_keeps_to_the_best_that_were_asked_for(self) -> None:
        site, face = make_site(), make_vector()
        for _ in range(4):
            make_face_sample(employee=make_employee(site=site))

        found = nearest(face, site_id=site.pk, face_model=FACE_MODEL, limit=3)

        assert len(found) == 3

    def test_keeps_to_the_people_of_the_site(self) -> None:
        sample = make_face_sample()
        here = sample.employee.site_id

        for site_id, count in ((here, 1), (make_site().pk, 0)):
            found = nearest(sample.embedding, site_id=site_id, face_model=FACE_MODEL)
            assert len(found) == count

    def test_compares_vectors_of_one_face_model_alone(self) -> None:
        sample = make_face_sample()
        site_id = sample.employee.site_id

        for face_model, count in ((FACE_MODEL, 1), ("another-128", 0)):
            found = nearest(sample.embedding, site_id=site_id, face_model=face_model)
            assert len(found) == count

    def test_knows_who_left_but_not_who_was_erased(self) -> None:
        site, face = make_site(), make_vector()
        left = make_employee(site=site, status="inactive")
        erased = make_employee(
            site=site, status="inactive", erased_at="2026-03-02T08:00:00Z"
        )
        for person in (left, erased):
            make_face_sample(employee=person, embedding=face)

        found = nearest(face, site_id=site.pk, face_model=FACE_MODEL)

        assert rounded(found) == [(left.pk, 1.0)]

    def test_finds_nobody_in_an_empty_gallery(self) -> None:
        assert nearest(make_vector(), site_id=1, face_model=FACE_MODEL) == []


class TestNearestOfEach:
    def test_gives_each_face_its_own_list_in_the_order_given(self) -> None:
        site = make_site()
        samples = [
            make_face_sample(employee=make_employee(site=site)) for _ in range(3)
        ]

        found = nearest_of_each(
            [sample.embedding for sample in samples],
            site_id=site.pk,
            face_model=FACE_MODEL,
        )

        firsts = [ranked[0].person for ranked in found]
        assert firsts == [sample.employee_id for sample in samples]
        assert [len(ranked) for ranked in found] == [2, 2, 2]

    def test_gives_nothing_for_no_face(self) -> None:
        assert nearest_of_each([], site_id=1, face_model=FACE_MODEL) == []

    def test_asks_once_for_all_faces(
        self, django_assert_num_queries: pytest.FixtureRequest
    ) -> None:
        site = make_site()
        vectors = [make_vector() for _ in range(5)]

        # Savepoint and its release, how to search, the search.
        with django_assert_num_queries(4):  # type: ignore[operator]
            nearest_of_each(vectors, site_id=site.pk, face_model=FACE_MODEL)

    def test_finds_a_small_site_among_many_others_faces(self) -> None:
        """The index stops after a few rows unless it is told to go on."""
        face, site = make_vector(), make_site()
        crowd = make_employee()
        for _ in range(300):
            make_face_sample(employee=crowd, embedding=make_vector_like(face, 0.9))
        here = make_face_sample(
            employee=make_employee(site=site), embedding=make_vector_like(face, 0.2)
        )
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
            cursor.execute("SET LOCAL enable_sort = off")

        found = nearest(face, site_id=site.pk, face_model=FACE_MODEL)

        assert rounded(found) == [(here.employee_id, 0.2)]


class TestNearestUnknown:
    def test_finds_the_stranger_of_the_site_who_is_most_alike(self) -> None:
        site, face = make_site(), make_vector()
        for similarity in (0.3, 0.8):
            make_unknown_person(site=site, embedding=make_vector_like(face, similarity))
        make_unknown_person(embedding=face)
        make_unknown_person(site=site, embedding=face, face_model="another-128")

        found = nearest_unknown(face, site_id=site.pk, face_model=FACE_MODEL)

        assert found is not None
        assert found.similarity == pytest.approx(0.8, abs=1e-4)

    def test_finds_nobody_where_no_stranger_was_seen(self) -> None:
        found = nearest_unknown(make_vector(), site_id=1, face_model=FACE_MODEL)

        assert found is None


class TestSimilarSightings:
    def test_finds_who_is_alike_enough_at_these_sites_the_most_alike_first(
        self,
    ) -> None:
        site, face = make_site(), make_vector()
        camera = make_camera(site=site)
        logs = [
            make_access_log(camera=camera, embedding=make_vector_like(face, similarity))
            for similarity in (0.5, 0.9, 0.3)
        ]
        make_access_log(embedding=face)
        make_access_log(camera=camera, embedding=None)
        make_access_log(camera=camera, embedding=face, face_model="another-128")

        found = gallery.similar_sightings(
            face, site_ids=[site.pk], face_model=FACE_MODEL, at_least=0.45
        )

        assert [each.pk for each in found] == [logs[1].pk, logs[0].pk]
        assert isinstance(found[0], Alike)
        assert found[0].similarity == pytest.approx(0.9, abs=1e-4)
