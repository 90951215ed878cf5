"""A teacher on a phone: a real Chromium, 390 pixels wide, against a real service."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Chromium and its driver are not installed")

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
)  # fmt: skip
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


@pytest.fixture(params=["with scripts", "without scripts"])
def phone(request: pytest.FixtureRequest, tmp_path: object) -> Iterator[object]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={tmp_path}"):
        options.add_argument(flag)
    if request.param == "without scripts":
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    options.add_experimental_option(
        "mobileEmulation", {"deviceMetrics": {"width": 390, "height": 844, "pixelRatio": 2}}
    )
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield driver
    driver.quit()


def wait_for_cards(phone: object) -> list[object]:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(phone, 30).until(lambda driver: driver.find_elements(By.CSS_SELECTOR, ".card"))


def test_a_teacher_types_a_struggle_and_gets_three_skills_to_try(phone: object, address: str) -> None:
    from selenium.webdriver.common.by import By

    phone.get(address)
    phone.find_element(By.TAG_NAME, "textarea").send_keys(STRUGGLE)
    phone.find_element(By.CSS_SELECTOR, "form button[type=submit], form button:not([type])").click()
    cards = wait_for_cards(phone)
    assert len(cards) == 3
    assert any("Cold calling" in card.text for card in cards)
    cards[0].find_element(By.TAG_NAME, "summary").click()
    assert "three students" in cards[0].text


def test_nothing_is_wider_than_the_phone(phone: object, address: str) -> None:
    from selenium.webdriver.common.by import By

    phone.get(address)
    phone.find_element(By.TAG_NAME, "textarea").send_keys(STRUGGLE)
    phone.find_element(By.CSS_SELECTOR, "form button[type=submit], form button:not([type])").click()
    wait_for_cards(phone)
    for element in phone.find_elements(By.CSS_SELECTOR, "main *"):
        if element.is_displayed():
            assert element.rect["x"] + element.rect["width"] <= 391, element.tag_name


def test_the_page_asks_no_other_machine_for_anything(phone: object, address: str) -> None:
    phone.get(address)
    source = phone.page_source
    assert "http://" not in source.replace(address, "").replace("http://www.w3.org", "")
    assert "https://" not in source
