"""The pages about people in a real browser, with a real web process and worker."""

from __future__ import annotations

import io
import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser import (
    SIZES,
    WALL,
    chromium,
    is_wider_than_the_screen,
    log_in,
    photograph,
    resize,
    severe_errors,
    wait_for,
    words,
)
from tests.processes import running
from tests.system.conftest import Plant, new_plant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

pytestmark = [pytest.mark.system, pytest.mark.weights]

PASSWORD = "a long passphrase"
WATCHDOG_S = 900
"""Longer than all tests here together may take."""
SEED = """
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from uuid import uuid4
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image
from identity.face_model import the_face_model
from identity.faces import decode, main_face
from tests.factories import (
    make_access_log, make_camera, make_department, make_employee, make_face_sample,
    make_site, make_unknown_person, make_user)
faces = Path({faces!r})
def stored(name, path, box, side):
    image = Image.open(path).convert("RGB")
    width, height = image.size
    left, top, right, bottom = box
    edges = left * width, top * height, right * width, bottom * height
    image = image.crop(tuple(map(int, edges)))
    image.thumbnail((side, side))
    file = BytesIO()
    image.save(file, "JPEG", quality=85)
    return default_storage.save(name, ContentFile(file.getvalue()))
site = make_site(name="Main plant", slug="main", time_zone="Asia/Kolkata")
gate, hall = (
    make_camera(site=site, code=code, name=name, tasks=["people", "faces"])
    for code, name in (("CAM-GATE", "Gate 1 north"), ("CAM-HALL", "Hall A")))
stores, line = (make_department(site=site, name=name) for name in ("Stores", "Line 2"))
now = timezone.now()
WHOLE = (0, 0, 1, 1)
PEOPLE = (
    ("E-104", "Asha Rao", stores, "knn_examples/train/rose_leslie/img2.jpg", WHOLE),
    ("E-088", "Imran Sheikh", line, "knn_examples/train/kit_harington/john2.jpeg",
     (0.2, 0, 0.8, 1)),
    ("E-131", "Joseph Mathew", line, "knn_examples/train/obama/obama.jpg", WHOLE),
)
people = []
for code, name, department, photo, box in PEOPLE:
    person = make_employee(
        site=site, code=code, name=name, department=department, enrolled_at=now,
        last_seen_at=now, status="inactive" if code == "E-088" else "active")
    for size in (320, 220):
        image = stored(f"faces/{{uuid4().hex}}.jpg", faces / photo, box, size)
        make_face_sample(employee=person, image=image, quality=size / 400)
    shot = stored(f"snapshots/known/{{code}}.jpg", faces / photo, box, 480)
    people.append((person, shot))
make_employee(site=site, code="E-140", name="Lakshmi Narayanan", department=stores)
model = the_face_model()
def face_of(path):
    image = decode(path.read_bytes())
    return model.embedder.embed(image, main_face(model.finder.find(image)))
strangers = []
for photo, box in (("knn_examples/train/biden/biden.jpg", (0, 0, 1, 0.6)),
                   ("openface/adams.jpg", WHOLE), ("openface/carell.jpg", WHOLE)):
    shot = stored(f"snapshots/unknown/{{uuid4().hex}}.jpg", faces / photo, box, 480)
    number = 3 if "biden" in photo else 1
    face = dict(
        embedding=face_of(faces / photo).tolist(), face_model=model.embedder.name)
    one = make_unknown_person(
        site=site, sightings=number, **face, first_seen_at=now - timedelta(days=4),
        last_seen_at=now - timedelta(minutes=3 if number == 3 else 50))
    strangers.append((one, shot, number, face))
for step in range(70):
    at = now - timedelta(minutes=7 * step, seconds=40)
    person, shot = people[(step * 5) % 3 if step % 9 else 2]
    refused = not person.may_enter
    make_access_log(
        employee=person, camera=hall if step % 4 else gate, occurred_at=at,
        snapshot=shot, decision="unauthorized" if refused else "authorized",
        similarity=0.712, runner_up=0.118, votes=3, engine="local", direction="entry",
        last_seen_at=at + timedelta(seconds=25), flagged=step == 5)
for stranger, shot, number, face in strangers:
    for visit in range(number):
        at = stranger.last_seen_at - timedelta(days=2 * visit)
        make_access_log(
            camera=gate, unknown_person=stranger, occurred_at=at, snapshot=shot,
            similarity=0.21, runner_up=0.17, **face)
make_access_log(
    camera=hall, decision="ambiguous", similarity=0.61, runner_up=0.58,
    occurred_at=now - timedelta(minutes=20), snapshot=strangers[2][1])
for name, role in (("sam", "Security"), ("hana", "HR")):
    make_user(name, role=role, sites=[site], is_staff=role == "HR")
"""
SEE = """
from streaming import live
from django.db import transaction
from identity.models import AccessLog, Employee, UnknownPerson
from identity.serializers import AccessLogSerializer
from streaming.models import Camera
from tests.factories import make_access_log
person = Employee.objects.filter(code={code!r}).first()
stranger = None if person else UnknownPerson.objects.order_by("pk").first()
camera = Camera.objects.get(code="CAM-GATE")
with transaction.atomic():
    for _ in range({times}):
        log = make_access_log(employee=person, unknown_person=stranger, camera=camera)
        row = AccessLog.objects.with_names().get(pk=log.pk)
        data = AccessLogSerializer(row).data
        live.publish(topic="identity.accesslog", site_id=camera.site_id, data=data)
"""


@dataclass(frozen=True)
class Office:
    """A running site with people."""

    plant: Plant
    address: str
    faces: Path

    @contextmanager
    def seen_by(
        self, name: str, *arguments: str, path: str = "/access"
    ) -> Iterator[Chrome]:
        with chromium(*arguments) as browser:
            resize(browser, *WALL)
            log_in(browser, self.address, name, PASSWORD)
            browser.get(f"{self.address}{path}")
            yield browser

    def see(self, code: str, *, times: int = 1) -> None:
        """Have somebody seen at the gate; nobody known where the code is nobody's."""
        self.plant.manage("shell", "-c", SEE.format(code=code, times=times))


@pytest.fixture(scope="module")
def office(shared: Path) -> Iterator[Office]:
    faces = shared / "samples" / "faces"
    with new_plant(models=shared / "models") as plant:
        plant.manage("shell", "-c", SEED.format(faces=str(faces)))
        worker = [sys.executable, "-m", "celery", "-A", "factory_site", "worker"]
        worker += ["-l", "info", "-c", "1", "-P", "solo", "-n", "photos@office"]
        with (
            plant.web(watchdog_s=WATCHDOG_S) as address,
            running(worker, env=plant.env, watchdog_s=WATCHDOG_S) as looking,
        ):
            looking.wait_for("ready")
            yield Office(plant, address, faces)


def body(browser: Chrome) -> WebElement:
    return browser.find_element(By.TAG_NAME, "body")


def all_loaded(browser: Chrome) -> bool:
    """Whether every picture that is in sight has come."""
    return bool(
        browser.execute_script(
            "return [...document.images].filter((one) => one.hasAttribute('src') "
            "&& one.getBoundingClientRect().top < innerHeight)"
            ".every((one) => one.complete && one.naturalWidth)"
        )
    )


def known_today(browser: Chrome) -> int:
    found = re.search(r"(\d+) known", words(browser, "h1"))
    return int(found.group(1)) if found else -1


class TestPages:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_fit_a_phone_and_a_wall_screen(self, office: Office, scheme: str) -> None:
        with office.seen_by("hana") as browser:
            for path in (
                "/access",
                "/access/1",
                "/people",
                "/people/E-104",
                "/people/E-104/enrol",
                "/unknown",
                "/unknown/1?q=E-1",
                "/cameras/CAM-GATE",
            ):
                for size, wanted in {**SIZES, "wall": WALL}.items():
                    resize(browser, *wanted, scheme=scheme)
                    browser.get(f"{office.address}{path}")
                    if not path.startswith("/cameras"):
                        wait_for(browser, all_loaded)
                    name = path.strip("/").partition("?")[0].replace("/", "-")
                    photograph(browser, f"{name}-{size}-{scheme}")
                    assert not is_wider_than_the_screen(browser)
            assert severe_errors(browser) == []


class TestAccess:
    def test_shows_whoever_is_seen_while_it_is_open(self, office: Office) -> None:
        with office.seen_by("sam") as browser:
            wait_for(browser, lambda b: words(b, "#live") == "live")
            browser.execute_script("window.stays = true")
            before = known_today(browser)

            office.see("E-104")

            first = "#sightings > li:first-child"
            wait_for(browser, lambda b: "Asha Rao" in words(b, first))
            assert "Authorized" in words(browser, first)
            assert "Gate 1 north" in words(browser, first)
            wait_for(browser, lambda b: known_today(b) == before + 1)
            address = browser.find_element(By.CSS_SELECTOR, f"{first} a")
            assert "/access/" in (address.get_attribute("href") or "")
            assert browser.execute_script("return window.stays")
            assert severe_errors(browser) == []

    def test_counts_what_came_while_the_reader_is_further_down(
        self, office: Office
    ) -> None:
        with office.seen_by("sam") as browser:
            wait_for(browser, lambda b: words(b, "#live") == "live")
            browser.execute_script("scrollTo(0, 900)")
            wait_for(
                browser,
                lambda b: b.find_elements(By.CSS_SELECTOR, "#sightings[data-held]"),
            )
            rows = "return [...document.querySelectorAll('#sightings > li')]"
            keys = f"{rows}.map((row) => row.dataset.key)"
            before = browser.execute_script(keys)

            office.see("", times=2)

            wait_for(browser, lambda b: words(b, "#held") == "2 new")
            assert browser.execute_script(keys) == before
            photograph(browser, "access-held")
            browser.find_element(By.ID, "held").click()
            wait_for(browser, lambda b: b.execute_script(keys)[2:5] == before[:3])
            assert "Stranger 1" in words(browser, "#sightings > li:first-child")

    def test_keeps_to_its_filters_when_somebody_else_is_seen(
        self, office: Office
    ) -> None:
        path = "/access?person=E-131&decision=authorized"
        with office.seen_by("sam", path=path) as browser:
            wait_for(browser, lambda b: words(b, "#live") == "live")
            seen = words(browser, "h1")

            office.see("E-104")

            wait_for(browser, lambda b: words(b, "h1") != seen)
            assert "Asha Rao" not in words(browser, "#sightings")

    def test_goes_through_the_rows_and_opens_one_by_keyboard(
        self, office: Office
    ) -> None:
        with office.seen_by("sam") as browser:
            links = browser.find_elements(By.CLASS_NAME, "row-open")
            body(browser).send_keys("jj")
            assert browser.switch_to.active_element == links[1]
            browser.switch_to.active_element.send_keys("k")
            assert browser.switch_to.active_element == links[0]
            browser.switch_to.active_element.send_keys(Keys.ENTER)

            wait_for(browser, lambda b: b.find_elements(By.ID, "proof-title"))
            body(browser).send_keys(Keys.ESCAPE)
            wait_for(browser, lambda b: b.current_url.endswith("/access"))
            body(browser).send_keys("/")
            name = browser.switch_to.active_element.get_attribute("name")
            assert name == "person"

    def test_filters_without_scripts(self, office: Office) -> None:
        with chromium(with_scripts=False) as browser:
            log_in(browser, office.address, "sam", PASSWORD)
            browser.get(f"{office.address}/access")
            browser.find_element(By.NAME, "person").send_keys("Imran", Keys.ENTER)

            wait_for(browser, lambda b: "person=Imran" in b.current_url)
            rows = browser.find_elements(By.CSS_SELECTOR, "#sightings > li")
            assert rows
            assert all("REFUSED" in row.text for row in rows)


class TestEnrolment:
    def test_examines_a_photo_at_once_and_enrols_it(self, office: Office) -> None:
        train = office.faces / "knn_examples" / "train"
        with office.seen_by("hana", path="/people/E-140/enrol") as browser:
            photo = browser.find_element(By.ID, "photo")
            photo.send_keys(str(train / "rose_leslie" / "img1.jpg"))
            wait_for(browser, lambda b: judged(b) == "good")
            assert "px high" in words(browser, "#measures")
            photograph(browser, "enrolment-good")

            browser.find_element(By.ID, "submit").click()

            wait_for(browser, lambda b: b.current_url.endswith("/people/E-140"))
            assert "is known by this photo" in words(browser, "#messages")
            assert len(browser.find_elements(By.CSS_SELECTOR, ".photo-list li")) == 1
            wait_for(browser, all_loaded)
            assert severe_errors(browser) == []

    def test_says_why_not_and_keeps_the_photo(self, office: Office) -> None:
        three = office.faces / "knn_examples" / "test" / "obama_and_biden.jpg"
        with office.seen_by("hana", path="/people/E-104/enrol") as browser:
            browser.find_element(By.ID, "photo").send_keys(str(three))
            wait_for(browser, lambda b: judged(b) == "bad")
            assert "3 faces" in words(browser, "#verdict")
            photograph(browser, "enrolment-bad")

            browser.find_element(By.ID, "submit").click()

            wait_for(browser, lambda b: "Enrolling" not in words(b, "#verdict"))
            assert "3 faces" in words(browser, "#verdict")
            chosen = "return document.getElementById('photo').files[0].name"
            assert browser.execute_script(chosen) == three.name

    def test_says_that_the_login_has_ended(self, office: Office) -> None:
        train = office.faces / "knn_examples" / "train"
        with office.seen_by("hana", path="/people/E-104/enrol") as browser:
            # A page that is not live yet looks, and leads to the login by itself.
            wait_for(browser, lambda b: words(b, "#live") == "live")
            browser.delete_cookie("sessionid")
            photo = browser.find_element(By.ID, "photo")
            photo.send_keys(str(train / "rose_leslie" / "img1.jpg"))

            wait_for(browser, lambda b: judged(b) == "bad")
            assert "Your login has ended" in words(browser, "#verdict")

    def test_takes_the_photo_with_the_camera_of_the_device(
        self, office: Office, tmp_path: Path
    ) -> None:
        film = tmp_path / "face.mjpeg"
        obama = office.faces / "knn_examples" / "train" / "obama" / "obama.jpg"
        film.write_bytes(20 * wide(obama))
        camera = (
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={film}",
        )
        with office.seen_by("hana", *camera, path="/people/E-131/enrol") as browser:
            browser.find_element(By.ID, "use-camera").click()
            take = browser.find_element(By.ID, "take")
            wait_for(browser, lambda _: take.is_displayed())
            photograph(browser, "enrolment-camera")
            take.click()

            wait_for(browser, lambda b: judged(b) == "good")
            browser.find_element(By.ID, "submit").click()
            wait_for(browser, lambda b: b.current_url.endswith("/people/E-131"))
            assert len(browser.find_elements(By.CSS_SELECTOR, ".photo-list li")) == 3

    def test_says_what_to_do_where_the_camera_is_refused(self, office: Office) -> None:
        refuse = "--deny-permission-prompts"
        with office.seen_by("hana", refuse, path="/people/E-131/enrol") as browser:
            browser.find_element(By.ID, "use-camera").click()

            wait_for(browser, lambda b: judged(b) == "bad")
            assert "choose a file" in words(browser, "#verdict").lower()

    def test_needs_no_scripts(self, office: Office) -> None:
        none = office.faces.parent / "plates"
        with chromium(with_scripts=False) as browser:
            log_in(browser, office.address, "hana", PASSWORD)
            browser.get(f"{office.address}/people/E-104/enrol")
            browser.find_element(By.ID, "photo").send_keys(str(faceless(none)))
            browser.find_element(By.ID, "submit").click()

            wait_for(browser, lambda b: "No face" in words(b, "#verdict"))


class TestStranger:
    def test_is_found_again_by_a_photo(self, office: Office) -> None:
        biden = office.faces / "knn_examples" / "train" / "biden" / "biden2.jpg"
        with office.seen_by("sam", path="/unknown") as browser:
            browser.find_element(By.ID, "photo").send_keys(str(biden))
            browser.find_element(By.CSS_SELECTOR, ".search-form button").click()

            wait_for(browser, lambda b: "Seen 3 times" in words(b, "h1"))
            wait_for(browser, all_loaded)
            photograph(browser, "search")
            assert "Stranger 1" in words(browser, ".card")

    def test_gets_the_name_of_somebody_who_works_here(self, office: Office) -> None:
        with office.seen_by("hana", path="/unknown/3?q=Lakshmi") as browser:
            browser.find_element(By.CSS_SELECTOR, ".matches button").click()

            wait_for(browser, lambda b: b.current_url.endswith("/people/E-140"))
            assert "1 sighting of stranger 3" in words(browser, "#messages")
            assert "named later" in words(browser, ".timeline")


def judged(browser: Chrome) -> str | None:
    verdict = browser.find_element(By.ID, "verdict")
    return verdict.get_attribute("data-state")


def faceless(folder: Path) -> Path:
    """Return a picture that shows nobody."""
    return next(path for path in sorted(folder.rglob("*")) if path.suffix == ".jpg")


def wide(photo: Path) -> bytes:
    """Return a photo as the frame of a device's camera, as JPEG."""
    frame = Image.new("RGB", (1280, 720), "#888")
    with Image.open(photo) as opened:
        face = opened.convert("RGB")
    face.thumbnail((1280, 720))
    frame.paste(face, ((1280 - face.width) // 2, 0))
    file = io.BytesIO()
    frame.save(file, "JPEG", quality=90)
    return file.getvalue()
