"""The version of the installed package."""

from __future__ import annotations

from importlib.metadata import version


def service_version() -> str:
    """The version of this distribution, as its installer recorded it."""
    return version("growth-recommender")
