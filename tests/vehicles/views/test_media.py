"""Pictures of vehicles: who gets them, and who does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from tests.factories import make_user, make_vehicle_log
from tests.vehicles.offers import JPEG

if TYPE_CHECKING:
    from django.test import Client

    from streaming.models import Site
    from tests.vehicles.views.conftest import Visit

pytestmark = pytest.mark.django_db

PICTURES = [("picture", "snapshot"), ("plate", "plate_snapshot")]


def stored(content: bytes = JPEG) -> str:
    return default_storage.save("snapshots/vehicles/x.jpg", ContentFile(content))


@pytest.mark.parametrize(("end", "field"), PICTURES)
class TestPicture:
    def test_is_shown_and_stays_private(
        self, security: Client, visit: Visit, end: str, field: str
    ) -> None:
        log = visit(snapshot=stored(b"other"), plate_snapshot=stored(b"other"))
        setattr(log, field, stored())
        log.save()

        answer = security.get(f"/gates/visits/{log.pk}/{end}")
        assert answer.content == JPEG
        assert answer["Content-Type"] == "image/jpeg"
        assert answer["Cache-Control"] == "private, max-age=300"

    def test_is_replaced_by_words_where_none_was_kept(
        self, security: Client, visit: Visit, end: str, field: str
    ) -> None:
        answer = security.get(f"/gates/visits/{visit().pk}/{end}")

        assert answer.status_code == 404
        assert answer["Content-Type"] == "image/jpeg"

    def test_is_not_found_at_another_site(
        self, security: Client, end: str, field: str
    ) -> None:
        log = make_vehicle_log(**{field: stored()})

        answer = security.get(f"/gates/visits/{log.pk}/{end}")
        assert answer.status_code == 404
        assert answer.json()["code"] == "not_found"

    def test_is_refused_without_a_role_and_without_a_login(
        self, client: Client, site: Site, visit: Visit, end: str, field: str
    ) -> None:
        address = f"/gates/visits/{visit(**{field: stored()}).pk}/{end}"
        assert client.get(address).status_code == 401

        client.force_login(make_user("rob", sites=[site]))
        assert client.get(address).status_code == 403
