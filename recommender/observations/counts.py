"""Counted behaviours as readings of a latent rate: beta-binomial, so that a short lesson's count says little."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri
from scipy.stats import betabinom

from recommender.catalogue.instrument import Norm
from recommender.errors import DataFileError

Array = npt.NDArray[np.float64]
RAREST = 0.002


def read_counts(rate: Array, exposure: Array, norm: Norm | None) -> tuple[Array, Array]:
    """Readings and their noise for rates ``count / exposure`` of one item.

    Lessons' true rates are Beta with the norm's mean and SD, the count is binomial on the exposure. The reading is the
    normal score of the count's mid-rank under that beta-binomial divided by the root of its reliability
    ``sd^2 / (sd^2 + mean (1 - mean) / exposure)``. Raises DataFileError when the norm has no mean and SD.
    """
    if norm is None or norm.mean is None or norm.sd is None or not 0 < norm.mean < 1:
        raise DataFileError(
            "a counted item without a rate's mean and SD",
            wanted="norm: {mean, sd, source} with 0 < mean < 1",
            way_out="Add it to the item in the instrument's file.",
        )
    mean, variance = norm.mean, norm.sd**2
    sampling = mean * (1 - mean) / exposure
    strength = mean * (1 - mean) / variance - 1
    if strength <= 0:
        raise DataFileError(f"a rate's SD of {norm.sd}", wanted=f"less than {np.sqrt(mean * (1 - mean)):.3f}")
    whole = np.maximum(np.round(exposure), 1)
    count = np.clip(np.round(rate * exposure), 0, whole)
    law = betabinom(whole, mean * strength, (1 - mean) * strength)
    mid = law.cdf(count) - law.pmf(count) / 2
    reliability = variance / (variance + sampling)
    z = ndtri(np.clip(mid, RAREST, 1 - RAREST))
    return z / np.sqrt(reliability), (1 - reliability) / reliability
