"""Tracks of vehicles turned into plates."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pytest

from streaming.vision.types import Box, Label, Track
from tests.scenes import frame
from vehicles.formats import INDIA
from vehicles.plate_stage import (
    LASTS_S,
    LOOKS_PER_S,
    READS_KEPT,
    STILL_THERE_S,
    WAIT_S,
    PlateStage,
)
from vehicles.plates import FoundPlate, PlateModel, ReadText
from vehicles.rules import GatePolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streaming.vision.types import Image
    from vehicles.pipeline import PlateOffered

PICTURE: Image = np.zeros((90, 160, 3), np.uint8)
PLATE, OTHER = "MH12AB1234", "MH12AB1235"
SURE, UNSURE = 0.95, 0.6
BUMPER: Final = Box(0.48, 0.75, 0.52, 0.8)


@dataclass
class Site:
    """Implements both ports: every vehicle has a plate, which says what comes next."""

    says: list[tuple[str, float]] = field(default_factory=list)
    """What each look finds, one after another; the last one again and again."""
    at: Box = BUMPER
    """Where in the picture the plate is."""
    is_small: bool = False
    """Whether it is found in the vehicle's part of the picture alone."""
    looks: int = 0
    name = "site"

    def find(self, image: Image) -> list[FoundPlate]:
        self.looks += 1
        is_whole = image.shape == PICTURE.shape
        return [] if is_whole and self.is_small else [FoundPlate(self.at, 0.9)]

    def read(self, cuts: Sequence[Image]) -> list[ReadText]:
        text, sure = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        return [ReadText(text, (sure,) * len(text)) for _ in cuts]


def car(track_id: int = 1, *, x: float = 0.5, y: float = 0.9) -> Track:
    return Track(
        track_id, Box(x - 0.2, y - 0.5, x + 0.2, y), Label.CAR, 0.9, confirmed=True
    )


def stage(site: Site) -> PlateStage:
    return PlateStage(PlateModel(site, site), formats=INDIA, policy=GatePolicy())


def watch(
    watched: PlateStage, tracks: Sequence[Track], *, seconds: float, start_s: float = 0
) -> list[PlateOffered]:
    """Show the same vehicles for so long, ten pictures a second."""
    first = round(start_s * 10)
    return [
        event
        for index in range(first, first + round(seconds * 10))
        for event in watched.observe(frame(index, image=PICTURE), tracks)
    ]


class TestPlateStage:
    def test_tells_of_a_plate_once_two_pictures_agree(self) -> None:
        site = Site([(PLATE, SURE)])
        watched = stage(site)

        (event,) = watch(watched, [car()], seconds=20)
        assert [read.text for read in event.reads] == [PLATE, PLATE]
        assert (event.label, event.track_id) == (Label.CAR, 1)
        assert event.reader == Site.name
        assert event.snapshot.startswith(b"\xff\xd8")
        assert event.plate.startswith(b"\xff\xd8")
        assert site.looks == 2
        assert watched.forget(1) == ()

    def test_reads_pictures_that_are_apart(self) -> None:
        (event,) = watch(stage(Site([(PLATE, SURE)])), [car()], seconds=2)

        first, second = (read.frame_index for read in event.reads)
        assert (second - first) / 10 >= 1 / LOOKS_PER_S

    def test_shows_the_picture_of_the_deciding_read(self) -> None:
        site = Site([(PLATE, SURE), (OTHER, UNSURE), (PLATE, 0.9)])

        (event,) = watch(stage(site), [car()], seconds=2)
        best = max(event.reads, key=lambda read: read.lowest)
        assert event.frame_index == best.frame_index == 0
        assert event.at == frame(0).at
        last = max(read.frame_index for read in event.reads)
        assert event.seen_at == frame(last).at > event.at

    def test_goes_on_reading_until_it_is_sure(self) -> None:
        site = Site([(PLATE, UNSURE)] * 3 + [(PLATE, SURE)])

        (event,) = watch(stage(site), [car()], seconds=3)
        assert len(event.reads) == 4

    def test_tells_what_there_is_when_it_takes_long_and_once_more_when_sure(
        self,
    ) -> None:
        site = Site([(PLATE, UNSURE)])
        watched = stage(site)
        (early,) = watch(watched, [car()], seconds=WAIT_S + 2)
        site.says = [(PLATE, SURE)]

        (late,) = watch(watched, [car()], seconds=6, start_s=WAIT_S + 2)
        assert (early.reads[-1].lowest, late.reads[-1].lowest) == (UNSURE, SURE)
        assert early.event_id != late.event_id
        assert (early.at - frame(0).at).total_seconds() <= WAIT_S + 1

    def test_tells_now_and_then_of_one_that_stays(self) -> None:
        site = Site([(PLATE, SURE)])

        events = watch(stage(site), [car()], seconds=3 * STILL_THERE_S + 1)
        first, *more = events
        assert [event.is_more_of_same for event in events] == [False, True, True, True]
        assert len({event.event_id for event in events}) == len(events)
        for number, event in enumerate(more, start=1):
            stayed_s = (event.seen_at - first.seen_at).total_seconds()
            assert stayed_s == pytest.approx(number * STILL_THERE_S, abs=0.5)
            assert (event.reads, event.at) == (first.reads, first.at)
            assert event.snapshot == event.plate == b""
        assert site.looks == 2

    def test_tells_of_a_vehicle_that_left_with_one_read(self) -> None:
        watched = stage(Site([(PLATE, SURE), ("", 0)]))
        assert watch(watched, [car()], seconds=1) == []

        (event,) = watched.forget(1)
        assert [read.text for read in event.reads] == [PLATE]

    @pytest.mark.parametrize(("seconds", "events"), [(0.5, 0), (LASTS_S + 0.2, 1)])
    def test_tells_of_a_vehicle_without_a_plate_that_stayed(
        self, seconds: float, events: int
    ) -> None:
        watched = stage(Site([("", 0)]))
        watch(watched, [car()], seconds=seconds)

        told = watched.forget(1)
        assert len(told) == events
        assert all(event.reads == () and event.plate == b"" for event in told)

    def test_looks_less_and_less_at_what_stands_still(self) -> None:
        site = Site([("", 0)])
        watched = stage(site)
        watch(watched, [car()], seconds=10)
        soon = site.looks
        watch(watched, [car()], seconds=50, start_s=10)

        assert site.looks - soon < soon

    def test_looks_afresh_at_what_moves_on(self) -> None:
        site = Site([("", 0)])
        watched = stage(site)
        watch(watched, [car()], seconds=60)
        before = site.looks
        watch(watched, [car(x=0.6)], seconds=0.5, start_s=60)

        assert site.looks - before >= 2

    def test_keeps_the_surest_of_many_reads(self) -> None:
        says = [(PLATE[:-1] + str(n % 10), 0.5 + n / 100) for n in range(30)]
        watched = stage(Site(says))
        watch(watched, [car(x=0.3)], seconds=2)
        for step in range(12):
            watch(watched, [car(x=0.3 + step / 20)], seconds=1, start_s=2 + step)

        (event,) = watched.forget(1)
        assert len(event.reads) == READS_KEPT

    def test_gives_a_plate_to_the_nearest_vehicle_around_it(self) -> None:
        site = Site([(PLATE, SURE)], at=Box(0.4, 0.9, 0.6, 0.99))
        watched = stage(site)
        behind, before = car(1, y=0.7), car(2, y=0.9)

        events = watch(watched, [behind, before], seconds=2)
        assert [event.track_id for event in events] == [2]

    def test_finds_a_small_plate_in_the_part_of_its_vehicle(self) -> None:
        site = Site([(PLATE, SURE)], is_small=True)

        events = watch(stage(site), [car(1, x=0.2), car(2, x=0.8)], seconds=2)
        assert [event.track_id for event in events] == [1, 2]
        assert site.looks == 2 * 3

    @pytest.mark.parametrize(
        "track",
        [
            replace(car(), label=Label.PERSON),
            replace(car(), label=Label.BICYCLE),
            replace(car(), confirmed=False),
        ],
    )
    def test_leaves_alone_what_has_no_plate_or_is_unsure(self, track: Track) -> None:
        site = Site([(PLATE, SURE)])
        watched = stage(site)

        assert watch(watched, [track], seconds=3) == []
        assert watched.forget(1) == ()
        assert site.looks == 0

    def test_makes_the_same_events_of_the_same_recording(self) -> None:
        once, again = (
            watch(stage(Site([(PLATE, SURE)])), [car()], seconds=2) for _ in range(2)
        )

        assert once == again

    def test_reads_a_vehicle_that_is_partly_out_of_the_picture(self) -> None:
        events = watch(stage(Site([(PLATE, SURE)])), [car(x=0.95, y=1.1)], seconds=2)

        assert len(events) == 1
        assert 0 <= events[0].x <= 1
        assert 0 <= events[0].y <= 1
