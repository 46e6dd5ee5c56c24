"""The pages about vehicles in a real browser, with a real web process."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.barrier_server import Barrier, barrier_server
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
from tests.system.conftest import Plant, new_plant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

pytestmark = pytest.mark.system

PASSWORD = "a long passphrase"
WATCHDOG_S = 900
"""Longer than all tests here together may take."""
SEED = """
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image
from tests.factories import (
    make_camera, make_employee, make_site, make_user, make_vehicle, make_vehicle_log)
from vehicles.models import BarrierCall, Gate, GateCamera
plates = Path({plates!r})
def stored(path, box=None):
    image = Image.open(plates / path).convert("RGB")
    if box:
        width, height = image.size
        edges = (box[0] * width, box[1] * height, box[2] * width, box[3] * height)
        image = image.crop(tuple(map(int, edges)))
    image.thumbnail((960, 540))
    file = BytesIO()
    image.save(file, "JPEG", quality=85)
    content = ContentFile(file.getvalue())
    part = "plate" if box else "whole"
    return default_storage.save(f"snapshots/vehicles/{{part}}-{{path}}", content)
site = make_site(name="Main plant", slug="main", time_zone="Asia/Kolkata")
gates = []
for number, name in enumerate(("North gate", "South gate"), start=1):
    camera = make_camera(
        site=site, code=f"CAM-G{{number}}", name=f"{{name}} lane", tasks=["plates"],
        direction="entry" if number == 1 else "exit")
    gate = Gate.objects.create(
        site=site, name=name, driver="http" if number == 1 else "none",
        address={barrier!r} if number == 1 else "")
    GateCamera.objects.create(gate=gate, camera=camera)
    gates.append((gate, camera))
asha = make_employee(site=site, code="E-104", name="Asha Rao")
now = timezone.now()
CARS = (
    ("KA01MS2658", "web_vehicles/KA01MS2658.jpg", dict(employee=asha)),
    ("KL55AA1363", "web_vehicles/KL55AA1363.jpg", dict(owner="Hill Haulage Ltd",
     status="visitor", valid_until=now + timedelta(days=90))),
    ("HR26DA2330", "web_vehicles/HR26DA2330.jpg",
     dict(status="blocked", reason="Drove off with a pallet in May")),
    ("DL2CAY3180", "web_vehicles/DL2CAY3180.jpg", None),
    ("KL01BX6699", "web_vehicles/KL01BX6699.jpg", None),
)
VERDICTS = {{"authorized": ("authorized", "listed"),
    "visitor": ("authorized", "visitor"),
    "blocked": ("blocked", "blocked"), None: ("unknown", "unlisted")}}
cars = []
for plate, path, values in CARS:
    vehicle = None
    if values is not None:
        vehicle = make_vehicle(site=site, plate_number=plate, **values)
    cars.append((plate, vehicle, stored(path), stored(path, (0.3, 0.5, 0.8, 0.9))))
for step in range(64):
    plate, vehicle, picture, crop = cars[(step * 3 + 1) % 5]
    gate, camera = gates[step % 2]
    at = now - timedelta(minutes=17 * step, seconds=40)
    status, reason = VERDICTS[vehicle and vehicle.status]
    least = 0.93
    if plate == "KL01BX6699":
        status, reason, least = "rejected", "low_confidence", 0.61
    confidences = [0.99, 0.98, least] + [0.97] * (len(plate) - 3)
    read = plate.replace("1", "I", 1)
    log = make_vehicle_log(
        camera=camera, gate=gate, vehicle=vehicle, plate_number=plate, as_read=read,
        occurred_at=at, last_seen_at=at + timedelta(seconds=12), snapshot=picture,
        plate_snapshot=crop, status=status, reason=reason, agreeing=2,
        ocr_confidence=least, direction=camera.direction,
        opens=status == "authorized",
        reads=[dict(frame=6, text=read, confidences=confidences),
            dict(frame=12, text=plate, confidences=confidences),
            dict(frame=18, text=plate[:-1], confidences=[0.7] * (len(plate) - 1))])
    if log.opens and gate.driver == "http":
        BarrierCall.objects.create(
            gate=gate, log=log, asked_at=at, result="opened", took_ms=84,
            answer="It answered 200.")
for name, role in (("sam", "Security"), ("ravi", "Site admin")):
    make_user(name, role=role, sites=[site], is_staff=role == "Site admin")
"""
COME = """
from django.utils import timezone
from streaming.models import Camera
from tests.vehicles.offers import offer
from vehicles import barrier
from vehicles.models import VehicleLog
from vehicles.services import record_visit
now = timezone.now()
seen = VehicleLog.objects.filter(plate_number={plate!r}).earliest("pk")
camera = Camera.objects.get(code="CAM-G1")
texts = [{plate!r}] * 2
record_visit(event=offer(
    camera, *texts, sure={sure}, first_seen_at=now, at=now,
    snapshot=seen.snapshot.read(), plate=seen.plate_snapshot.read(),
    track_id=now.toordinal() + now.microsecond))
assert barrier.finish()
"""


@dataclass(frozen=True)
class GateHouse:
    """A running site with gates, one of which has a barrier."""

    plant: Plant
    address: str
    barrier: Barrier

    @contextmanager
    def seen_by(self, name: str, *, path: str = "/gates") -> Iterator[Chrome]:
        with chromium() as browser:
            resize(browser, *WALL)
            log_in(browser, self.address, name, PASSWORD)
            browser.get(f"{self.address}{path}")
            yield browser

    @contextmanager
    def seen_without_scripts(self, name: str) -> Iterator[Chrome]:
        with chromium(with_scripts=False) as browser:
            log_in(browser, self.address, name, PASSWORD)
            browser.get(f"{self.address}/gates")
            yield browser

    def come(self, plate: str, *, sure: float = 0.95) -> None:
        """Have a vehicle come to the north gate."""
        self.plant.manage("shell", "-c", COME.format(plate=plate, sure=sure))


@pytest.fixture(scope="module")
def house(shared: Path) -> Iterator[GateHouse]:
    plates = str(shared / "samples" / "plates" / "indian")
    with new_plant() as plant, barrier_server() as barrier:
        seed = SEED.format(plates=plates, barrier=barrier.url)
        plant.manage("shell", "-c", seed)
        with plant.web(watchdog_s=WATCHDOG_S) as address:
            yield GateHouse(plant, address, barrier)


def say_why(browser: Chrome, *keys: str) -> None:
    browser.find_element(By.CSS_SELECTOR, "#last [data-open]").send_keys(*keys)


def is_live(browser: Chrome) -> bool:
    return words(browser, "#live") == "live"


def last_key(browser: Chrome) -> str | None:
    return browser.find_element(By.CSS_SELECTOR, "#last > li").get_attribute("data-key")


class TestPages:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_fit_a_phone_and_a_wall_screen(self, house: GateHouse, scheme: str) -> None:
        with house.seen_by("sam") as browser:
            for path in (
                "/gates",
                "/gates/1",
                "/gates/visits/1",
                "/gates/visits/3",
                "/vehicles",
                "/vehicles/KA01MS2658",
                "/muster",
            ):
                for size, wanted in {**SIZES, "wall": WALL}.items():
                    resize(browser, *wanted, scheme=scheme)
                    browser.get(f"{house.address}{path}")
                    name = path.strip("/").replace("/", "-")
                    photograph(browser, f"{name}-{size}-{scheme}")
                    assert not is_wider_than_the_screen(browser)
            assert severe_errors(browser) == []


class TestGate:
    def test_shows_whoever_comes_while_it_is_open(self, house: GateHouse) -> None:
        with house.seen_by("sam") as browser:
            wait_for(browser, is_live)
            browser.execute_script("window.stays = true")

            house.come("KA01MS2658")

            wait_for(browser, lambda b: "Asha Rao" in words(b, "#last"))
            wait_for(browser, lambda b: "opened" in words(b, ".last-opened").lower())
            assert "Authorized" in words(browser, "#last")
            assert "North gate" in words(browser, "#visits > li:first-child")
            assert browser.execute_script("return window.stays")
            assert severe_errors(browser) == []

    def test_keeps_the_vehicle_whose_form_is_being_written_in(
        self, house: GateHouse
    ) -> None:
        with house.seen_by("sam") as browser:
            wait_for(browser, is_live)
            before = last_key(browser)
            browser.find_element(By.TAG_NAME, "body").send_keys("o")
            reason = browser.switch_to.active_element
            reason.send_keys("Deliv")

            house.come("HR26DA2330")

            wait_for(browser, lambda b: "HR26DA2330" in words(b, "#held-last"))
            assert "BLOCKED" in words(browser, "#held-last")
            assert last_key(browser) == before
            photograph(browser, "gates-held")
            browser.find_element(By.ID, "held-last").click()
            wait_for(browser, lambda b: "BLOCKED" in words(b, "#last"))
            assert "Drove off with a pallet" in words(browser, "#last")
            assert not browser.find_elements(By.CSS_SELECTOR, "#last form")
            photograph(browser, "gates-blocked")

    def test_takes_the_word_of_a_person_and_opens_for_them(
        self, house: GateHouse
    ) -> None:
        house.come("KA01MS2658", sure=0.5)
        with house.seen_by("sam") as browser:
            wait_for(browser, is_live)
            assert "Not read" in words(browser, "#last")
            photograph(browser, "gates-rejected")
            told = len(house.barrier.told)
            browser.find_element(By.CSS_SELECTOR, "#last .name-form button").click()
            wait_for(browser, lambda b: "It was KA01MS2658" in words(b, "#messages"))
            assert "Authorized" in words(browser, "#last")
            assert len(house.barrier.told) == told

            browser.find_element(By.TAG_NAME, "body").send_keys("o")
            browser.switch_to.active_element.send_keys("Driver is known", Keys.ENTER)
            wait_for(browser, lambda b: "North gate opened" in words(b, "#messages"))
            assert len(house.barrier.told) == told + 1
            assert "by sam" in words(browser, ".last-opened")

    def test_tells_everybody_that_one_refused_and_then_let_in(
        self, house: GateHouse
    ) -> None:
        house.come("KA01MS2658", sure=0.5)
        with house.seen_by("sam") as browser, house.seen_without_scripts("ravi") as his:
            wait_for(browser, is_live)
            browser.find_element(By.TAG_NAME, "body").send_keys("o")
            browser.switch_to.active_element.send_keys("Driver is known")
            told = len(house.barrier.told)

            say_why(his, "No papers")
            his.find_element(By.CSS_SELECTOR, "#last .is-deny").click()
            wait_for(his, lambda b: "is denied" in words(b, "#messages"))
            assert not his.find_elements(By.CSS_SELECTOR, "#last .is-deny")

            wait_for(browser, lambda b: "denied by ravi" in words(b, "#held-last"))
            photograph(browser, "gates-denied-meanwhile")
            browser.switch_to.active_element.send_keys(Keys.ENTER)
            wait_for(browser, lambda b: "denied it meanwhile" in words(b, "#messages"))
            assert "Denied by ravi" in words(browser, "#last")
            photograph(browser, "gates-denied")
            wait_for(browser, is_live)
            assert len(house.barrier.told) == told

            say_why(his, "Found his papers", Keys.ENTER)
            wait_for(his, lambda b: "North gate opened" in words(b, "#messages"))
            assert len(house.barrier.told) == told + 1
            wait_for(browser, lambda b: "by ravi" in words(b, ".last-opened"))
            assert severe_errors(browser) == []

    def test_goes_through_the_visits_by_keyboard(self, house: GateHouse) -> None:
        with house.seen_by("sam") as browser:
            links = browser.find_elements(By.CLASS_NAME, "row-open")
            browser.find_element(By.TAG_NAME, "body").send_keys("jj")
            assert browser.switch_to.active_element == links[1]
            browser.switch_to.active_element.send_keys(Keys.ENTER)

            wait_for(browser, lambda b: b.find_elements(By.ID, "proof-title"))
            browser.find_element(By.TAG_NAME, "body").send_keys(Keys.ESCAPE)
            wait_for(browser, lambda b: b.current_url.endswith("/gates"))

    def test_needs_no_scripts(self, house: GateHouse) -> None:
        house.come("KL55AA1363", sure=0.5)
        with house.seen_without_scripts("sam") as browser:
            browser.find_element(By.CSS_SELECTOR, "#last .name-form button").click()

            wait_for(browser, lambda b: "It was KL55AA1363" in words(b, "#messages"))
            assert "Hill Haulage" in words(browser, "#last")
