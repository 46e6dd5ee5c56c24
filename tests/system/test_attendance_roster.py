"""HR makes a shift and puts a department on it, in a real browser."""

from __future__ import annotations

from contextlib import contextmanager
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
WATCHDOG_S = 600
"""Longer than all tests here together may take."""
SEED = """
from datetime import timedelta
from uuid import uuid4
from django.utils import timezone
from attendance.models import PresenceEvent
from tests.factories import (
    make_assignment, make_department, make_employee, make_shift, make_site, make_user)
site = make_site(name="Main plant", slug="main", time_zone="Asia/Kolkata")
stores, line = (make_department(site=site, name=name) for name in ("Stores", "Line 2"))
early = make_shift(site=site, shift_name="Early")
names = ("Asha Rao", "Imran Sheikh", "Joseph Mathew", "Lakshmi Narayanan")
people = [
    make_employee(department=stores, code=f"E-{104 + place}", name=name)
    for place, name in enumerate(names)]
for person in people[:2]:
    make_assignment(employee=person, shift=early)
at = timezone.now() - timedelta(days=9)
PresenceEvent.objects.create(
    event_id=uuid4(), employee=people[0], source="api", way="in", occurred_at=at,
    last_seen_at=at)
make_user("hana", role="HR", sites=[site], is_staff=True)
"""
DAYS_AGO = """
const field = document.querySelector('[name=starts_on]');
const day = new Date(Date.now() - 4 * 864e5);
field.value = day.toISOString().slice(0, 10);
"""


@pytest.fixture(scope="module")
def office() -> Iterator[tuple[Plant, str]]:
    with new_plant() as plant:
        plant.manage("shell", "-c", SEED)
        with plant.web(watchdog_s=WATCHDOG_S) as address:
            yield plant, address


@contextmanager
def seen_by_hr(address: str) -> Iterator[Chrome]:
    with chromium() as browser:
        resize(browser, *SIZES["desktop"])
        log_in(browser, address, "hana", PASSWORD)
        yield browser


def photograph_all(browser: Chrome, name: str) -> None:
    """Photograph it at every size; none may scroll sideways."""
    for size, wanted in SIZES.items():
        resize(browser, *wanted)
        photograph(browser, f"{name}-{size}")
        assert not is_wider_than_the_screen(browser), (name, size)
    resize(browser, *SIZES["desktop"])


def press(browser: Chrome, text: str) -> None:
    button = f"//*[@id='main']//*[self::button or self::a][contains(., '{text}')]"
    found = browser.find_element(By.XPATH, button)
    browser.execute_script("arguments[0].click()", found)


def fill(browser: Chrome, name: str, value: str) -> None:
    """Set a field of the form, as a time or a date has it whatever the language."""
    field = browser.find_element(By.NAME, name)
    browser.execute_script("arguments[0].value = arguments[1]", field, value)


class TestRoster:
    def test_begins_with_a_shift_and_a_department(
        self, office: tuple[Plant, str]
    ) -> None:
        plant, address = office
        with seen_by_hr(address) as browser:
            browser.get(f"{address}/admin/attendance/shift/add/")
            fill(browser, "shift_name", "Night")
            fill(browser, "start_time", "22:00")
            fill(browser, "end_time", "06:00")
            photograph_all(browser, "shift-add")
            press(browser, "Save and continue")
            wait_for(browser, lambda b: "the next day, 8 h" in words(b, "#main"))
            photograph_all(browser, "shift")

            browser.get(f"{address}/admin/attendance/shiftassignment/put-on-shift/")
            shift = browser.find_element(By.NAME, "shift")
            (night,) = shift.find_elements(By.XPATH, "option[contains(., 'Night')]")
            night.click()
            label = "//label[contains(., 'Stores')]"
            browser.find_element(By.XPATH, label).click()
            browser.execute_script(DAYS_AGO)
            photograph_all(browser, "put-ask")
            press(browser, "Show what would happen")
            wait_for(browser, lambda b: "Ends Early" in words(b, "#main"))
            assert "Had no shift on these dates." in words(browser, "#main")
            photograph_all(browser, "put-confirm")
            assert not plant.rows(
                "SELECT 1 FROM attendance_shiftassignment a JOIN attendance_shift s "
                "ON s.id = a.shift_id WHERE s.shift_name = 'Night'"
            )

            press(browser, "Put 4 on this shift")
            wait_for(browser, lambda b: "Put on Night: 4 people." in words(b, "body"))
            assert "days are being worked out anew." in words(browser, "body")
            photograph_all(browser, "assignments")
            assert severe_errors(browser) == []
        assert plant.rows(
            "SELECT count(*) FROM attendance_shiftassignment WHERE ends_on IS NULL"
        ) == [(4,)]

    def test_is_looked_at_and_filled_in(self, office: tuple[Plant, str]) -> None:
        _, address = office
        with seen_by_hr(address) as browser:
            for name in ("shift", "leave", "holiday", "attendancerecord"):
                browser.get(f"{address}/admin/attendance/{name}/")
                photograph_all(browser, f"list-{name}")
            for name in ("shiftassignment", "leave", "holiday"):
                browser.get(f"{address}/admin/attendance/{name}/add/")
                photograph_all(browser, f"add-{name}")
            assert severe_errors(browser) == []

    def test_gives_a_wrong_file_back(
        self, office: tuple[Plant, str], tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        _, address = office
        file = tmp_path_factory.mktemp("import") / "people.csv"
        file.write_text("employee,shift,from\nE-104,Early,05/03/2026\nE-9,Early,\n")
        with seen_by_hr(address) as browser:
            browser.get(f"{address}/admin/attendance/shiftassignment/import/")
            browser.find_element(By.NAME, "import_file").send_keys(str(file))
            press(browser, "Submit")

            wait_for(browser, lambda b: "rows with their errors" in words(b, "#main"))
            photograph_all(browser, "import-errors")
