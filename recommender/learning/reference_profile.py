"""The reference profile of a model version: how what is watched was spread over the real training struggles."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator
from scipy.special import expit

from recommender.catalogue.loader import Catalogue, load_catalogue
from recommender.errors import ModelVersionError
from recommender.learning.watched import (
    CATEGORIES,
    NO_NAME,
    NUMBERS,
    CategoryName,
    NumberName,
    WatchedLists,
    WordPieces,
)
from recommender.ranking.fusion import FusionWeights
from recommender.ranking.versions import current_version, open_version, read_manifest, verify_files
from recommender.struggles.screening import THRESHOLDS_FILE, Thresholds
from recommender.training.calibrate import gather_inputs
from recommender.training.calibration_error import FIRST, PooledSuggestions, pool_first
from recommender.training.corpus import REAL, acceptable, load_rows
from recommender.training.out_of_fold import OUT_OF_FOLD_FILE, OutOfFold
from recommender.training.screening_out_of_fold import ScreeningOutOfFold
from recommender.training.thresholds import ScreeningCase

PROFILE_FILE = "profile.json"
BINS = 10

Floats = npt.NDArray[np.float64]
Count = Annotated[int, Field(ge=0)]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]


class ProfilePart(BaseModel):
    """A part of the file: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Histogram(ProfilePart):
    """How often each value was met; ``values`` rise."""

    values: Annotated[list[FiniteFloat], Field(min_length=1)]
    counts: list[Annotated[int, Field(ge=1)]]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len(self.values) != len(self.counts) or sorted(set(self.values)) != self.values:
            raise ValueError("values rise, and each has its count")
        return self

    @classmethod
    def of(cls, values: Floats) -> Histogram:
        """Of values without NaN, one or more."""
        distinct, counts = np.unique(values, return_counts=True)
        return cls(values=distinct.tolist(), counts=counts.tolist())

    @cached_property
    def n(self) -> int:
        """How many values there were."""
        return sum(self.counts)

    def quantile(self, share: float) -> float:
        """The smallest value that at least ``share`` of all are not above."""
        reached = np.cumsum(self.counts) >= share * self.n - 1e-9
        return self.values[int(np.argmax(reached))]

    @cached_property
    def deciles(self) -> list[float]:
        """The first to the ninth decile, each once."""
        return sorted({self.quantile(step / BINS) for step in range(1, BINS)})


class ReliabilityBin(ProfilePart):
    """Suggestions promised up to ``highest``: how many, their mean probability and the share that came true."""

    highest: Share
    n: Annotated[int, Field(ge=1)]
    probability: Share
    share: Share


class ReferenceProfile(ProfilePart):
    """What training struggles looked like, and what the version said of them without having learned from them.

    ``struggles``: how many; ``not_ranked``: how many of them were answered with a message. ``reliability``: of the
    first five suggestions, labellers being the judges. It holds counts alone: no text and no id.
    """

    model_version: str
    catalogue_version: str
    struggles: Annotated[int, Field(ge=1)]
    not_ranked: Count
    numbers: dict[NumberName, Histogram]
    names: dict[CategoryName, dict[str, Count]]
    reliability: Annotated[list[ReliabilityBin], Field(min_length=1)]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if set(self.numbers) != set(NUMBERS) or set(self.names) != set(CATEGORIES):
            raise ValueError("everything that is watched is in the profile")
        if [part.highest for part in self.reliability] != sorted({part.highest for part in self.reliability}):
            raise ValueError("bins rise")
        return self

    @classmethod
    def of(
        cls, lists: WatchedLists, suggestions: PooledSuggestions, model_version: str, catalogue_version: str
    ) -> ReferenceProfile:
        """Summarise measured lists and judged suggestions."""
        return cls(
            model_version=model_version,
            catalogue_version=catalogue_version,
            struggles=len(lists),
            not_ranked=int((~lists.ranked).sum()),
            numbers={name: Histogram.of(values[~np.isnan(values)]) for name, values in lists.numbers.items()},
            names={name: _counted(names.tolist()) for name, names in lists.names.items()},
            reliability=_reliability(suggestions),
        )

    def save(self, version_folder: Path) -> None:
        """Write ``profile.json``; the same profile gives the same bytes."""
        (version_folder / PROFILE_FILE).write_text(self.model_dump_json() + "\n", encoding="utf-8")


@dataclass(frozen=True)
class TrainingLists:
    """The real training struggles as lists, with the labellers' word on the first five suggestions of each.

    ``lists`` leaves out struggles that would get a safeguarding answer, as evidence of use does. ``suggestions.cases``
    counts the rows of ``lists``.
    """

    lists: WatchedLists
    suggestions: PooledSuggestions


def make_profile(folder: Path, encoder_folder: Path) -> ReferenceProfile:
    """The profile of the version in ``folder``, whose weights and thresholds are written already; takes seconds.

    Scores and statuses are cross-validated ones: on texts it has learned from a model is surer than in use. What
    was learned for single tenants is left out.
    """
    catalogue = load_catalogue()
    known = measure_training(folder, encoder_folder, catalogue)
    return ReferenceProfile.of(known.lists, known.suggestions, folder.name, catalogue.version)


def measure_training(folder: Path, encoder_folder: Path, catalogue: Catalogue) -> TrainingLists:
    """Everything watched, on the real training struggles."""
    weights = FusionWeights.load(folder)
    thresholds = Thresholds(**json.loads((folder / THRESHOLDS_FILE).read_text(encoding="utf-8")))
    rows = tuple(row for file in REAL for row in load_rows(file))
    statuses = ScreeningCase.of(rows, ScreeningOutOfFold.load(encoder_folder).take([row.id for row in rows])).decisions(
        thresholds
    )
    kept = [at for at, status in enumerate(statuses) if status != "safeguarding"]
    rows, ranked = tuple(rows[at] for at in kept), [statuses[at] == "rankable" for at in kept]
    log_p = OutOfFold.load(encoder_folder / OUT_OF_FOLD_FILE).take([row.id for row in rows]).skill_log_p
    offsets = np.array([weights.skill_offsets.get(skill_id, 0.0) for skill_id in catalogue.ids])
    scores = gather_inputs(rows, log_p, catalogue).score(weights) + offsets
    contexts = [row.case_context() for row in rows]
    lists = WatchedLists.of(
        [row.text for row in rows],
        list(scores),
        [(context.subject, context.grade_band) for context in contexts],
        ranked,
        catalogue,
        WordPieces(encoder_folder),
    )
    labellers = np.array([len(row.labels) if answered else 0 for row, answered in zip(rows, ranked, strict=True)])
    suggestions = pool_first(scores, expit(scores), acceptable(rows, catalogue), labellers, FIRST)
    return TrainingLists(lists, suggestions)


def read_profile(models: Path, version: str | None = None) -> ReferenceProfile | None:
    """The profile a version carries, None where its manifest names none. Raises ModelVersionError."""
    manifest = read_manifest(models, current_version(models) if version is None else version)
    digest = manifest.files.get(PROFILE_FILE)
    if digest is None:
        return None
    verify_files(models / manifest.version, {PROFILE_FILE: digest})
    try:
        return ReferenceProfile.model_validate_json((models / manifest.version / PROFILE_FILE).read_bytes())
    except ValidationError as error:
        raise ModelVersionError(
            f"a broken profile ({error.error_count()} problems)", wanted="a valid profile", where=manifest.version
        ) from None


def profile_of(models: Path, version: str | None = None) -> tuple[ReferenceProfile, bool]:
    """The profile of a version, and whether it had to be made from the training data. Raises ModelVersionError.

    A version of another catalogue cannot be measured any more, so one without a profile is refused.
    """
    profile = read_profile(models, version)
    if profile is not None:
        return profile, False
    manifest, folder, encoder_folder = open_version(models, version)
    here = load_catalogue().version
    if manifest.catalogue_version != here:
        raise ModelVersionError(
            f"a model for catalogue {manifest.catalogue_version}, without a profile", wanted=f"one for {here}",
            where=manifest.version,
        )  # fmt: skip
    return make_profile(folder, encoder_folder), True


def _counted(names: Iterable[str]) -> dict[str, int]:
    distinct, counts = np.unique([name for name in names if name != NO_NAME], return_counts=True)
    return dict(zip(distinct.tolist(), counts.tolist(), strict=True))


def _reliability(suggestions: PooledSuggestions) -> list[ReliabilityBin]:
    """Bins of equal mass by probability; the last one reaches to 1."""
    p = suggestions.probabilities
    edges = np.append(np.unique(np.quantile(p, np.arange(1, BINS) / BINS)), 1.0)
    member = np.searchsorted(edges, p, side="left")
    return [
        ReliabilityBin(
            highest=round(float(edges[one]), 6),
            n=int((member == one).sum()),
            probability=round(float(p[member == one].mean()), 6),
            share=round(float(suggestions.events[member == one].mean()), 6),
        )
        for one in np.unique(member)
    ]
