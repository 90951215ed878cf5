"""A real Chromium: how it is started, and what a person does and sees on the pages."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
needs_chromium = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Chromium and its driver are not installed")

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
)  # fmt: skip
Found = TypeVar("Found")
# A page that takes longer is a browser that hangs; what a page shows after a tap comes well before that.
PATIENCE, SOON, ATTEMPTS = 40, 15, 3
MOST_TABS = 100
PHONE, SMALL_PHONE, DESK = 390, 320, 1280
STRUGGLE = "The same three students answer every question I ask and the rest wait for them to do it."


def wait(until: Callable[[], Any], otherwise: str, seconds: float = SOON) -> Any:
    """What ``until`` gives once it is true. A page that never gets there is wrong, and not asked again."""
    from selenium.common.exceptions import StaleElementReferenceException

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        # What was found may be put anew while it is read.
        with suppress(StaleElementReferenceException):
            if found := until():
                return found
        time.sleep(0.05)
    raise AssertionError(otherwise)


class Chromium:
    """One browser for many journeys. Each begins signed out, at the width of a phone, in the light."""

    def __init__(self, profiles: Path) -> None:
        self._profiles = profiles
        self._started = 0
        self._driver: Any = None

    def run(self, journey: Callable[[Screen], Found]) -> Found:
        """Go on a journey; what it found.

        In a browser that hangs it is begun again, twice; a wrong page fails at once.
        """
        from selenium.common.exceptions import (
            InvalidSessionIdException,
            SessionNotCreatedException,
            TimeoutException,
            WebDriverException,
        )
        from urllib3.exceptions import HTTPError

        hung = (InvalidSessionIdException, SessionNotCreatedException, TimeoutException, HTTPError)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._driver = self._driver or self._start()
                screen = Screen(self._driver)
                screen.begin()
                return journey(screen)
            except (WebDriverException, HTTPError) as error:
                # The class itself is what a crashed tab is told with.
                is_hung = isinstance(error, hung) or type(error) is WebDriverException
                if is_hung:
                    self.quit()
                if not is_hung or attempt == ATTEMPTS:
                    raise
        raise AssertionError("not reached")

    def quit(self) -> None:
        """Close the browser."""
        from selenium.common.exceptions import WebDriverException
        from urllib3.exceptions import HTTPError

        if self._driver is not None:
            driver, self._driver = self._driver, None
            driver.command_executor.client_config.timeout = 5
            with suppress(WebDriverException, HTTPError, OSError):
                driver.quit()
            with suppress(OSError):
                driver.service.process.kill()

    def _start(self) -> Any:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        self._started += 1
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for flag in (*FLAGS, f"--user-data-dir={self._profiles / str(self._started)}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(DRIVER, log_output=subprocess.DEVNULL))
        driver.set_page_load_timeout(PATIENCE)
        driver.command_executor.client_config.timeout = PATIENCE
        return driver


@contextmanager
def chromium(profiles: Path) -> Iterator[Chromium]:
    """A browser that is closed in the end."""
    browser = Chromium(profiles)
    try:
        yield browser
    finally:
        browser.quit()


class Screen:
    """What is on screen, and what a person does there. Counts taps and typed characters."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.taps = 0
        self.typed = 0

    # The browser.

    def begin(self) -> None:
        """One window, nobody signed in, a phone, scripts on, nothing logged."""
        first, *others = self.driver.window_handles
        for window in others:
            self.driver.switch_to.window(window)
            self.driver.close()
        self.driver.switch_to.window(first)
        self.cdp("Network.clearBrowserCookies")
        self.cdp("Emulation.setScriptExecutionDisabled", value=False)
        self.look(PHONE)
        self.logs("browser")
        self.logs("performance")

    def cdp(self, command: str, **parameters: Any) -> Any:
        """A command of the browser's own protocol."""
        return self.driver.execute_cdp_cmd(command, parameters)

    def look(self, width: int, scheme: str = "light", media: str = "") -> None:
        """Another width, dark or light, screen or print."""
        is_phone = width < 600
        self.cdp(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=844 if is_phone else 900, deviceScaleFactor=1, mobile=is_phone,
        )  # fmt: skip
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.cdp("Emulation.setEmulatedMedia", media=media, features=features)

    def without_scripts(self) -> None:
        """Pages opened from now on run no script."""
        self.cdp("Emulation.setScriptExecutionDisabled", value=True)

    def logs(self, kind: str) -> list[dict[str, Any]]:
        """What the browser logged since it was asked the last time."""
        return list(self.driver.get_log(kind))

    def complaints(self) -> list[str]:
        """What the browser found wrong since the last time. That a page is refused is said on the page."""
        lines = [line["message"] for line in self.logs("browser")]
        return [line for line in lines if not ("Failed to load resource" in line and " status of 4" in line)]

    def asked_for(self) -> list[str]:
        """Every address that was asked for since the last time."""
        messages = [json.loads(line["message"])["message"] for line in self.logs("performance")]
        return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]

    # What is there.

    @property
    def path(self) -> str:
        """Where we are, without the host."""
        return "/" + self.driver.current_url.split("/", 3)[3]

    @property
    def words(self) -> str:
        """All that can be read on the page."""
        return str(self.one("body").text)

    @property
    def focus(self) -> Any:
        """What a key would go to."""
        return self.driver.switch_to.active_element

    def all(self, css: str) -> list[Any]:
        """What a selector finds."""
        from selenium.webdriver.common.by import By

        return list(self.driver.find_elements(By.CSS_SELECTOR, css))

    def one(self, css: str) -> Any:
        """The first a selector finds; waits for it."""
        return wait(lambda: self.all(css), f"{css} is not on {self.path}")[0]

    def button(self, words: str, within: str = "main") -> Any:
        """The button, link or summary that says this, first of them."""
        places = ", ".join(f"{within} {tag}" for tag in ("button", "a", "summary"))
        return wait(
            lambda: [e for e in self.all(places) if words in e.text and e.is_displayed()],
            f"nothing says “{words}” on {self.path}",
        )[0]

    # What a person does.

    def go(self, address: str) -> None:
        """Open an address, or a path of the same site."""
        if address.startswith("/"):
            address = "/".join(self.driver.current_url.split("/", 3)[:3]) + address
        self.driver.get(address)

    def tap(self, element: Any) -> None:
        """Tap it; a page that comes of it is there afterwards."""
        self.taps += 1
        element.click()

    def follow(self, words: str, path: str, within: str = "main") -> None:
        """Tap what says this and wait for the page it leads to."""
        self.tap(self.button(words, within))
        wait(lambda: self.path.startswith(path), f"“{words}” led to {self.path} and not to {path}")

    def type(self, css: str, text: str) -> None:
        """Type into a field."""
        self.typed += len(text)
        self.one(css).send_keys(text)

    def press(self, *keys: str) -> None:
        """Press keys, whatever they go to."""
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def tab_to(self, name: str) -> Any:
        """Press Tab until the focus is on what is called this, as a screen reader has it."""
        from selenium.webdriver.common.keys import Keys

        passed: list[str] = []
        while len(passed) < MOST_TABS:
            self.press(Keys.TAB)
            passed.append(self.focus.accessible_name)
            if passed[-1] == name:
                return self.focus
        raise AssertionError(f"Tab never comes to “{name}” on {self.path}, only to {passed}")

    def sign_in(self, link: str) -> None:
        """Open a link and use it."""
        self.go(link)
        self.follow("Sign in", "/")
        wait(lambda: "/sign-in" not in self.path, "the link did not sign in")
