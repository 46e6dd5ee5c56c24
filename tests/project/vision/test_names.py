from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from factory_site.vision.names import KEPT, Names
from streaming.models import Camera
from tests.offers import make_offer
from tests.scenes import frame
from tests.vehicles.offers import offer as offer_plate

if TYPE_CHECKING:
    from identity.pipeline import FaceOffered

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def offer(track_id: int = 1, *, session: str = "first") -> FaceOffered:
    return make_offer(camera="CAM-1", session=session, track_id=track_id)


class TestNames:
    def test_are_those_of_the_frames_camera_and_session(self) -> None:
        names = Names()
        names.note(offer(7), "E-104")

        assert names.of(frame()) == {7: "E-104"}
        assert names.of(frame(session="second")) == {}
        assert names.of(frame(camera="CAM-2")) == {}

    def test_are_what_was_said_last(self) -> None:
        names = Names()
        names.note(offer(7), "unknown")
        names.note(offer(8), "unknown")
        names.note(offer(7), "E-104")
        names.note(offer(8), None)

        assert names.of(frame()) == {7: "E-104"}

    def test_are_those_of_people_and_of_vehicles(self) -> None:
        names = Names()
        vehicle = offer_plate(
            Camera(code="CAM-1"), "MH12AB1234", session="first", track_id=8
        )
        names.note(offer(7), "E-104")
        names.note(vehicle, "MH12AB1234")

        assert names.of(frame()) == {7: "E-104", 8: "MH12AB1234"}

    def test_are_forgotten_with_the_session(self) -> None:
        names = Names()
        names.note(offer(7), "E-104")
        names.note(offer(1, session="second"), "E-105")

        assert names.of(frame()) == {}
        assert names.of(frame(session="second")) == {1: "E-105"}

    def test_are_not_those_of_a_session_that_is_over(self) -> None:
        names = Names()
        names.note(offer(7), "E-104")
        waited = replace(offer(7, session="before"), at=NOON)
        names.note(waited, "E-105")

        assert names.of(frame()) == {7: "E-104"}

    def test_are_no_more_than_so_many_the_newest(self) -> None:
        names = Names()
        for track_id in range(2 * KEPT):
            names.note(offer(track_id), "unknown")

        assert list(names.of(frame())) == list(range(KEPT, 2 * KEPT))
