"""A teacher on a phone: a real Chromium, 390 pixels wide, against a real service."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Chromium and its driver are not installed")

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
)  # fmt: skip
PATIENCE, ATTEMPTS = 40, 3
STRUGGLE = "The same three students answer every question I ask and the rest wait for them to do it."


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "recommender.cli", "serve", "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "GROWTH_LOG_LEVEL": "error"},
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{address}/health/ready", timeout=5)
            break
        except OSError:
            time.sleep(0.1)
    yield address
    process.terminate()
    process.wait(timeout=20)


def start(profile: Path) -> Any:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.add_experimental_option(
        "mobileEmulation", {"deviceMetrics": {"width": 390, "height": 844, "pixelRatio": 2}}
    )
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.set_page_load_timeout(PATIENCE)
    driver.command_executor.client_config.timeout = PATIENCE
    return driver


def with_phone(journey: Callable[[Any], None], profiles: Path) -> None:
    """Run a journey in a fresh browser. A browser that hangs is started again, twice; a wrong page fails at once."""
    from selenium.common.exceptions import WebDriverException
    from urllib3.exceptions import HTTPError

    for attempt in range(ATTEMPTS):
        driver = None
        try:
            driver = start(profiles / str(attempt))
            journey(driver)
            return
        except (WebDriverException, HTTPError):
            if attempt == ATTEMPTS - 1:
                raise
        finally:
            if driver is not None:
                with suppress(WebDriverException, HTTPError):
                    driver.quit()
                driver.service.process.kill()


def ask(driver: Any, address: str) -> list[Any]:
    """Type the struggle, send it, and wait for the cards."""
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    driver.get(address)
    driver.find_element(By.TAG_NAME, "textarea").send_keys(STRUGGLE)
    driver.find_element(By.CSS_SELECTOR, "form button[type=submit], form button:not([type])").click()
    cards: list[Any] = WebDriverWait(driver, PATIENCE).until(lambda d: d.find_elements(By.CSS_SELECTOR, ".card"))
    return cards


def test_a_teacher_types_a_struggle_and_gets_three_skills_to_try(address: str, tmp_path: Path) -> None:
    from selenium.webdriver.common.by import By

    def journey(driver: Any) -> None:
        cards = ask(driver, address)
        assert len(cards) == 3
        assert any("Cold calling" in card.text for card in cards)
        cards[0].find_element(By.TAG_NAME, "summary").click()
        assert "three students" in cards[0].text
        for element in driver.find_elements(By.CSS_SELECTOR, "main *"):
            if element.is_displayed():
                assert element.rect["x"] + element.rect["width"] <= 391, element.tag_name

    with_phone(journey, tmp_path)


def test_the_page_asks_no_other_machine_for_anything(address: str) -> None:
    with urllib.request.urlopen(address, timeout=30) as answer:
        source = answer.read().decode()
    assert "http://" not in source.replace(address, "").replace("http://www.w3.org", "")
    assert "https://" not in source
    # Nothing to switch off: the page is the same with and without JavaScript.
    assert "<script" not in source
