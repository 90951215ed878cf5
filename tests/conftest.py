"""What every test may use: the shipped model, loaded once, and a loud word about anything skipped."""

from __future__ import annotations

import os
import tempfile

import pytest

# Before anything reads the settings: no test may touch the data of the person who runs it.
os.environ["GROWTH_DATA"] = tempfile.mkdtemp(prefix="growth-tests-")

from recommender.ranking.recommender import Recommender


@pytest.fixture(scope="session")
def recommender() -> Recommender:
    return Recommender.load(safeguarding_contact="Ms. Duty")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.write_line(f"{len(skipped)} SKIPPED for want of a program on this machine:", red=True)
        for report in skipped:
            terminalreporter.write_line(f"  {report.nodeid}: {report.longrepr[2]}", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    # Continuous integration may skip nothing.
    if os.environ.get("GROWTH_TESTS_MAY_SKIP") == "0" and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
