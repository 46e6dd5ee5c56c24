"""From a recording of a gate to its barrier and its page, by the real processes."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import pytest
from selenium.webdriver.common.by import By

from tests.barrier_server import barrier_server
from tests.browser import (
    WALL,
    chromium,
    log_in,
    photograph,
    resize,
    severe_errors,
    wait_for,
    words,
)
from tests.processes import free_port
from tests.system.conftest import wait_until
from vehicles.barrier import LATEST, TOO_OLD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

    from tests.processes import Running
    from tests.system.conftest import Plant

pytestmark = [pytest.mark.system, pytest.mark.weights]
PATIENCE_S: Final = 100
WATCHDOG_S: Final = 300
PASSWORD = "a long passphrase"
PLATE: Final = "UP32MW0479"
WHY: Final = "Drove off with a pallet"
GATE = """
from streaming.models import Camera, Site
from tests.factories import make_user
from vehicles.models import Gate, GateCamera, Vehicle
site = Site.objects.create(name="Plant", slug="plant", time_zone="UTC")
camera = Camera.objects.create(
    site=site, code="CAM-GATE", name="Lane", source_url={clip!r}, direction="entry",
    tasks=["plates"],
)
gate = Gate.objects.create(
    site=site, name="North gate", driver="http", address={barrier!r}
)
GateCamera.objects.create(gate=gate, camera=camera)
Vehicle.objects.create(
    site=site, plate_number={plate!r}, status={status!r}, reason={why!r},
    owner="Hill Haulage Ltd",
)
make_user("sam", role="Security", sites=[site])
"""
VISITS = """
SELECT log.plate_number, log.status, log.opens, gate.name, log.snapshot,
       log.plate_snapshot
FROM vehicles_vehiclelog log JOIN vehicles_gate gate ON gate.id = log.gate_id
WHERE log.status <> 'rejected' ORDER BY log.id
"""
"""Without other vehicles in the recording: their plates are too small to be read."""
CALLS = """
SELECT log.plate_number, call.result, call.answer
FROM vehicles_barriercall call JOIN vehicles_vehiclelog log ON log.id = call.log_id
ORDER BY call.id
"""
SETTLED = """
SELECT call.id FROM vehicles_barriercall call
WHERE call.answer <> 'No word came of whether it opened.'
"""
ALERTS = "SELECT kind, severity, state, text FROM alerts_alert ORDER BY id"
PLAYED = "SELECT state_since FROM streaming_camera WHERE state = 'ended'"


@dataclass(frozen=True)
class GateHouse:
    """A plant with one gate, before which a recording of one car is played."""

    plant: Plant
    clip: Path

    def build(self, barrier: str, *, status: str = "authorized", why: str = "") -> None:
        """Make the gate; `status` is what the car is registered as."""
        script = GATE.format(
            clip=str(self.clip), barrier=barrier, plate=PLATE, status=status, why=why
        )
        self.plant.manage("shell", "-c", script)

    @contextmanager
    def seen_by_guard(self, path: str) -> Iterator[Chrome]:
        """Give a browser that shows a page, live."""
        with (
            self.plant.web(watchdog_s=WATCHDOG_S) as address,
            chromium() as browser,
        ):
            resize(browser, *WALL)
            log_in(browser, address, "sam", PASSWORD)
            browser.get(f"{address}{path}")
            wait_for(browser, lambda b: words(b, "#live") == "live")
            yield browser

    @contextmanager
    def played(self) -> Iterator[Running]:
        """Have the worker play the recording, and leave it when it has ended."""
        before = self.plant.rows(PLAYED)
        with self.plant.vision() as worker:
            yield worker
            wait_until(
                lambda: self.plant.rows(PLAYED) not in ([], before),
                timeout_s=PATIENCE_S,
            )
            worker.send(signal.SIGTERM)
            assert worker.exit_code() == 0

    def calls(self) -> list[tuple[Any, ...]]:
        return self.plant.rows(CALLS)

    def wait_for_call(self) -> None:
        """Wait until a barrier was told, or was not, for the visit."""
        wait_until(lambda: bool(self.plant.rows(SETTLED)), timeout_s=PATIENCE_S)

    def visit(self) -> tuple[Any, ...]:
        """Return the only visit, without its pictures, which must be there."""
        ((*visit, vehicle, plate),) = self.plant.rows(VISITS)
        for picture in (vehicle, plate):
            stored = self.plant.folder / "media" / picture
            assert stored.read_bytes().startswith(b"\xff\xd8")
        return tuple(visit)


@pytest.fixture
def house(empty_plant: Plant, shared: Path) -> GateHouse:
    plant = replace(empty_plant, models=shared / "models")
    return GateHouse(plant, shared / "samples" / "clips" / f"car_{PLATE}.mp4")


def row_of_the_car(browser: Chrome) -> WebElement:
    """Return its row among the visits."""
    selector = f"#visits > li[data-version*='{PLATE}']"
    return browser.find_element(By.CSS_SELECTOR, selector)


class TestGate:
    def test_opens_once_for_a_registered_vehicle_and_shows_it(
        self, house: GateHouse
    ) -> None:
        with barrier_server() as barrier:
            house.build(barrier.url)
            with house.seen_by_guard("/gates") as browser:
                with house.played():
                    house.wait_for_call()
                    wait_for(browser, lambda b: "\nopened" in row_of_the_car(b).text)
                row = row_of_the_car(browser).text
                photograph(browser, "gate-opened")
                assert severe_errors(browser) == []
            assert "Authorized" in row
            assert "Hill Haulage" in row
            assert "North gate" in row
            assert house.visit() == (PLATE, "authorized", True, "North gate")
            assert house.calls() == [(PLATE, "opened", "It answered 200.")]

            with house.played():
                pass

        assert [(told.path, told.payload) for told in barrier.told] == [
            ("/open", "open")
        ]
        assert house.visit() == (PLATE, "authorized", True, "North gate")
        assert len(house.calls()) == 1

    def test_stays_shut_for_a_blocked_vehicle_and_somebody_is_told(
        self, house: GateHouse
    ) -> None:
        with barrier_server() as barrier:
            house.build(barrier.url, status="blocked", why=WHY)
            with house.seen_by_guard("/alerts") as browser:
                with house.played():
                    wait_until(
                        lambda: bool(house.plant.rows(ALERTS)), timeout_s=PATIENCE_S
                    )
                    wait_for(browser, lambda b: PLATE in words(b, "#unresolved"))
                (alert,) = browser.find_elements(By.CSS_SELECTOR, "#unresolved > li")
                assert "Critical" in alert.text
                assert f"{PLATE}, which is blocked ({WHY}), is at" in alert.text
                photograph(browser, "gate-blocked-alert")

                alert.find_element(By.LINK_TEXT, "its visits").click()
                wait_for(browser, lambda b: "BLOCKED" in row_of_the_car(b).text)
                assert "not opened" in row_of_the_car(browser).text
                row_of_the_car(browser).find_element(By.TAG_NAME, "a").click()
                wait_for(browser, lambda b: WHY in words(b, "main"))
                photograph(browser, "gate-blocked")

        assert barrier.told == []
        assert house.visit() == (PLATE, "blocked", False, "North gate")
        assert house.calls() == []

    def test_tells_of_a_barrier_that_is_down_and_does_not_open_it_later(
        self, house: GateHouse
    ) -> None:
        port = free_port()
        house.build(f"http://127.0.0.1:{port}/open")
        with house.played():
            house.wait_for_call()
            with barrier_server(port=port) as barrier:
                wait_until(lambda: bool(house.plant.rows(PLAYED)), timeout_s=PATIENCE_S)
        with barrier_server(port=port) as again, house.played():
            pass

        assert barrier.told + again.told == []
        assert house.visit() == (PLATE, "authorized", True, "North gate")
        ((plate, result, answer),) = house.calls()
        assert (plate, result) == (PLATE, "failed")
        self.assert_alert(house, answer)

    def test_does_not_open_for_who_was_recorded_late(self, house: GateHouse) -> None:
        """The register is away, so that the visit lies on disk until then.

        That is no fault of the barrier, so nobody is told.
        """
        with barrier_server() as barrier:
            house.build(barrier.url)
            house.plant.execute("ALTER TABLE vehicles_vehicle RENAME TO hidden")
            with house.played() as worker:
                worker.wait_for("plates wait on disk")
                time.sleep(LATEST.total_seconds() + 1)
                assert house.plant.rows(VISITS) == []
                house.plant.execute("ALTER TABLE hidden RENAME TO vehicles_vehicle")
                house.wait_for_call()

        assert barrier.told == []
        assert house.visit() == (PLATE, "authorized", True, "North gate")
        ((plate, result, answer),) = house.calls()
        assert (plate, result) == (PLATE, "failed")
        assert answer == TOO_OLD
        assert house.plant.rows(ALERTS) == []

    def assert_alert(self, house: GateHouse, answer: str) -> None:
        ((*alert, text),) = house.plant.rows(ALERTS)
        assert alert == ["barrier_failed", "warning", "open"]
        assert "The barrier of North gate did not open" in text
        assert answer in text
