"""The enrolment audit in the admin."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone

from factory_site.roles import HR
from identity import enrolment_audit
from identity.enrolment_audit import LookAlikes
from tests.factories import make_employee, make_face_sample, make_site, make_user

if TYPE_CHECKING:
    from django.test import Client

    from streaming.models import Site

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("role_groups", "redis_client"),
]


@pytest.fixture
def site() -> Site:
    return make_site(name="Press plant")


@pytest.fixture
def hana(client: Client, site: Site) -> Client:
    client.force_login(make_user("hana", role=HR, sites=[site], is_staff=True))
    return client


def page(client: Client) -> str:
    response = client.get(reverse("admin:identity_employee_audit"))
    assert response.status_code == 200
    return response.content.decode()


class TestAuditPage:
    def test_says_first_how_much_there_is_to_do(self, hana: Client, site: Site) -> None:
        model = enrolment_audit.present_model()
        one, other = (make_employee(site=site, code=f"E-{n}") for n in (1, 2))
        for employee in (one, other):
            make_face_sample(
                employee=employee,
                face_model=model,
                quality=0.3,
                created_at=timezone.now() - timedelta(days=1000),
            )
        make_employee(site=site, code="E-3")
        found = LookAlikes(at=timezone.now(), pairs=[(one.pk, other.pk, 0.51)])
        enrolment_audit.keep_look_alikes(site_id=site.pk, found=found)

        text = page(hana)

        assert (
            "Enrolment audit: 1 has no photo, 2 have only old photos, 2 have only poor "
            "photos, 1 pair looks alike." in text
        )
        for title in ("Without a photo: 1", "Old photos: 2", "Look alike: 1", "0.51"):
            assert title in text
        assert reverse("enrol", args=["E-3"]) in text
        assert reverse("admin:identity_employee_change", args=[one.pk]) in text

    def test_says_that_all_is_well(self, hana: Client) -> None:
        assert "Enrolment audit: nothing to look after" in page(hana)

    def test_says_when_nobody_was_compared(self, hana: Client, site: Site) -> None:
        assert "it was not lately" in page(hana)

    def test_shows_nobody_of_another_site(self, hana: Client, site: Site) -> None:
        make_employee(code="THEIRS")

        assert "THEIRS" not in page(hana)

    def test_is_linked_from_the_list(self, hana: Client) -> None:
        text = hana.get(reverse("admin:identity_employee_changelist")).content.decode()

        assert reverse("admin:identity_employee_audit") in text

    def test_is_not_for_those_who_may_not_see_people(
        self, client: Client, site: Site
    ) -> None:
        client.force_login(make_user("x", sites=[site], is_staff=True))

        response = client.get(reverse("admin:identity_employee_audit"))

        assert response.status_code == 403
