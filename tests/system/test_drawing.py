"""Drawing of lines and zones in a real browser, with a worker that is a stand-in.

It publishes pictures as a vision worker does, so no detector has to run.
"""

from __future__ import annotations

import io
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.pointer_input import PointerInput
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
WATCHDOG_S = 900
"""Longer than all tests here together may take."""
PICTURE_EVERY_S = 0.3
CODES = ["CAM-MOUSE", "CAM-TOUCH", "CAM-KEYS", "CAM-WRONG", "CAM-PLAIN", "CAM-LOOK"]
SEED = """
from tests.factories import (
    make_area, make_camera, make_line, make_site, make_user, make_zone)
site = make_site(name="Main plant", slug="main", time_zone="Asia/Kolkata")
for code in {codes}:
    camera = make_camera(site=site, code=code, name=f"Hall {{code[4:].lower()}}")
door = make_line(
    camera=camera, name="North door", x1=0.2, y1=0.75, x2=0.75, y2=0.85)
make_line(camera=camera, name="Yard gate", x1=0.9, y1=0.2, x2=0.85, y2=0.6,
    colour="green")
make_line(camera=camera, name="Old door", x1=0.1, y1=0.2, x2=0.3, y2=0.15,
    colour="purple", enabled=False)
make_zone(camera=camera, name="Press 4", capacity=4, restricted=True,
    restricted_from="22:00", restricted_until="06:00", loitering_seconds=120,
    points=[[0.35, 0.3], [0.6, 0.28], [0.66, 0.62], [0.5, 0.7], [0.33, 0.6]])
hall = make_area(site=site, name="Hall A", capacity=40, current_count=14)
hall.doors.create(line=door)
hall.doors.create(line=camera.lines.get(name="Yard gate"), inverted=True)
make_area(site=site, name="Hall B")
make_user("ravi", role="Site admin", sites=[site], is_staff=True)
"""
PLACE = """
const board = document.getElementById("board");
const [, , width, height] = board.getAttribute("viewBox").split(" ").map(Number);
const at = new DOMPoint(arguments[0] * width, arguments[1] * height);
const shown = at.matrixTransform(board.getScreenCTM());
return [Math.round(shown.x), Math.round(shown.y)];
"""
FOCUS_LINE = "document.querySelector('#board .shape[data-kind=line]').focus()"
Share = tuple[float, float]


def a_picture(clip: Path) -> bytes:
    """Return one picture of a recording as a JPEG."""
    with av.open(str(clip)) as recording:
        frame: Any = next(iter(recording.decode(video=0)))
    file = io.BytesIO()
    frame.to_image().save(file, "JPEG", quality=85)
    return file.getvalue()


def publish(stop: threading.Event, jpeg: bytes) -> None:
    """Publish the same picture of each camera, as a worker does."""
    publisher = FramePublisher()
    while not stop.wait(PICTURE_EVERY_S):
        for code in CODES:
            for kind in (Kind.FULL, Kind.TILE):
                publisher.publish(code, kind, jpeg)


@dataclass(frozen=True)
class Office:
    """A running site whose cameras give pictures, and who may draw on them."""

    plant: Plant
    address: str

    @contextmanager
    def drawing(self, code: str, *, size: tuple[int, int]) -> Iterator[Chrome]:
        """Open the page of a camera, and wait for its picture."""
        with chromium() as browser:
            resize(browser, *size)
            log_in(browser, self.address, "ravi", PASSWORD)
            self.open(browser, code)
            yield browser

    def open(self, browser: Chrome, code: str) -> None:
        browser.get(f"{self.address}/cameras/{code}/draw")
        wait_for(browser, lambda b: b.find_elements(By.CLASS_NAME, "has-picture"))

    def rows(self, table: str, columns: str, code: str) -> list[tuple[Any, ...]]:
        return self.plant.rows(
            f"SELECT {columns} FROM occupancy_{table} drawn JOIN streaming_camera "
            f"camera ON camera.id = camera_id WHERE code = '{code}' ORDER BY drawn.id"
        )


@pytest.fixture(scope="module")
def office(shared: Path) -> Iterator[Office]:
    jpeg = a_picture(shared / "samples" / "clips" / "pets_300f_768x576.mp4")
    with new_plant() as plant:
        plant.manage("shell", "-c", SEED.format(codes=CODES))
        stop = threading.Event()
        worker = threading.Thread(target=publish, args=(stop, jpeg))
        worker.start()
        try:
            with plant.web(watchdog_s=WATCHDOG_S) as address:
                yield Office(plant, address)
        finally:
            stop.set()
            worker.join()


def place(browser: Chrome, share: Share) -> tuple[int, int]:
    x, y = browser.execute_script(PLACE, *share)
    return x, y


def pointer(browser: Chrome, kind: str) -> Any:
    one = PointerInput(kind, kind)  # type: ignore[no-untyped-call]
    return ActionBuilder(browser, mouse=one, duration=30)


def drag(browser: Chrome, start: Share, end: Share, *, kind: str = "mouse") -> None:
    actions = pointer(browser, kind)
    finger = actions.pointer_action
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    finger.move_to_location(*place(browser, start)).pointer_down()
    for share in (middle, end):
        finger.move_to_location(*place(browser, share))
    finger.pointer_up()
    actions.perform()


def tap(browser: Chrome, share: Share, *, kind: str = "mouse") -> None:
    actions = pointer(browser, kind)
    actions.pointer_action.move_to_location(*place(browser, share))
    actions.pointer_action.pointer_down().pointer_up()
    actions.perform()


def field(browser: Chrome, name: str) -> WebElement:
    return browser.find_element(By.NAME, name)


def numbers(browser: Chrome, prefix: str) -> list[float]:
    names = ("x1", "y1", "x2", "y2")
    return [float(value(browser, f"{prefix}-{name}")) for name in names]


def value(browser: Chrome, name: str) -> str:
    return str(field(browser, name).get_property("value"))


def press(browser: Chrome, button: str) -> None:
    browser.find_element(By.ID, button).click()


def save(browser: Chrome) -> None:
    press(browser, "save")
    wait_for(browser, lambda b: "Saved." in words(b, "#messages"))


def keys(browser: Chrome, *typed: str) -> None:
    ActionChains(browser).send_keys(*typed).perform()


def said(browser: Chrome) -> str:
    """Return what a screen reader was told last."""
    return str(browser.find_element(By.ID, "said").get_property("textContent"))


def near(found: list[float], wanted: list[float]) -> bool:
    return found == pytest.approx(wanted, abs=0.012)


class TestMouse:
    def test_draws_a_line_drags_an_end_flips_undoes_and_saves(
        self, office: Office
    ) -> None:
        with office.drawing("CAM-MOUSE", size=SIZES["desktop"]) as browser:
            press(browser, "new-line")
            drag(browser, (0.2, 0.6), (0.6, 0.6))
            assert near(numbers(browser, "lines-1"), [0.2, 0.6, 0.6, 0.6])
            keys(browser, "Main door")
            photograph(browser, "draw-line-drawn")

            drag(browser, (0.6, 0.6), (0.8, 0.4))
            assert near(numbers(browser, "lines-1"), [0.2, 0.6, 0.8, 0.4])
            press(browser, "flip")
            assert near(numbers(browser, "lines-1"), [0.8, 0.4, 0.2, 0.6])
            press(browser, "undo")
            press(browser, "undo")
            assert near(numbers(browser, "lines-1"), [0.2, 0.6, 0.6, 0.6])
            assert value(browser, "lines-1-name") == "Main door"
            press(browser, "redo")
            drag(browser, (0.5, 0.5), (0.5, 0.6))  # the whole of it
            assert near(numbers(browser, "lines-1"), [0.2, 0.7, 0.8, 0.5])
            assert "Not saved yet" in words(browser, ".save-bar")

            save(browser)

            (row,) = office.rows(
                "countingline", "drawn.name, x1, y1, x2, y2", "CAM-MOUSE"
            )
            assert row[0] == "Main door"
            assert near(list(row[1:]), [0.2, 0.7, 0.8, 0.5])
            assert len(browser.find_elements(By.CSS_SELECTOR, "#board .shape")) == 1
            assert severe_errors(browser) == []


class TestTouch:
    def test_draws_a_zone_on_a_phone_and_drags_a_corner(self, office: Office) -> None:
        with office.drawing("CAM-TOUCH", size=SIZES["phone"]) as browser:
            press(browser, "new-zone")
            for corner in ((0.2, 0.2), (0.7, 0.2), (0.7, 0.7), (0.2, 0.7), (0.2, 0.2)):
                tap(browser, corner, kind="touch")
            assert value(browser, "zones-1-points").count("\n") == 3
            drag(browser, (0.7, 0.7), (0.8, 0.8), kind="touch")
            photograph(browser, "draw-zone-phone")
            field(browser, "zones-1-capacity").send_keys("4")

            save(browser)

            (row,) = office.rows("zone", "drawn.name, points, capacity", "CAM-TOUCH")
            assert (row[0], row[2]) == ("Zone 1", 4)
            corners = [number for corner in row[1] for number in corner]
            assert near(corners, [0.2, 0.2, 0.7, 0.2, 0.8, 0.8, 0.2, 0.7])
            assert severe_errors(browser) == []


class TestKeyboard:
    def test_does_all_that_the_mouse_does(self, office: Office) -> None:
        with office.drawing("CAM-KEYS", size=SIZES["desktop"]) as browser:
            browser.find_element(By.ID, "new-line").send_keys(Keys.ENTER)
            keys(browser, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_UP)
            assert near(numbers(browser, "lines-1"), [0.52, 0.29, 0.5, 0.7])
            assert said(browser) == "x 0.52, y 0.29"
            keys(browser, Keys.TAB, Keys.ARROW_LEFT)
            assert near(numbers(browser, "lines-1"), [0.52, 0.29, 0.49, 0.7])
            keys(browser, "f")
            assert near(numbers(browser, "lines-1"), [0.49, 0.7, 0.52, 0.29])
            photograph(browser, "draw-keyboard")

            browser.find_element(By.ID, "new-zone").send_keys(Keys.ENTER)
            keys(browser, Keys.INSERT, Keys.ARROW_UP)
            assert value(browser, "zones-1-points").count("\n") == 4
            keys(browser, Keys.DELETE, Keys.DELETE, Keys.DELETE)
            assert value(browser, "zones-1-points").count("\n") == 2
            assert "at least three corners" in said(browser)

            press(browser, "new-zone")
            keys(browser, Keys.ESCAPE)
            assert not browser.find_elements(By.NAME, "zones-2-name")
            ActionChains(browser).key_down(Keys.CONTROL).send_keys("zz").key_up(
                Keys.CONTROL
            ).perform()
            assert value(browser, "zones-1-points").count("\n") == 4

            save(browser)

            assert len(office.rows("zone", "drawn.id", "CAM-KEYS")) == 1
            press_shape = (
                "document.querySelector('#board .shape[data-kind=line]').focus()"
            )
            browser.execute_script(press_shape)
            keys(browser, Keys.DELETE)
            assert "deleted when you save" in words(browser, "#lines legend")
            save(browser)
            assert office.rows("countingline", "drawn.id", "CAM-KEYS") == []
            assert severe_errors(browser) == []


class TestRefusal:
    def test_is_told_beside_the_zone_and_loses_nothing(self, office: Office) -> None:
        with office.drawing("CAM-WRONG", size=SIZES["desktop"]) as browser:
            press(browser, "new-line")
            drag(browser, (0.1, 0.9), (0.9, 0.9))
            press(browser, "new-zone")
            for corner in ((0.2, 0.2), (0.6, 0.6), (0.6, 0.2), (0.2, 0.6)):
                tap(browser, corner)
            keys(browser, Keys.ENTER)
            press(browser, "save")
            wait_for(browser, lambda b: b.find_elements(By.CLASS_NAME, "refused"))

            assert "Zone 1: The zone's outline crosses" in words(browser, ".refused")
            assert "crosses itself" in words(browser, ".drawn[data-wrong]")
            photograph(browser, "draw-refused")
            wait_for(browser, lambda b: b.find_elements(By.CLASS_NAME, "has-picture"))
            assert office.rows("countingline", "drawn.id", "CAM-WRONG") == []
            drag(browser, (0.6, 0.6), (0.6, 0.1))
            save(browser)
            assert len(office.rows("countingline", "drawn.id", "CAM-WRONG")) == 1
            assert len(office.rows("zone", "drawn.id", "CAM-WRONG")) == 1


class TestPages:
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_fit_a_phone_and_a_wall_screen(self, office: Office, scheme: str) -> None:
        with office.drawing("CAM-LOOK", size=SIZES["desktop"]) as browser:
            for size, wanted in {**SIZES, "wall": WALL}.items():
                resize(browser, *wanted, scheme=scheme)
                office.open(browser, "CAM-LOOK")
                photograph(browser, f"draw-{size}-{scheme}")
                assert not is_wider_than_the_screen(browser)
                if size == "phone":
                    browser.execute_script("window.scrollTo(0, 900)")
                    photograph(browser, f"draw-{size}-below-{scheme}")
                for path in ("areas", "areas/1"):
                    browser.get(f"{office.address}/{path}")
                    photograph(browser, f"{path.replace('/', '-')}-{size}-{scheme}")
                    assert not is_wider_than_the_screen(browser)
            assert severe_errors(browser) == []

    def test_need_no_scripts(self, office: Office) -> None:
        with chromium(with_scripts=False) as browser:
            resize(browser, *SIZES["desktop"])
            log_in(browser, office.address, "ravi", PASSWORD)
            browser.get(f"{office.address}/cameras/CAM-PLAIN/draw")
            values = {"name": "Main door", "x1": "0.1", "y1": "0.5", "x2": "0.9"}
            for name, text in values.items():
                field(browser, f"lines-0-{name}").send_keys(text)
            press(browser, "save")
            assert "This field is required." in words(browser, "#lines .drawn")

            field(browser, "lines-0-y2").send_keys("0.6")
            press(browser, "save")
            wait_for(browser, lambda b: "Saved." in words(b, "#messages"))
            photograph(browser, "draw-plain")
            rows = office.rows("countingline", "drawn.name, y2", "CAM-PLAIN")
            assert rows == [("Main door", 0.6)]
