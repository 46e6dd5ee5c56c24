"""Pictures of people: who gets them, and who does not."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client, RequestFactory
from rest_framework.request import Request
from rest_framework_simplejwt.tokens import RefreshToken

from factory_site.roles import HR, INTEGRATOR, SECURITY, SITE_ADMIN
from streaming.auth import LINK_AGE
from streaming.snapshots import signed_url
from tests.factories import (
    make_access_log,
    make_camera,
    make_employee,
    make_face_sample,
    make_unknown_person,
    make_user,
)
from tests.identity.views.conftest import jpeg

if TYPE_CHECKING:
    from identity.models import AccessLog, Employee, User
    from streaming.models import Camera, Site

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(gate: Camera, stored: str) -> AccessLog:
    return make_access_log(camera=gate, snapshot=stored)


def path(log: AccessLog) -> str:
    return f"/access/{log.pk}/picture"


def link_to(address: str, user: User) -> str:
    request = Request(RequestFactory().get("/"))
    request.user = user
    return signed_url(address, request=request)


class TestPicture:
    def test_is_shown_and_stays_private(self, security: Client, log: AccessLog) -> None:
        answer = security.get(path(log))

        assert answer.content == jpeg()
        assert answer["Content-Type"] == "image/jpeg"
        assert answer["Cache-Control"] == "private, max-age=300"
        assert answer["X-Content-Type-Options"] == "nosniff"

    def test_is_not_sent_again_to_whoever_has_it(
        self, security: Client, log: AccessLog
    ) -> None:
        tag = security.get(path(log))["ETag"]

        assert (
            security.get(path(log), headers={"If-None-Match": tag}).status_code == 304
        )
        log.snapshot.save("other.jpg", ContentFile(jpeg("red")))
        assert (
            security.get(path(log), headers={"If-None-Match": tag}).status_code == 200
        )

    @pytest.mark.parametrize("role", [HR, SECURITY, INTEGRATOR, SITE_ADMIN])
    def test_is_for_all_roles(
        self, client: Client, site: Site, log: AccessLog, role: str
    ) -> None:
        client.force_login(make_user("rob", role=role, sites=[site]))

        assert client.get(path(log)).status_code == 200

    def test_is_refused_without_a_role(
        self, client: Client, site: Site, log: AccessLog
    ) -> None:
        client.force_login(make_user("rob", sites=[site]))

        answer = client.get(path(log))

        assert answer.status_code == 403
        assert answer.json()["code"] == "permission_denied"

    def test_is_refused_without_a_login(self, client: Client, log: AccessLog) -> None:
        answer = client.get(path(log))

        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == "Bearer"

    def test_is_not_found_at_another_site(self, security: Client, stored: str) -> None:
        elsewhere = make_access_log(camera=make_camera(), snapshot=stored)

        answer = security.get(path(elsewhere))

        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"

    def test_is_replaced_by_words_where_its_file_is_gone(
        self, security: Client, log: AccessLog
    ) -> None:
        default_storage.delete(str(log.snapshot))

        answer = security.get(path(log))

        assert answer.status_code == 404
        assert answer["Content-Type"] == "image/jpeg"
        assert answer.content.startswith(b"\xff\xd8")
        assert answer["Cache-Control"] == "no-store"

    def test_is_replaced_by_words_where_none_was_kept(
        self, security: Client, gate: Camera
    ) -> None:
        answer = security.get(path(make_access_log(camera=gate)))

        assert answer.status_code == 404
        assert answer["Content-Type"] == "image/jpeg"

    def test_is_only_to_be_looked_at(self, security: Client, log: AccessLog) -> None:
        assert security.post(path(log)).status_code == 405
        assert security.head(path(log)).status_code == 200

    def test_is_shown_to_a_token(self, sam: User, log: AccessLog) -> None:
        token = RefreshToken.for_user(sam).access_token
        told = {"Authorization": f"Bearer {token}"}

        assert Client().get(path(log), headers=told).status_code == 200
        told = {"Authorization": "Bearer nonsense"}
        assert Client().get(path(log), headers=told).status_code == 401


class TestLink:
    def test_opens_one_picture_without_a_login(
        self, sam: User, log: AccessLog, gate: Camera
    ) -> None:
        other = make_access_log(camera=gate, snapshot=log.snapshot.name)
        link = link_to(path(log), sam)

        assert link.startswith("http://testserver/access/")
        assert Client().get(link).status_code == 200
        moved = link.replace(path(log), path(other))
        assert Client().get(moved).status_code == 401

    def test_ends_after_five_minutes(
        self, sam: User, log: AccessLog, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        link = link_to(path(log), sam)
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + LINK_AGE.total_seconds() - 5)
        assert Client().get(link).status_code == 200
        monkeypatch.setattr(time, "time", lambda: now + LINK_AGE.total_seconds() + 5)
        assert Client().get(link).status_code == 401

    def test_ends_with_the_role_of_who_made_it(self, sam: User, log: AccessLog) -> None:
        link = link_to(path(log), sam)
        sam.groups.clear()

        assert Client().get(link).status_code == 403

    def test_is_the_bare_address_in_what_is_announced(self, log: AccessLog) -> None:
        assert signed_url(path(log), request=None) == path(log)


class TestPhoto:
    def test_belongs_to_the_person_in_its_address(
        self, security: Client, site: Site, asha: Employee, stored: str
    ) -> None:
        sample = make_face_sample(employee=asha, image=stored)
        make_employee(site=site, code="E-105")

        assert security.get(f"/people/E-104/faces/{sample.pk}").status_code == 200
        assert security.get(f"/people/E-105/faces/{sample.pk}").status_code == 404

    def test_is_not_found_at_another_site(self, security: Client, stored: str) -> None:
        elsewhere = make_employee(code="E-9")
        sample = make_face_sample(employee=elsewhere, image=stored)

        assert security.get(f"/people/E-9/faces/{sample.pk}").status_code == 404


class TestStranger:
    def test_is_shown_by_the_best_picture_that_is_kept(
        self, security: Client, site: Site, gate: Camera
    ) -> None:
        stranger = make_unknown_person(site=site)
        for name, quality in (("poor", 0.2), ("best", 0.9), ("", 1.0)):
            kept = name and default_storage.save(
                f"{name}.jpg", ContentFile(jpeg("red" if name == "best" else "blue"))
            )
            make_access_log(
                camera=gate, unknown_person=stranger, snapshot=kept, quality=quality
            )

        answer: Any = security.get(f"/unknown/{stranger.pk}/picture")

        assert answer.content == jpeg("red")

    def test_is_not_found_at_another_site(self, security: Client) -> None:
        stranger = make_unknown_person()

        assert security.get(f"/unknown/{stranger.pk}/picture").status_code == 404
