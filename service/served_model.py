"""The model the service answers with: loaded once, tried on an example, then ready."""

from __future__ import annotations

import logging
import math
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from recommender.cases import Case, Ranking, parse_case
from recommender.catalogue.instruments import Instruments, load_instruments
from recommender.errors import DataFileError, GrowthError
from recommender.observations.norms import Norms
from recommender.ranking.recommender import Ranked, Recommender
from recommender.ranking.versions import DEFAULT_MODELS, MANIFEST_FILE, current_version, read_manifest, sha256_of
from service.logs import FIELDS, LOGGER_NAME, describe_exception
from service.problems import FieldError, Problem
from service.settings import Settings
from service.ulid import new_ulid

EXAMPLES_FILE = Path(__file__).parent / "examples.yaml"
logger = logging.getLogger(LOGGER_NAME)


@lru_cache(maxsize=1)
def examples() -> dict[str, dict[str, Any]]:
    """Bodies the documentation shows, by kind and name."""
    document: dict[str, dict[str, Any]] = yaml.safe_load(EXAMPLES_FILE.read_text(encoding="utf-8"))
    return document


def example_cases() -> dict[str, dict[str, Any]]:
    """Cases by name that the documentation shows and the self-test ranks."""
    return examples()["cases"]


class ServedModel:
    """Holds the ``Recommender`` that answers; empty until ``load`` was called and its self-test passed.

    A newer version takes its place when ``models/current`` names one that loads and ranks the example; requests that
    began with the old one end with it.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._recommender: Recommender | None = None
        self._identity = ""

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

        Raises ModelVersionError when there is no sound version; a failed self-test leaves what was there before.
        """
        identity = self._identity_on_disk()
        loaded = Recommender.load(
            self._models,
            safeguarding_contact=self.settings.safeguarding_contact,
            instruments=own_instruments(self.settings.instruments),
            norms=Norms.load(self.settings.norms) if self.settings.norms is not None else None,
            threads=1,
        )
        if passes_self_test(loaded.rank(parse_case(example_cases()["struggle"]))):
            self._recommender, self._identity = loaded, identity
        else:
            logger.error("self-test failed")

    def refresh(self) -> bool:
        """Load what ``models/current`` names if it is not what answers; whether another model answers now.

        A version that is half copied, broken or of another program is left alone, whatever is raised on the way: the
        old one answers on, and the next call tries again.
        """
        try:
            if self._identity_on_disk() == self._identity:
                return False
            before = self._recommender
            self.load()
        except Exception as error:
            logger.warning("new model not loaded", extra={FIELDS: describe_exception(error)})
            return False
        return self._recommender is not before

    @property
    def _models(self) -> Path:
        return self.settings.models or DEFAULT_MODELS

    def _identity_on_disk(self) -> str:
        """Name and manifest of the current version: a version trained again under its name is another."""
        version = current_version(self._models)
        read_manifest(self._models, version)
        return f"{version} {sha256_of(self._models / version / MANIFEST_FILE)}"

    def rank(self, case: Case) -> Ranking:
        """The model's ranking under a fresh id. Raises as ``rank_with_evidence``."""
        return self.rank_with_evidence(case, self.recommender).ranking

    def rank_with_evidence(self, case: Case, recommender: Recommender, joined: pd.DataFrame | None = None) -> Ranked:
        """What ``recommender`` answers, under a fresh id; ``joined``: see ``Recommender.rank``.

        Raises Problem ``invalid-case`` for what the engine refuses, an unknown instrument, say.
        """
        try:
            ranked = recommender.rank_with_evidence(case, joined)
        except GrowthError as error:
            wanted = FieldError(field=error.where or "the whole case", wanted=error.wanted)
            raise Problem("invalid-case", errors=[wanted]) from None
        return replace(ranked, ranking=ranked.ranking.model_copy(update={"ranking_id": new_ulid()}))


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
