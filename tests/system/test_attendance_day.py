"""The day board, the page of a day and its correction in a real browser."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser import (
    SIZES,
    chromium,
    is_wider_than_the_screen,
    log_in,
    resize,
    severe_errors,
    wait_for,
    words,
)
from tests.system.conftest import Plant, new_plant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.system, pytest.mark.weights]

PASSWORD = "a long passphrase"
WATCHDOG_S = 600
"""Longer than all tests here together may take."""
SEED = """
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image
from attendance import corrections, days
from attendance.models import Leave
from tests.factories import (
    make_access_log, make_assignment, make_camera, make_department, make_employee,
    make_presence, make_record, make_shift, make_site, make_unknown_attendance,
    make_user)
faces = Path({faces!r}) / "knn_examples" / "train"
zone = ZoneInfo("Asia/Kolkata")
now = timezone.now()
today = now.astimezone(zone).date()
monday = date(2026, 3, 2)
site = make_site(name="Main plant", slug="main", time_zone="Asia/Kolkata")
gate = make_camera(site=site, code="CAM-GATE", name="Gate 1 north")
hana = make_user("hana", role="HR", sites=[site], is_staff=True)
day, night = (
    make_shift(site=site, shift_name=name, start_time=time(start), end_time=time(end))
    for name, start, end in (("Day", 9, 17), ("Night", 22, 6)))
stores, line, care = (
    make_department(site=site, name=name)
    for name in ("Stores", "Line 2", "Maintenance and tool making"))
def stored(photo):
    file = BytesIO()
    image = Image.open(faces / photo).convert("RGB")
    image.thumbnail((480, 480))
    image.save(file, "JPEG", quality=85)
    return default_storage.save("snapshots/known/x.jpg", ContentFile(file.getvalue()))
def at(on, hour, minute=0, second=0):
    return datetime.combine(on, time(hour, minute, second), zone)
def seen(person, when, way, shot):
    log = make_access_log(
        employee=person, camera=gate, occurred_at=when, snapshot=shot,
        similarity=0.71, threshold=0.45)
    make_presence(
        employee=person, camera=gate, occurred_at=when, way=way, source="face",
        access_log=log, similarity=0.71, threshold=0.45)
asha, imran, joseph = (
    make_employee(site=site, code=code, name=name, department=department)
    for code, name, department in (
        ("E-104", "Asha Rao", stores), ("E-088", "Imran Sheikh", line),
        ("E-131", "Joseph Mathew", care)))
shot = stored("rose_leslie/img2.jpg")
for person in (asha, imran, joseph):
    make_assignment(employee=person, shift=day)
tuesday = monday + timedelta(days=1)
for on in (monday, tuesday):
    seen(asha, at(on, 9, 22, 31), "in", shot)
    seen(asha, at(on, 16, 40), "out", shot)
people = [asha, imran, joseph]
for number in range(60):
    name = ("Lakshmi Narayanan", "Ravi Kumar", "Meera Iyer")[number % 3]
    one = make_employee(
        site=site, code=f"E-{{200 + number}}", name=f"{{name}} {{number}}",
        department=(stores, line, care)[number % 3])
    make_assignment(employee=one, shift=night if number % 7 == 0 else day)
    people.append(one)
    if number % 5:
        seen(one, at(monday, 8, 50) + timedelta(minutes=(number * 3) % 31), "in", "")
        if number % 6:
            seen(one, at(monday, 17, 5), "out", "")
    elif number % 10 == 0:
        Leave.objects.create(
            employee=one, starts_on=monday, ends_on=monday + timedelta(days=3))
keys = [one.pk for one in people]
days.recompute_days(employees=keys, first=monday, last=monday, now=now)
corrections.correct_day(
    employee=asha, on=tuesday, status=None, check_in_at=at(tuesday, 8, 58),
    check_out_at=at(tuesday, 17), reason="Seen by the foreman.", by=hana, at=now)
for record in imran.attendance_records.all():
    corrections.request_correction(
        record=record, text="I came at nine with the others, the gate was open.",
        check_in_at=at(monday, 9), check_out_at=at(monday, 17), by=hana, at=now)
joseph.attendance_records.update(status="unverified")
make_employee(site=site, code="E-140", name="Tara Without Shift")
make_unknown_attendance(camera=gate, occurred_at=at(monday, 9, 1))
"""
ARRIVE = """
from django.utils import timezone
from attendance.rules import Way
from attendance.services import stamp
from identity.models import Employee
now = timezone.now()
person = Employee.objects.select_related("site").get(code="E-140")
stamp(employee=person, way=Way.IN, at=now, event_id=None, by=None, now=now)
"""


@dataclass(frozen=True)
class Office:
    """A running site with a day of attendance."""

    plant: Plant
    address: str

    @contextmanager
    def seen_by(
        self, name: str, path: str, *, scripts: bool = True
    ) -> Iterator[Chrome]:
        with chromium(with_scripts=scripts) as browser:
            resize(browser, *SIZES["desktop"])
            log_in(browser, self.address, name, PASSWORD)
            browser.get(f"{self.address}{path}")
            yield browser


@pytest.fixture(scope="module")
def office(shared: Path) -> Iterator[Office]:
    faces = str(shared / "samples" / "faces")
    with new_plant(models=shared / "models") as plant:
        plant.manage("shell", "-c", SEED.format(faces=faces))
        with plant.web(watchdog_s=WATCHDOG_S) as address:
            yield Office(plant, address)


def photograph(browser: Chrome, name: str) -> None:
    """Save the whole page where SCREENSHOTS says, if it does."""
    folder = os.environ.get("SCREENSHOTS")
    if folder is None:
        return
    width = browser.execute_script("return innerWidth")
    height = browser.execute_script("return document.documentElement.scrollHeight")
    scheme = "dark" if name.endswith("dark") else "light"
    resize(browser, width, min(height, 4000), scheme=scheme)
    browser.save_screenshot(str(Path(folder) / f"{name}.png"))


def fill(browser: Chrome, name: str, value: str) -> None:
    """Put a value into a field as a person would, whatever the browser's language."""
    field = browser.find_element(By.NAME, name)
    browser.execute_script("arguments[0].value = arguments[1]", field, value)


class TestPages:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_fit_a_phone_and_a_desk(self, office: Office, scheme: str) -> None:
        with office.seen_by("hana", "/attendance") as browser:
            for name, path in (
                ("board-today", "/attendance"),
                ("board", "/attendance?date=2026-03-02"),
                ("board-unverified", "/attendance?date=2026-03-02&show=unverified"),
                ("day", "/attendance/E-104/2026-03-02"),
                ("day-asked", "/attendance/E-088/2026-03-02"),
                ("day-none", "/attendance/E-104/2026-03-09"),
                ("requests", "/attendance/requests"),
            ):
                for size, wanted in SIZES.items():
                    resize(browser, *wanted, scheme=scheme)
                    browser.get(f"{office.address}{path}")
                    assert not is_wider_than_the_screen(browser), name
                    photograph(browser, f"{name}-{size}-{scheme}")
            assert severe_errors(browser) == []


class TestBoard:
    def test_shows_who_comes_while_it_is_open(self, office: Office) -> None:
        with office.seen_by("hana", "/attendance?show=here") as browser:
            wait_for(browser, lambda b: words(b, "#live") == "live")
            browser.execute_script("window.stays = true")

            office.plant.manage("shell", "-c", ARRIVE)

            wait_for(browser, lambda b: "Tara" in words(b, "main"))
            assert "1 of" in words(browser, "#answer")
            assert browser.execute_script("return window.stays")
            assert severe_errors(browser) == []

    def test_is_gone_through_by_keyboard(self, office: Office) -> None:
        with office.seen_by("hana", "/attendance?date=2026-03-02") as browser:
            body = browser.find_element(By.TAG_NAME, "body")
            body.send_keys("j")
            browser.switch_to.active_element.send_keys(Keys.ENTER)

            wait_for(browser, lambda b: b.find_elements(By.ID, "story"))
            browser.find_element(By.TAG_NAME, "body").send_keys(Keys.ESCAPE)
            wait_for(browser, lambda b: b.find_elements(By.ID, "days"))
            assert "date=2026-03-02" in browser.current_url

    def test_confirms_absences_with_one_reason(self, office: Office) -> None:
        path = "/attendance?date=2026-03-02&show=unverified"
        with office.seen_by("hana", path) as browser:
            browser.find_element(By.ID, "tick-all").click()
            browser.find_element(By.ID, "reason").send_keys("Not on the gate's list.")
            browser.find_element(By.CSS_SELECTOR, ".confirm .is-main").click()

            wait_for(browser, lambda b: "1 day is absent" in words(b, "#messages"))
            assert "Nobody matches" in words(browser, "#none")


class TestDay:
    def test_is_corrected_with_a_reason_that_stays_in_its_history(
        self, office: Office
    ) -> None:
        reason = "Seen by the foreman."
        with office.seen_by("hana", "/attendance/E-104/2026-03-02") as browser:
            fill(browser, "correct-came_time", "08:58")
            fill(browser, "correct-left_time", "08:00")
            field = browser.find_element(By.NAME, "correct-reason")
            field.send_keys(reason)
            browser.find_element(By.CSS_SELECTOR, "#correct .is-main").click()
            wait_for(browser, lambda b: "before the arrival" in words(b, "#correct"))
            photograph(browser, "day-refused")
            fill(browser, "correct-left_time", "17:00")
            browser.find_element(By.CSS_SELECTOR, "#correct .is-main").click()

            wait_for(browser, lambda b: "is corrected" in words(b, "#messages"))
            assert reason in words(browser, "#changes")
            assert "Late" in words(browser, "#changes")
            assert "Present" in words(browser, "#result .status")
            photograph(browser, "day-corrected")

    def test_is_left_as_it_is_where_nothing_changes_and_the_reason_stays(
        self, office: Office
    ) -> None:
        reason = "Seen by the foreman, once more."
        path = "/attendance/E-104/2026-03-03"
        with office.seen_by("hana", path, scripts=False) as browser:
            browser.find_element(By.NAME, "correct-reason").send_keys(reason)
            browser.find_element(By.CSS_SELECTOR, "#correct .is-main").click()

            wait_for(browser, lambda b: "says already" in words(b, "#correct"))
            kept = browser.find_element(By.NAME, "correct-reason")
            assert kept.get_attribute("value") == reason
            assert reason not in words(browser, "#changes")

    def test_is_corrected_as_its_worker_says(self, office: Office) -> None:
        with office.seen_by("hana", "/attendance/requests") as browser:
            browser.find_element(By.CSS_SELECTOR, "[value=accepted]").click()

            wait_for(browser, lambda b: "as the worker says" in words(b, "#messages"))
            assert "Accepted by hana" in words(browser, "main")
