"""What a new user sees: `manage.py up --demo` in a real browser."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver.common.by import By

from tests.browser import (
    SIZES,
    chromium,
    is_wider_than_the_screen,
    log_in,
    resize,
    severe_errors,
    wait_for,
)
from tests.processes import free_port, running, survivors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.system, pytest.mark.weights]


@dataclass(frozen=True)
class Demo:
    address: str
    passwords: dict[str, str]
    descendants: list[Any]


@pytest.fixture(scope="module")
def demo(shared: Path) -> Iterator[Demo]:
    """Start the demo as `make demo` does, and stop it with Ctrl-C."""
    port = free_port()
    # Not tmp_path: pytest closes that to the account that runs servers for root.
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        env = {**os.environ, "VAR_DIR": folder, "MODELS_DIR": str(shared / "models")}
        command = [sys.executable, "manage.py", "up", "--demo", f"--port={port}"]
        with running(command, env=env) as system:
            system.wait_for("runs at")
            passwords = dict(
                system.wait_for(rf"{name}\s+(\S+)").group(0).split()
                for name in ("hana", "sam", "iris", "amir")
            )
            family = system.family()
            yield Demo(f"http://127.0.0.1:{port}", passwords, family)
            system.process.terminate()
            assert system.exit_code() == 0
            assert survivors(family) == []


@pytest.fixture
def browser() -> Iterator[Chrome]:
    with chromium() as browser:
        yield browser


def picture(browser: Chrome) -> str:
    """Return a digest of the live picture as it is shown now."""
    shown = browser.find_element(By.CSS_SELECTOR, ".live-picture.has-picture canvas")
    return hashlib.sha256(shown.screenshot_as_png).hexdigest()


def count(browser: Chrome, name: str) -> int:
    selector = f'.figures [data-count="{name}"] dd'
    return int(browser.find_element(By.CSS_SELECTOR, selector).text)


class TestDemo:
    @pytest.mark.parametrize("size", SIZES)
    def test_shows_security_a_moving_picture_and_a_rising_count(
        self, demo: Demo, browser: Chrome, size: str
    ) -> None:
        resize(browser, *SIZES[size])
        log_in(browser, demo.address, "sam", demo.passwords["sam"])
        browser.find_element(By.ID, "open-CAM-YARD").click()
        shown = ".picture .live-picture.has-picture"
        wait_for(browser, lambda b: b.find_elements(By.CSS_SELECTOR, shown))

        first = picture(browser)
        wait_for(browser, lambda b: picture(b) != first)
        before = count(browser, "in")
        wait_for(browser, lambda b: count(b, "in") > before)

        newest = browser.find_element(By.CSS_SELECTOR, "#crossings > li")
        wait_for(browser, lambda _: "Middle" in newest.text)
        assert not is_wider_than_the_screen(browser)
        if folder := os.environ.get("SCREENSHOTS"):
            browser.save_screenshot(str(Path(folder) / f"camera-{size}.png"))
        assert severe_errors(browser) == []

    def test_shows_hr_who_is_here_and_who_comes_before_the_camera(
        self, demo: Demo, browser: Chrome
    ) -> None:
        log_in(browser, demo.address, "hana", demo.passwords["hana"])
        browser.get(f"{demo.address}/attendance")

        def people(*standings: str) -> set[str]:
            rows = browser.find_elements(By.CSS_SELECTOR, "li.day-row")
            told = {row.text[:5]: row.get_attribute("data-status") for row in rows}
            return {code for code, status in told.items() if status in standings}

        # By the reception's camera, live; the others have stamped.
        wait_for(browser, lambda _: "D-101" in people("present", "late"))
        assert len(people("present")) >= 4
        assert "D-111" in people("missing", "expected")

    def test_keeps_the_admin_from_security(self, demo: Demo, browser: Chrome) -> None:
        log_in(browser, demo.address, "sam", demo.passwords["sam"])

        browser.get(f"{demo.address}/admin/")

        assert "Factory Site administration" not in browser.title

    def test_opens_the_admin_to_the_site_admin(
        self, demo: Demo, browser: Chrome
    ) -> None:
        log_in(browser, demo.address, "amir", demo.passwords["amir"])

        browser.get(f"{demo.address}/admin/streaming/camera/")

        assert "CAM-YARD" in browser.page_source
