"""The wall and the inbox of alerts in a real browser, with a worker that is a stand-in.

It publishes pictures as a vision worker does, so no detector has to run.
"""

from __future__ import annotations

import io
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageDraw, ImageFont
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from streaming.frames import FramePublisher, Kind
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
    from selenium.webdriver.remote.webelement import WebElement

pytestmark = pytest.mark.system

PASSWORD = "a long passphrase"
LIVE = 16
OUT = "CAM-99"
PICTURE_EVERY_S = 0.2
WATCHDOG_S = 600
"""Longer than all tests here together may take."""
SIZES_OF = {Kind.FULL: (1280, 720), Kind.TILE: (480, 270)}
SEED = """
from datetime import timedelta
from uuid import uuid4
from django.contrib.auth.models import Group
from django.utils import timezone
from alerts.models import Alert, Kind, Severity
from identity.models import User
from occupancy.models import CountingLine, OccupancyLog
from streaming.models import Camera, Site
now = timezone.now()
site = Site.objects.create(name="Main plant", slug="main")
places = ["gate", "hall", "hall", "yard"]
names = dict(gate="Gate", hall="Hall", yard="Yard")
for number in range({live} + 1):
    is_out, place = number == {live}, places[number % 4]
    camera = Camera.objects.create(
        site=site, code="{out}" if is_out else f"CAM-{{number + 1:02}}", place=place,
        name=f"{{names[place]}} {{number // 4 + 1}} " + ["south", "north"][number % 2],
        source_url="rtsp://192.0.2.1/stream", state="online", state_since=now,
        last_frame_at=now + timedelta(hours=1),
    )
    if is_out:
        Camera.objects.filter(pk=camera.pk).update(
            state="offline", state_cause="refused",
            state_since=now - timedelta(minutes=28),
            state_reason="192.0.2.1 refused the connection. Check the address.")
    for days, minutes in ((5, 3), (2, 400), (0, 28)) if is_out else ((3, 1),):
        started = now - timedelta(days=days, minutes=28)
        camera.outages.create(
            cause="refused", reason="It refused the connection.", started_at=started,
            ended_at=started + timedelta(minutes=minutes) if days else None)
    if place == "gate":
        line = CountingLine.objects.create(
            camera=camera, name="Door", x1=0.5, y1=0, x2=0.5, y2=1)
        for step in range(9):
            OccupancyLog.objects.create(
                event_id=uuid4(), camera=camera, line=line, entries=1,
                current_count=step + 1, occurred_at=now - timedelta(minutes=step * 7))
for kind, subject, severity, text, where in (
    (Kind.CAMERA_OFFLINE, "{out}", Severity.CRITICAL,
     "Gate 5 south has given no picture for 28 min: connection refused.", camera),
    (Kind.WORKER_LOST, "vision-2", Severity.WARNING,
     "Vision worker vision-2 has not reported for 40 s.", None),
):
    Alert.objects.create(
        kind=kind, subject=subject, severity=severity, text=text, camera=where,
        site=where and where.site, opened_at=now - timedelta(minutes=27))
for name, role in (("sam", "Security"), ("amir", "Site admin")):
    user = User.objects.create_user(username=name, password="{password}",
                                    is_staff=name == "amir")
    user.groups.add(Group.objects.get(name=role))
    user.sites.add(site)
"""
RAISE = """
from django.utils import timezone
from alerts import services
from alerts.models import AlertRule, Kind
from streaming.models import Camera
camera = Camera.objects.get(code="{code}")
AlertRule.objects.get_or_create(
    name="At once", defaults=dict(kind=Kind.CAMERA_OFFLINE, after_s=0))
services.raise_alert(
    kind=Kind.CAMERA_OFFLINE, subject=camera.code, site=camera.site, camera=camera,
    text="{text}", at=timezone.now())
"""
FALL_OUT = """
from streaming import live
from streaming.models import Camera
from streaming.serializers import CameraSerializer
camera = Camera.objects.get(code="{code}")
row = CameraSerializer(camera).data | dict(is_out=True)
live.publish(topic="streaming.camera", site_id=camera.site_id, data=row)
"""
LOOK_AT = """
const one = document.querySelector("[data-camera='{code}']");
new MutationObserver(() => {{
  if (!one.classList.contains("has-picture")) window.isTaken = true;
}}).observe(one, {{ attributes: true, attributeFilter: ["class"] }});
"""
TWO_OPEN = """
UPDATE alerts_alert SET state = 'resolved', resolved_at = now();
UPDATE alerts_alert SET
    state = 'open', note = '', acknowledged_at = NULL, acknowledged_by_id = NULL,
    resolved_at = NULL, resolved_by_id = NULL
WHERE id IN (SELECT id FROM alerts_alert ORDER BY id LIMIT 2);
"""
COUNT_SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(address) {
    super(address);
    window.sockets.push(address);
    // Once it is deaf it hears nothing, as when a network goes away without a word.
    this.addEventListener("message", (event) => {
      if (this.isDeaf) event.stopImmediatePropagation();
    });
    if (address.endsWith("/ws/pictures/")) window.pictures = this;
  }
};
"""


@dataclass(eq=False)
class Cameras(threading.Thread):
    """Publishes a changing picture of each watched camera, until it is told not to."""

    publisher: FramePublisher
    codes: list[str]
    silent: set[str] = field(default_factory=set)
    asked: set[tuple[str, Kind]] = field(default_factory=set)
    """All that was ever watched."""

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.wait(PICTURE_EVERY_S):
            watched = self.publisher.watched(self.codes)
            self.asked |= watched
            for code, kind in watched:
                if code not in self.silent and kind in SIZES_OF:
                    self.publisher.publish(code, kind, jpeg(code, kind))


def jpeg(code: str, kind: Kind) -> bytes:
    """Draw a picture that differs from camera to camera and from time to time."""
    width, height = SIZES_OF[kind]
    image = Image.new(
        "RGB", (width, height), f"hsl({sum(map(ord, code)) * 7}, 30%, 45%)"
    )
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(height / 5)
    draw.rectangle((0, height * 0.7, width, height), "#6b6b66")
    draw.text((width / 2, height / 2), f"{time.time():.1f}", "white", font, "mm")
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return file.getvalue()


@dataclass(frozen=True)
class Station:
    """A running site, and the worker's stand-in."""

    plant: Plant
    address: str
    cameras: Cameras

    @contextmanager
    def seen_by(self, name: str = "sam") -> Iterator[Chrome]:
        with chromium() as browser:
            browser.execute_cdp_cmd(
                "Page.addScriptToEvaluateOnNewDocument", {"source": COUNT_SOCKETS}
            )
            resize(browser, *WALL)
            log_in(browser, self.address, name, PASSWORD)
            yield browser


@pytest.fixture(scope="module")
def station(shared: Path) -> Iterator[Station]:
    with new_plant(models=shared / "models") as plant:
        seed = SEED.format(live=LIVE, out=OUT, password=PASSWORD)
        plant.manage("shell", "-c", seed)
        codes = [f"CAM-{number + 1:02}" for number in range(LIVE)]
        cameras = Cameras(FramePublisher(), codes)
        cameras.start()
        with plant.web(watchdog_s=WATCHDOG_S) as address:
            yield Station(plant, address, cameras)
        cameras.stopping.set()
        cameras.join()


def pictures(browser: Chrome) -> list[WebElement]:
    return browser.find_elements(By.CSS_SELECTOR, ".live-picture.has-picture")


def pixels(browser: Chrome, code: str) -> object:
    """Return what a camera's canvas holds, as text."""
    return browser.execute_script(
        "return document.querySelector(`[data-camera='${arguments[0]}'] canvas`)"
        ".toDataURL()",
        code,
    )


class TestWall:
    def test_shows_sixteen_cameras_over_one_socket(self, station: Station) -> None:
        with station.seen_by() as browser:
            wait_for(browser, lambda b: len(pictures(b)) == LIVE)

            first = pixels(browser, "CAM-07")
            wait_for(browser, lambda b: pixels(b, "CAM-07") != first)
            opened = browser.execute_script("return window.sockets")
            assert sum(address.endswith("/ws/pictures/") for address in opened) == 1
            assert "17 cameras, 1 offline" in words(browser, "h1")
            photograph(browser, "wall-1920")

            # All the browser's connections are free: it opens a page at once.
            browser.find_element(By.ID, "open-CAM-07").click()
            wait_for(browser, lambda b: "CAM-07" in b.current_url and pictures(b))
            assert ("CAM-07", Kind.FULL) in station.cameras.asked
            assert severe_errors(browser) == []

    def test_says_so_and_takes_the_picture_away_when_a_camera_stops(
        self, station: Station
    ) -> None:
        with station.seen_by() as browser:
            wait_for(browser, lambda b: len(pictures(b)) == LIVE)
            shown = "[data-camera='CAM-01']"

            station.cameras.silent.add("CAM-01")
            try:
                wait_for(browser, lambda b: len(pictures(b)) == LIVE - 1)
                assert "No picture" in words(browser, f"{shown} .picture-words")
                emptied = "return new Set(document.querySelector(arguments[0])"
                emptied += ".getContext('2d').getImageData(0, 0, 99, 99).data).size"
                assert browser.execute_script(emptied, f"{shown} canvas") <= 2
            finally:
                station.cameras.silent.clear()
            wait_for(browser, lambda b: len(pictures(b)) == LIVE)

    def test_takes_the_picture_away_as_soon_as_a_camera_is_said_to_be_out(
        self, station: Station
    ) -> None:
        with station.seen_by() as browser:
            wait_for(browser, lambda b: len(pictures(b)) == LIVE)
            wait_for(browser, lambda b: words(b, "#live") == "live")
            browser.execute_script(LOOK_AT.format(code="CAM-03"))

            # Its pictures go on, so that nothing but the word takes one away.
            station.plant.manage("shell", "-c", FALL_OUT.format(code="CAM-03"))

            wait_for(browser, lambda b: b.execute_script("return window.isTaken"))

    def test_connects_anew_when_the_server_is_heard_no_more(
        self, station: Station
    ) -> None:
        with station.seen_by() as browser:
            wait_for(browser, lambda b: len(pictures(b)) == LIVE)

            browser.execute_script("window.pictures.isDeaf = true")

            wait_for(browser, lambda b: not pictures(b))
            wait_for(browser, lambda b: len(pictures(b)) == LIVE)

    def test_tells_in_words_which_camera_is_out_since_when_and_why(
        self, station: Station
    ) -> None:
        with station.seen_by() as browser:
            tile = browser.find_element(By.CSS_SELECTOR, "#tiles > li")

            assert "OFFLINE since" in tile.text
            assert "connection refused" in tile.text
            assert "Gate 5" in tile.text

    def test_asks_only_for_what_is_in_sight(self, station: Station) -> None:
        with station.seen_by() as browser:
            wait_for(browser, lambda b: len(pictures(b)) == LIVE)
            resize(browser, *SIZES["phone"])
            wait_for(browser, lambda b: 0 < len(pictures(b)) < 6)

    def test_works_without_scripts(self, station: Station) -> None:
        with chromium(with_scripts=False) as browser:
            log_in(browser, station.address, "sam", PASSWORD)

            stills = browser.find_elements(By.CSS_SELECTOR, ".live-picture img")
            assert len(stills) == LIVE
            assert "17 cameras, 1 offline" in words(browser, "h1")
            loaded = "return arguments[0].naturalWidth"
            wait_for(browser, lambda b: b.execute_script(loaded, stills[0]) > 0)

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_fits_a_phone_as_its_other_pages_do(
        self, station: Station, scheme: str
    ) -> None:
        with station.seen_by("amir") as browser:
            for path in ("/", "/cameras/CAM-99", "/cameras/CAM-01", "/alerts/1"):
                for size, wanted in SIZES.items():
                    resize(browser, *wanted, scheme=scheme)
                    browser.get(f"{station.address}{path}")
                    if path in {"/", "/cameras/CAM-01"}:
                        wait_for(browser, pictures)
                    name = path.strip("/").replace("/", "-") or "wall"
                    photograph(browser, f"{name}-{size}-{scheme}")
                    assert not is_wider_than_the_screen(browser)


class TestInbox:
    @pytest.fixture(autouse=True)
    def two_open(self, station: Station) -> None:
        station.plant.execute(TWO_OPEN)

    def test_acknowledges_with_one_key_and_without_a_reload(
        self, station: Station
    ) -> None:
        with station.seen_by() as browser:
            browser.get(f"{station.address}/alerts")
            browser.execute_script("window.stays = true")
            assert "2" in words(browser, "#nav-alerts")
            photograph(browser, "inbox-1920")

            page = browser.find_element(By.TAG_NAME, "body")
            page.send_keys("j")
            browser.switch_to.active_element.send_keys("a")

            wait_for(browser, lambda b: "1" in words(b, "#nav-alerts"))
            assert "1 open, 1 acknowledged" in words(browser, "h1")
            assert "by sam" in words(browser, "#unresolved")
            assert browser.execute_script("return window.stays")
            assert "alert-" in (
                browser.switch_to.active_element.get_attribute("id") or ""
            )
            assert severe_errors(browser) == []

    def test_goes_through_the_rows_and_opens_one_by_keyboard(
        self, station: Station
    ) -> None:
        with station.seen_by() as browser:
            browser.get(f"{station.address}/alerts")
            rows = browser.find_elements(By.CLASS_NAME, "alert-open")
            page = browser.find_element(By.TAG_NAME, "body")

            page.send_keys("jj")
            assert browser.switch_to.active_element == rows[1]
            browser.switch_to.active_element.send_keys("k")
            assert browser.switch_to.active_element == rows[0]
            page.send_keys("/")
            search = browser.switch_to.active_element
            assert search.get_attribute("name") == "q"
            search.send_keys("j", Keys.ESCAPE)
            assert search.get_attribute("value") == "j"
            page.send_keys("j")
            browser.switch_to.active_element.send_keys(Keys.ENTER)

            wait_for(browser, lambda b: b.find_elements(By.ID, "history"))
            browser.find_element(By.TAG_NAME, "body").send_keys(Keys.ESCAPE)
            wait_for(browser, lambda b: b.current_url.endswith("/alerts"))

    def test_shows_a_new_alert_on_every_page_and_keeps_what_is_typed(
        self, station: Station
    ) -> None:
        with station.seen_by() as browser, station.seen_by() as other:
            browser.get(f"{station.address}/alerts")
            wait_for(browser, lambda b: words(b, "#live") == "live")
            wait_for(other, lambda b: words(b, "#live") == "live")
            note = browser.find_element(By.CSS_SELECTOR, "#unresolved .alert-note")
            note.send_keys("guard is on the")

            text = "Hall 1 north has given no picture for 61 s."
            seed = RAISE.format(code="CAM-02", text=text)
            station.plant.manage("shell", "-c", seed)

            wait_for(browser, lambda b: text in words(b, "#unresolved"))
            assert note.get_attribute("value") == "guard is on the"
            assert browser.switch_to.active_element == note
            wait_for(other, lambda b: text in words(b, "#ticker"))
