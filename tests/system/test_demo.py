"""What a new user sees: `manage.py up --demo` in a real browser."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.processes import running, survivors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver import Chrome

pytestmark = [pytest.mark.system, pytest.mark.weights]
PATIENCE_S = 60
DRIVER = shutil.which("chromedriver")
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}


@dataclass(frozen=True)
class Demo:
    address: str
    passwords: dict[str, str]
    descendants: list[Any]


@pytest.fixture(scope="module")
def demo(shared: Path) -> Iterator[Demo]:
    """Start the demo as `make demo` does, and stop it with Ctrl-C."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
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
    if DRIVER is None:
        pytest.skip("apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield browser
    browser.quit()


def log_in(browser: Chrome, demo: Demo, name: str) -> None:
    browser.get(f"{demo.address}/")
    browser.find_element(By.NAME, "username").send_keys(name)
    browser.find_element(By.NAME, "password").send_keys(demo.passwords[name])
    browser.find_element(By.CSS_SELECTOR, "main button[type=submit]").click()
    WebDriverWait(browser, PATIENCE_S).until(
        lambda b: b.find_elements(By.PARTIAL_LINK_TEXT, "Yard")
    )


def picture(browser: Chrome) -> str:
    """Return a digest of the live picture as it is shown now."""
    shown = browser.find_element(By.ID, "picture").screenshot_as_png
    return hashlib.sha256(shown).hexdigest()


def count(browser: Chrome, name: str) -> int:
    selector = f'[data-count="{name}"] dd'
    return int(browser.find_element(By.CSS_SELECTOR, selector).text)


class TestDemo:
    @pytest.mark.parametrize("size", SIZES)
    def test_shows_security_a_moving_picture_and_a_rising_count(
        self, demo: Demo, browser: Chrome, size: str
    ) -> None:
        browser.set_window_size(*SIZES[size])
        log_in(browser, demo, "sam")
        browser.find_element(By.PARTIAL_LINK_TEXT, "Yard").click()
        wait = WebDriverWait(browser, PATIENCE_S)

        first = picture(browser)
        wait.until(lambda b: picture(b) != first)
        before = count(browser, "in")
        wait.until(lambda b: count(b, "in") > before)

        newest = browser.find_element(By.CSS_SELECTOR, "#crossings > li")
        wait.until(lambda _: "Middle" in newest.text)
        width = browser.execute_script("return document.documentElement.scrollWidth")
        assert width <= browser.execute_script("return window.innerWidth")
        if folder := os.environ.get("SCREENSHOTS"):
            browser.save_screenshot(str(Path(folder) / f"camera-{size}.png"))
        errors = [one for one in browser.get_log("browser") if one["level"] == "SEVERE"]  # type: ignore[no-untyped-call]
        assert errors == []

    def test_keeps_the_admin_from_security(self, demo: Demo, browser: Chrome) -> None:
        log_in(browser, demo, "sam")

        browser.get(f"{demo.address}/admin/")

        assert "Factory Site administration" not in browser.title

    def test_opens_the_admin_to_the_site_admin(
        self, demo: Demo, browser: Chrome
    ) -> None:
        log_in(browser, demo, "amir")

        browser.get(f"{demo.address}/admin/streaming/camera/")

        assert "CAM-YARD" in browser.page_source
