"""The texts simulated teachers and observers write: real struggles and observer notes with out-of-fold values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from recommender.catalogue.loader import Catalogue
from recommender.ranking.fusion import FusionWeights
from recommender.training.corpus import REAL, WRITTEN, Row, acceptable, load_rows, soft_targets
from recommender.training.out_of_fold import OUT_OF_FOLD_FILE, OutOfFold
from recommender.training.simulate.labelled_texts import LabelledTexts
from recommender.training.simulated_cases import Texts

NOTES_OUT_OF_FOLD_FILE = "notes_out_of_fold.npz"
# One made-up row in which every skill has the chance of the average one keeps rare skills from being impossible.
PRIOR_ROWS = 10.0


def prior_log_odds(real: tuple[Row, ...], catalogue: Catalogue) -> dict[str, float]:
    """Per skill the log-odds that a coach starts, or could well start, with it: its share among the real struggles."""
    events = acceptable(real, catalogue).astype(np.float64)
    average = events.mean()
    share = (events.sum(axis=0) + PRIOR_ROWS * average) / (len(events) + PRIOR_ROWS)
    return {skill.id: round(float(value), 4) for skill, value in zip(catalogue, logit(share), strict=True)}


def simulation_texts(encoder_folder: Path, weights: FusionWeights, catalogue: Catalogue) -> Texts:
    """Real struggles and observer notes, each with what a model that never saw it says.

    Raises DataFileError when a text has no out-of-fold value.
    """
    real = tuple(row for file in REAL for row in load_rows(file) if row.status == "rankable")
    notes = tuple(row for row in load_rows(WRITTEN) if row.kind == "observer_note")
    struggles = _labelled(real, encoder_folder / OUT_OF_FOLD_FILE, catalogue)
    prior = expit(np.array([weights.prior_log_odds[skill.id] for skill in catalogue]))
    return Texts(
        struggles=struggles,
        words=weights.intercept + weights.slope * struggles.log_p.astype(np.float64),
        notes=_labelled(notes, encoder_folder / NOTES_OUT_OF_FOLD_FILE, catalogue),
        log_prior=np.log(prior / prior.sum()),
    )


def prior_vector(weights: FusionWeights, catalogue: Catalogue) -> npt.NDArray[np.float64]:
    """(skills,) prior log-odds in catalogue order."""
    return np.array([weights.prior_log_odds[skill.id] for skill in catalogue])


def _labelled(rows: tuple[Row, ...], file: Path, catalogue: Catalogue) -> LabelledTexts:
    values = OutOfFold.load(file).take([row.id for row in rows])
    return LabelledTexts(tuple(row.id for row in rows), soft_targets(rows, catalogue), values.skill_log_p)
