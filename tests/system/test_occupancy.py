"""The pages about occupancy in a real browser, with a real web process."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By

from tests.browser import (
    SIZES,
    chromium,
    is_wider_than_the_screen,
    log_in,
    photograph,
    resize,
    severe_errors,
    wait_for,
    words,
)
from tests.system.conftest import Plant, new_plant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome

pytestmark = pytest.mark.system

PASSWORD = "a long passphrase"
WATCHDOG_S = 900
"""Longer than all tests here together may take."""
SEED = """
import random
from datetime import timedelta
from zoneinfo import ZoneInfo
from django.utils import timezone
from occupancy import aggregation, periods
from occupancy.models import (
    Aggregation, AreaLine, DailyOccupancy, HourlyOccupancy, Zone)
from occupancy.rules import Direction
from occupancy.services import record_crossing
from streaming.models import Camera
from streaming.vision.types import Label
from tests.factories import (
    make_area, make_camera, make_crossing, make_line, make_site, make_user)
now = timezone.now()
site = make_site(name="Main plant", slug="main", time_zone="Asia/Kolkata")
def line(code, name, **values):
    values = {"state": Camera.State.ONLINE, "last_frame_at": now, **values}
    camera = make_camera(site=site, code=code, name=name, **values)
    return make_line(camera=camera)
front, back = line("CAM-FRONT", "Hall A front"), line("CAM-BACK", "Hall A back")
other, live = line("CAM-B", "Hall B door"), line("CAM-LIVE", "Loading bay door")
stores = line("CAM-STORES", "Stores", state=Camera.State.OFFLINE)
for name, capacity, doors in (
    ("Hall A", 40, ((front, False), (back, True))), ("Hall B", 6, ((other, False),)),
    ("Loading bay", 4, ((live, False),)), ("Whole site", None, ((front, False),))):
    area = make_area(site=site, name=name, capacity=capacity)
    for door, inverted in doors:
        AreaLine.objects.create(area=area, line=door, inverted=inverted)
square = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]
for camera, name, count, capacity in (
    (front.camera, "Queue at the gate", 2, 3), (back.camera, "Press 4", 0, None),
    (stores.camera, "Racks", 7, 5)):
    Zone.objects.create(camera=camera, name=name, points=square, live_count=count,
        capacity=capacity, counted_at=now)
def cross(line, way, at, **values):
    record_crossing(event=make_crossing(line, Direction(way), at=at, **values))
for times, way, door in (
    (36, "in", front), (6, "in", back), (2, "out", back), (7, "in", other),
    (3, "out", stores), (5, "in", stores)):
    for number in range(times):
        cross(door, way, now - timedelta(minutes=2, seconds=number))
for label, times in ((Label.CAR, 4), (Label.TRUCK, 2)):
    for _ in range(times):
        cross(stores, "in", now, label=label)
aggregation.catch_up(site=site, now=now)
chance = random.Random(7)
start = periods.hour_start(now, ZoneInfo(site.time_zone))
area = site.areas.get(name="Hall A")
for hours in range(1, 24 * 29):
    at = start - timedelta(hours=hours)
    local = site.local(at)
    busy = 0.2 if local.weekday() > 4 else 1
    shape = max(0, 1 - ((local.hour - 13) / 7) ** 2) * busy
    most = round(36 * shape * chance.uniform(0.8, 1.1))
    came = round(30 * shape * chance.uniform(0.5, 1.1))
    HourlyOccupancy.objects.get_or_create(
        site=site, area=area, kind="people", start=at, defaults=dict(
        end=at + timedelta(hours=1), avg_occupancy=most * 0.8, max_occupancy=most,
        min_occupancy=round(most * 0.5), total_entries=came,
        total_exits=round(came * 0.9), closing_count=most))
Aggregation.objects.filter(area=area).update(until=start)
for days in range(1, 29):
    at = (site.local(now) - timedelta(days=days)).replace(
        hour=0, minute=0, second=0, microsecond=0)
    most = chance.randint(30, 44)
    DailyOccupancy.objects.update_or_create(  # Past midnight yesterday is summed up.
        site=site, area=area, kind="people", start=at, defaults=dict(
        end=at + timedelta(days=1),
        avg_occupancy=most * 0.4, max_occupancy=most, min_occupancy=0,
        total_entries=most * 6, total_exits=most * 6, closing_count=0))
for name, role in (("sam", "Security"), ("ravi", "Site admin")):
    make_user(name, role=role, sites=[site], is_staff=role == "Site admin")
"""
CROSS = """
from django.utils import timezone
from occupancy.models import CountingLine
from occupancy.rules import Direction
from occupancy.services import record_crossing
from streaming.vision.types import Label
from tests.factories import make_crossing
line = CountingLine.objects.get(camera__code="CAM-LIVE")
for _ in range({times}):
    record_crossing(event=make_crossing(
        line, Direction({way!r}), at=timezone.now(), label=Label({label!r})))
"""
SET = """
from django.utils import timezone
from identity.models import User
from occupancy import corrections
from occupancy.models import Area
corrections.calibrate_area(
    area=Area.objects.get(name={area!r}), count={count}, reason="Counted",
    by=User.objects.get(username="ravi"), at=timezone.now())
"""


@dataclass(frozen=True)
class Hall:
    """A running site with halls, whose doors are counted."""

    plant: Plant
    address: str

    @contextmanager
    def seen_by(self, name: str, *, path: str = "/occupancy") -> Iterator[Chrome]:
        with chromium() as browser:
            resize(browser, *SIZES["desktop"])
            log_in(browser, self.address, name, PASSWORD)
            browser.get(f"{self.address}{path}")
            yield browser

    def cross(self, way: str, *, times: int = 1, label: str = "person") -> None:
        """Have people, or others, cross the line at the loading bay's door."""
        code = CROSS.format(way=way, times=times, label=label)
        self.plant.manage("shell", "-c", code)

    def set(self, area: str, count: int) -> None:
        self.plant.manage("shell", "-c", SET.format(area=area, count=count))


@pytest.fixture(scope="module")
def hall() -> Iterator[Hall]:
    with new_plant() as plant:
        plant.manage("shell", "-c", SEED)
        with plant.web(watchdog_s=WATCHDOG_S) as address:
            yield Hall(plant, address)


def is_live(browser: Chrome) -> bool:
    return words(browser, "#live") == "live"


def place(browser: Chrome, name: str) -> str:
    """Return the selector of an area's card."""
    card = browser.find_element(By.CSS_SELECTOR, f'.place[data-name="{name}"]')
    return f"#{card.get_attribute('id')}"


class TestPages:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_fit_a_phone_and_a_desktop(self, hall: Hall, scheme: str) -> None:
        with hall.seen_by("sam") as browser:
            link = browser.find_element(By.LINK_TEXT, "Correct the count")
            correct = link.get_attribute("href") or ""
            pages = {
                "now": "/occupancy",
                "hours": "/occupancy/history",
                "days": "/occupancy/history?by=day",
                "correct": correct.removeprefix(hall.address),
            }
            for name, path in pages.items():
                for size, wanted in SIZES.items():
                    resize(browser, *wanted, scheme=scheme)
                    browser.get(f"{hall.address}{path}")
                    photograph(browser, f"occupancy-{name}-{size}-{scheme}")
                    assert not is_wider_than_the_screen(browser)
            assert severe_errors(browser) == []


class TestNow:
    def test_counts_and_colours_while_it_is_open(self, hall: Hall) -> None:
        hall.set("Loading bay", 0)
        with hall.seen_by("sam") as browser:
            wait_for(browser, is_live)
            browser.execute_script("window.stays = true")
            bay = place(browser, "Loading bay")
            assert words(browser, f"{bay} [data-count]") == "0"
            assert "Room left" in words(browser, bay)

            hall.cross("in", times=4)
            wait_for(browser, lambda b: words(b, f"{bay} [data-count]") == "4")
            wait_for(browser, lambda b: "Getting full" in words(b, bay))
            hall.cross("in")
            wait_for(browser, lambda b: "OVER CAPACITY" in words(b, bay))

            assert words(browser, f"{bay} [data-count]") == "5"
            said = browser.find_element(By.ID, "said").get_property("textContent")
            assert said == "Loading bay is over its capacity: 5 of 4."
            wait_for(browser, lambda b: "over capacity" in words(b, "#answer"))
            wait_for(browser, lambda b: "2 over capacity" in words(b, "#answer"))
            hall.cross("out", times=5)
            wait_for(browser, lambda b: "Room left" in words(b, bay))
            assert browser.execute_script("return window.stays")
            assert severe_errors(browser) == []

    def test_takes_a_correction_and_keeps_what_was_refused(self, hall: Hall) -> None:
        with hall.seen_by("sam") as browser:
            bay = place(browser, "Whole site")
            browser.find_element(
                By.CSS_SELECTOR, f"{bay} .actions a[href$=correct]"
            ).click()
            browser.find_element(By.ID, "count").send_keys("-3")
            browser.find_element(By.ID, "reason").send_keys("Counted by hand")
            browser.find_element(By.CSS_SELECTOR, "main form button").click()

            wait_for(browser, lambda b: b.find_elements(By.ID, "count-error"))
            count = browser.find_element(By.ID, "count")
            assert "from 0 to" in words(browser, "#count-error")
            assert count.get_property("value") == "-3"
            assert browser.switch_to.active_element == count
            reason = browser.find_element(By.ID, "reason")
            assert reason.get_property("value") == "Counted by hand"
            photograph(browser, "occupancy-correct-refused")

            count.clear()
            count.send_keys("3")
            browser.find_element(By.CSS_SELECTOR, "main form button").click()
            wait_for(browser, lambda b: "3 inside now" in words(b, "#messages"))
            assert words(browser, f"{bay} [data-count]") == "3"

    @pytest.mark.parametrize("path", ["/cameras/CAM-LIVE", "/"])
    def test_is_of_people_on_the_other_pages_too(self, hall: Hall, path: str) -> None:
        with hall.seen_by("sam", path=path) as browser:
            wait_for(browser, is_live)
            counts = "#counts" if path != "/" else "#counts-CAM-LIVE"
            came = f'{counts} [data-count="in"] dd'
            before = int(words(browser, came))

            hall.cross("in", label="truck", times=3)
            hall.cross("in")

            wait_for(browser, lambda b: int(words(b, came)) > before)
            wait_for(browser, is_live)
            assert int(words(browser, came)) == before + 1

    def test_needs_no_scripts(self, hall: Hall) -> None:
        with chromium(with_scripts=False) as browser:
            log_in(browser, hall.address, "sam", PASSWORD)
            browser.find_element(By.LINK_TEXT, "Occupancy").click()

            wait_for(browser, lambda b: "Hall A" in words(b, "main"))
            assert words(browser, f"{place(browser, 'Hall B')} [data-count]") == "7"
            assert "OVER CAPACITY" in words(browser, place(browser, "Hall B"))
            assert "not known" in words(browser, place(browser, "Racks"))


class TestHistory:
    def test_is_found_by_choosing(self, hall: Hall) -> None:
        with hall.seen_by("sam", path="/occupancy/history") as browser:
            assert browser.find_elements(By.CSS_SELECTOR, ".chart-bar")
            assert browser.find_elements(By.CSS_SELECTOR, '.heat [data-heat="6"]')
            browser.find_element(By.LINK_TEXT, "By day").click()

            wait_for(browser, lambda b: "by=day" in b.current_url)
            rows = browser.find_elements(By.CSS_SELECTOR, ".lines tbody tr")
            assert len(rows) == 28
            assert severe_errors(browser) == []
