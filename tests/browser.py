"""A real browser for tests, without a window."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from selenium import webdriver
from selenium.common.exceptions import (
    StaleElementReferenceException,
    WebDriverException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from selenium.webdriver import Chrome

PATIENCE_S = 60
DRIVER = shutil.which("chromedriver")
PAGE_CHANGES = (
    "aborted by navigation",
    "does not belong to the document",
    "no such execution context",
    "No node with given id found",
    "Inspected target navigated",
)
"""What chromedriver says, without a class for it, when a page goes while it looks."""
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
WALL = (1920, 1080)


@contextmanager
def chromium(*arguments: str, with_scripts: bool = True) -> Iterator[Chrome]:
    """Run Chromium for the length of the block, or skip where there is none.

    `arguments` are more of its own, such as "--use-fake-ui-for-media-stream".
    """
    if DRIVER is None:
        pytest.skip("apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    needed = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage")
    for argument in (*needed, *arguments):
        options.add_argument(argument)
    allowed = 1 if with_scripts else 2
    settings = {"profile.managed_default_content_settings.javascript": allowed}
    options.add_experimental_option("prefs", settings)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    try:
        yield browser
    finally:
        browser.quit()


def resize(browser: Chrome, width: int, height: int, *, scheme: str = "light") -> None:
    """Give the page a size in CSS pixels, also one narrower than a window can be."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1}
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {**metrics, "mobile": False}
    )
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def log_in(browser: Chrome, address: str, name: str, password: str) -> None:
    browser.get(f"{address}/")
    browser.find_element(By.NAME, "username").send_keys(name)
    browser.find_element(By.NAME, "password").send_keys(password)
    browser.find_element(By.CSS_SELECTOR, "main button[type=submit]").click()
    wait_for(browser, lambda b: b.find_elements(By.CLASS_NAME, "frame-user"))


def wait_for(browser: Chrome, condition: Callable[[Chrome], object]) -> None:
    """Wait until it holds, also over elements and pages that are replaced meanwhile."""

    def held(browser: Chrome) -> object:
        try:
            return condition(browser)
        except WebDriverException as error:
            if is_page_change(error):
                return False
            raise

    WebDriverWait(browser, PATIENCE_S, poll_frequency=0.2).until(held)


def is_page_change(error: WebDriverException) -> bool:
    """Whether the page was replaced while it was looked at."""
    if isinstance(error, StaleElementReferenceException):
        return True
    return any(text in (error.msg or "") for text in PAGE_CHANGES)


def words(browser: Chrome, selector: str) -> str:
    return browser.find_element(By.CSS_SELECTOR, selector).text


def photograph(browser: Chrome, name: str) -> None:
    """Save what is seen in the folder that SCREENSHOTS names, if it names one."""
    if folder := os.environ.get("SCREENSHOTS"):
        browser.save_screenshot(str(Path(folder) / f"{name}.png"))


def severe_errors(browser: Chrome) -> list[str]:
    """Return what the browser's console holds as errors since the last look."""
    log = browser.get_log("browser")  # type: ignore[no-untyped-call]
    return [one["message"] for one in log if one["level"] == "SEVERE"]


def is_wider_than_the_screen(browser: Chrome) -> bool:
    """Whether the page scrolls sideways."""
    return bool(
        browser.execute_script(
            "return document.documentElement.scrollWidth > window.innerWidth"
        )
    )
