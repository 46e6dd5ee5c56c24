"""Month, muster, unknown faces and payroll in a real browser, and on paper."""

from __future__ import annotations

import base64
import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

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
from tests.system.conftest import new_plant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome

    from tests.system.conftest import Plant

pytestmark = pytest.mark.system

PASSWORD = "a long passphrase"
A4_LANDSCAPE = (1047, 718)
"""In CSS pixels, without the margins."""
WATCHDOG_S = 600
"""Longer than all tests here together may take."""
SEED = """
from datetime import date, datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image
from attendance import days
from attendance.models import AttendanceRecord
from tests.factories import (
    FACE_MODEL, make_access_log, make_assignment, make_camera, make_department,
    make_employee, make_face_sample, make_presence, make_shift, make_site,
    make_unknown_attendance, make_unknown_person, make_user, make_vector,
    make_vector_like)
zone = ZoneInfo("Asia/Kolkata")
now = timezone.now()
today = now.astimezone(zone).date()
site = make_site(name="Main plant", slug="main", time_zone="Asia/Kolkata")
other = make_site(name="Foundry", slug="foundry", time_zone="Asia/Kolkata")
gate, hall = (
    make_camera(site=site, code=code, name=name, tasks=["people", "faces"])
    for code, name in (("CAM-GATE", "Gate 1 north"), ("CAM-HALL", "Hall A")))
for name, role in (("hana", "HR"), ("sam", "Security")):
    make_user(name, role=role, sites=[site, other], is_staff=role == "HR")
begin = (now - timedelta(hours=3)).astimezone(zone).time().replace(second=0)
finish = (now + timedelta(hours=5)).astimezone(zone).time().replace(second=0)
shift = make_shift(
    site=site, shift_name="Early", start_time=begin, end_time=finish,
    weekly_off_days=[f"{{today + timedelta(days=2):%a}}".lower()])
parts = [make_department(site=site, name=name) for name in (
    "Line 2", "Maintenance and tool making", "Stores")]
people = []
for number, name in enumerate((
        "Asha Rao", "Imran Sheikh", "Joseph Mathew", "Lakshmi Narayanan", "Ravi Kumar",
        "Meera Iyer", "Venkataraghavan Subramaniam") * 9):
    one = make_employee(
        site=site, code=f"E-{{100 + number}}", name=name,
        department=parts[number % 3] if number % 10 else None)
    make_assignment(employee=one, shift=shift)
    people.append(one)
first = today - timedelta(days=20)
for number, one in enumerate(people):
    for day in range((today - first).days + 1):
        on = first + timedelta(days=day)
        start = datetime.combine(on, begin, zone)
        if (number + day) % 17 == 0 or (today - on).days % 7 == 5 or start > now:
            continue
        came = start + timedelta(minutes=(number * 7 + day * 5) % 26 - 10)
        make_presence(employee=one, camera=gate, occurred_at=came, way="in")
        left = start + timedelta(hours=8, minutes=(number * day) % 40 - 5)
        if left < now and (number * day) % 23:
            make_presence(employee=one, camera=gate, way="out", occurred_at=left)
    if number % 4 == 0:
        make_access_log(
            employee=one, camera=hall, occurred_at=now - timedelta(minutes=number))
keys = [one.pk for one in people]
days.recompute_days(employees=keys, first=first, last=today, now=now)
missed = AttendanceRecord.objects.filter(status="absent").order_by("pk")[:1]
AttendanceRecord.objects.filter(pk__in=missed.values("pk")).update(status="unverified")
make_employee(site=site, code="E-900", name="Late Comer")
leaver = make_employee(site=site, code="E-088", name="Kavya Menon", status="inactive")
make_access_log(employee=leaver, camera=gate, decision="unauthorized")
def shot(photo):
    file = BytesIO()
    image = Image.open(Path({faces!r}) / photo).convert("RGB")
    image.thumbnail((480, 480))
    image.save(file, "JPEG", quality=85)
    name = f"snapshots/unknown/{{uuid4().hex}}.jpg"
    return default_storage.save(name, ContentFile(file.getvalue()))
vector = make_vector(1)
stranger = make_unknown_person(site=site, sightings=3)
def unknown(photo, minutes, camera=gate, **values):
    at = now - timedelta(minutes=minutes)
    log = make_access_log(
        camera=camera, occurred_at=at, snapshot=shot(photo), **values)
    make_unknown_attendance(
        camera=camera, occurred_at=at, access_log=log, event_id=log.event_id,
        session=log.session, track_id=log.track_id)
for minutes in (8, 21, 64):
    unknown(
        "knn_examples/train/rose_leslie/img2.jpg", minutes, unknown_person=stranger,
        embedding=vector)
unknown("openface/adams.jpg", 130)
unknown("openface/carell.jpg", 170, decision="ambiguous", similarity=0.61)
for person, alike in ((people[0], 0.38), (people[9], 0.24), (people[14], 0.19)):
    like = make_vector_like(vector, alike, seed=1000 + person.pk)
    make_face_sample(
        employee=person, embedding=like, face_model=FACE_MODEL,
        image=shot("knn_examples/train/rose_leslie/img1.jpg"))
"""
COME = """
from django.db import transaction
from identity.models import AccessLog, Employee
from identity.serializers import AccessLogSerializer
from streaming import live
from streaming.models import Camera
from tests.factories import make_access_log, make_presence
camera = Camera.objects.get(code="CAM-HALL")
person = Employee.objects.get(code="E-900")
with transaction.atomic():
    make_presence(employee=person, camera=camera)
    log = make_access_log(employee=person, camera=camera)
    row = AccessLog.objects.with_names().get(pk=log.pk)
    data = AccessLogSerializer(row).data
    live.publish(topic="identity.accesslog", site_id=camera.site_id, data=data)
"""


@dataclass(frozen=True)
class Office:
    """A running site with a month of attendance."""

    plant: Plant
    address: str

    @contextmanager
    def seen_by(
        self, name: str, path: str, *, with_scripts: bool = True
    ) -> Iterator[Chrome]:
        with chromium(with_scripts=with_scripts) as browser:
            resize(browser, *SIZES["desktop"])
            log_in(browser, self.address, name, PASSWORD)
            browser.get(f"{self.address}{path}")
            yield browser


@pytest.fixture(scope="module")
def office(shared: Path) -> Iterator[Office]:
    faces = shared / "samples" / "faces"
    with new_plant(models=shared / "models") as plant:
        plant.manage("shell", "-c", SEED.format(faces=str(faces)))
        with plant.web(watchdog_s=WATCHDOG_S) as address:
            yield Office(plant, address)


def all_loaded(browser: Chrome) -> bool:
    """Whether every picture that is in sight has come."""
    return bool(
        browser.execute_script(
            "return [...document.images].filter((one) => "
            "one.getBoundingClientRect().top < innerHeight)"
            ".every((one) => one.complete && one.naturalWidth)"
        )
    )


def period() -> str:
    """Return the dates of all that is stored, and one to come."""
    today = datetime.now(ZoneInfo("Asia/Kolkata")).date()
    return f"from={today - timedelta(days=30)}&to={today + timedelta(days=1)}"


def inside(browser: Chrome) -> int:
    found = re.search(r"(\d+) inside", " ".join(words(browser, "h1").split()))
    return int(found.group(1)) if found else -1


def printed(browser: Chrome, name: str) -> int:
    """Print the page as the printer would, and return the number of sheets."""
    settings: dict[str, Any] = {"preferCSSPageSize": True, "printBackground": True}
    made = browser.execute_cdp_cmd("Page.printToPDF", settings)
    content = base64.b64decode(made["data"])
    if folder := os.environ.get("SCREENSHOTS"):
        (Path(folder) / f"{name}.pdf").write_bytes(content)
    counts = re.findall(rb"/Type\s*/Pages\b[^>]*?/Count\s+(\d+)", content)
    return max(map(int, counts), default=0)


class TestPages:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_fit_a_phone_and_a_desktop(self, office: Office, scheme: str) -> None:
        with office.seen_by("hana", "/muster") as browser:
            for path in (
                "/muster",
                "/attendance/month",
                "/attendance/unknown",
                "/attendance/unknown/1?q=Rao",
                f"/attendance/payroll?{period()}",
            ):
                for size, wanted in SIZES.items():
                    resize(browser, *wanted, scheme=scheme)
                    browser.get(f"{office.address}{path}")
                    wait_for(browser, all_loaded)
                    name = path.strip("/").partition("?")[0].replace("/", "-")
                    photograph(browser, f"sheet-{name}-{size}-{scheme}")
                    assert not is_wider_than_the_screen(browser), (path, size)
            assert severe_errors(browser) == []


class TestMonth:
    def test_leads_to_the_day_and_is_printed_on_landscape_sheets(
        self, office: Office
    ) -> None:
        with office.seen_by("hana", "/attendance/month") as browser:
            assert "64 people" in words(browser, "h1")
            assert printed(browser, "month") >= 2
            resize(browser, *A4_LANDSCAPE)
            media = {"media": "print"}
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
            photograph(browser, "month-paper")
            assert not is_wider_than_the_screen(browser)
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
            link = browser.find_element(By.CSS_SELECTOR, "tbody td a")
            address = link.get_attribute("href") or ""
            link.click()

            wait_for(browser, lambda b: b.current_url == address)
            assert severe_errors(browser) == []


class TestMuster:
    def test_counts_whoever_comes_while_it_is_open(self, office: Office) -> None:
        with office.seen_by("sam", "/muster") as browser:
            wait_for(browser, lambda b: words(b, "#live") == "live")
            browser.execute_script("window.stays = true")
            before = inside(browser)

            office.plant.manage("shell", "-c", COME)

            wait_for(browser, lambda b: inside(b) == before + 1)
            row = "//li[.//*[text()='Late Comer']]"
            assert "Hall A" in browser.find_element(By.XPATH, row).text
            assert browser.execute_script("return window.stays")
            assert severe_errors(browser) == []

    def test_is_printed_with_a_box_to_tick_and_a_page_per_site(
        self, office: Office
    ) -> None:
        with office.seen_by("sam", "/muster") as browser:
            shown = "return getComputedStyle(document.querySelector('.tick-box'))"
            assert browser.execute_script(f"{shown}.display") == "none"
            media = {"media": "print"}
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
            assert browser.execute_script(f"{shown}.display") == "block"
            assert not browser.find_element(By.CLASS_NAME, "frame").is_displayed()
            breaks = "return getComputedStyle(document.querySelectorAll("
            second = f"{breaks}'.muster-site')[1]).breakBefore"
            assert browser.execute_script(second) == "page"
            photograph(browser, "muster-paper")
            assert printed(browser, "muster") >= 3

    def test_needs_no_scripts(self, office: Office) -> None:
        with office.seen_by("sam", "/muster", with_scripts=False) as browser:
            assert inside(browser) > 0
            site = browser.find_element(By.NAME, "site")
            site.send_keys("Foundry")
            browser.find_element(By.XPATH, "//button[text()='Show']").click()

            wait_for(browser, lambda b: inside(b) == 0)


class TestUnknownFaces:
    def test_are_linked_all_visits_at_once_and_it_is_undone(
        self, office: Office
    ) -> None:
        with office.seen_by("hana", "/attendance/unknown") as browser:
            to_link = words(browser, "h1")
            assert "unknown faces" in to_link
            browser.find_element(By.CSS_SELECTOR, ".card .row-open").click()
            wait_for(browser, lambda b: "Who is this?" in words(b, "h1"))
            assert "All 3 visits" in words(browser, "#link")
            assert "somewhat alike" in words(browser, "#link")
            browser.find_element(By.CSS_SELECTOR, ".matches button").click()

            wait_for(browser, lambda b: "3 visits are linked" in words(b, "#messages"))
            photograph(browser, "face-linked")
            assert "linked to E-100 Asha Rao" in words(browser, ".recent")
            browser.find_element(By.CSS_SELECTOR, ".recent button").click()
            wait_for(browser, lambda b: "3 visits are to be" in words(b, "#messages"))
            browser.get(f"{office.address}/attendance/unknown")
            assert words(browser, "h1") == to_link
            assert severe_errors(browser) == []

    def test_are_gone_through_by_keyboard_without_scripts_too(
        self, office: Office
    ) -> None:
        with office.seen_by(
            "hana", "/attendance/unknown/4", with_scripts=False
        ) as browser:
            search = browser.find_element(By.ID, "search")
            search.send_keys("E-101", Keys.ENTER)
            wait_for(browser, lambda b: "This is E-101" in words(b, "#link"))
            dismiss = "form[action$='/dismiss'] button"
            browser.find_element(By.CSS_SELECTOR, dismiss).send_keys(Keys.ENTER)

            wait_for(browser, lambda b: "no employee" in words(b, "#messages"))


class TestPayroll:
    def test_warns_before_the_file_is_taken(self, office: Office) -> None:
        with office.seen_by("hana", "/attendance/payroll") as browser:
            assert "Payroll" in words(browser, "h1")
            browser.get(f"{office.address}/attendance/payroll?{period()}")

            told = words(browser, ".cautions")
            assert "not over" in told
            assert "1 day is unverified" in told
            taken = browser.find_element(By.LINK_TEXT, "CSV").get_attribute("href")
            assert f"payroll.csv?{period()}" in (taken or "")
