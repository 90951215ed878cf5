"""The model the service answers with: loaded once, tried on an example, then ready."""

from __future__ import annotations

import logging
import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from recommender.cases import Case, Ranking, parse_case
from recommender.catalogue.instruments import Instruments, load_instruments
from recommender.errors import DataFileError
from recommender.observations.norms import Norms
from recommender.ranking.recommender import Recommender
from recommender.ranking.versions import DEFAULT_MODELS
from service.logs import LOGGER_NAME
from service.problems import Problem
from service.settings import Settings
from service.ulid import new_ulid

EXAMPLES_FILE = Path(__file__).parent / "examples.yaml"
logger = logging.getLogger(LOGGER_NAME)


@lru_cache(maxsize=1)
def example_cases() -> dict[str, dict[str, Any]]:
    """Cases by name that the documentation shows and the self-test ranks."""
    document: dict[str, dict[str, Any]] = yaml.safe_load(EXAMPLES_FILE.read_text(encoding="utf-8"))
    return document


class ServedModel:
    """Holds the ``Recommender`` that answers; empty until ``load`` was called and its self-test passed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._recommender: Recommender | None = None

    @property
    def is_ready(self) -> bool:
        """Whether a model is loaded and has ranked the example."""
        return self._recommender is not None

    @property
    def recommender(self) -> Recommender:
        """The loaded model. Raises Problem ``not-ready`` while there is none."""
        if self._recommender is None:
            raise Problem("not-ready", headers={"Retry-After": "5"})
        return self._recommender

    def load(self) -> None:
        """Load the current model version and keep it if it ranks the example.

        Raises ModelVersionError when there is no sound version; a failed self-test leaves the service not ready.
        """
        loaded = Recommender.load(
            self.settings.models or DEFAULT_MODELS,
            safeguarding_contact=self.settings.safeguarding_contact,
            instruments=own_instruments(self.settings.instruments),
            norms=Norms.load(self.settings.norms) if self.settings.norms is not None else None,
            threads=1,
        )
        if passes_self_test(loaded.rank(parse_case(example_cases()["struggle"]))):
            self._recommender = loaded
        else:
            logger.error("self-test failed")

    def rank(self, case: Case) -> Ranking:
        """The model's ranking under a fresh id."""
        return self.recommender.rank(case).model_copy(update={"ranking_id": new_ulid()})


def own_instruments(folder: Path | None) -> Instruments:
    """The shipped instruments and those of a folder. Raises DataFileError for none and for a broken file."""
    if folder is None:
        return load_instruments()
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise DataFileError("no .yaml file", wanted="one a rubric", where=str(folder))
    return load_instruments(files)


def passes_self_test(ranking: Ranking) -> bool:
    """Whether an example was ranked, with finite scores that are the sum of their reasons."""
    scores = [suggestion.score for suggestion in ranking.suggestions]
    sums = [sum(reason.effect for reason in suggestion.reasons) for suggestion in ranking.suggestions]
    return (
        ranking.status == "ranked"
        and bool(scores)
        and all(map(math.isfinite, scores))
        and all(math.isclose(score, total, abs_tol=1e-6) for score, total in zip(scores, sums, strict=True))
    )
