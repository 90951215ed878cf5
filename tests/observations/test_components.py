from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from recommender.observations.components import Component, shipped_components


def test_the_shipped_parts_are_those_of_the_research_notes_and_sum_to_one() -> None:
    parts = shipped_components()
    found = {
        name: (part.variance, part.general, part.same_domain)
        for name, part in (
            ("teacher", parts.teacher), ("lesson", parts.lesson), ("rater", parts.rater), ("residual", parts.residual)
        )
    }  # fmt: skip
    assert found == {
        "teacher": (0.12, 0.38, 0.12), "lesson": (0.14, 0.19, 0.0), "rater": (0.265, 0.17, 0.0),
        "residual": (0.475, 0.14, 0.0),
    }  # fmt: skip
    assert sum(part[0] for part in found.values()) == pytest.approx(1)
    assert parts.annual_stability == 0.85
    assert parts.between_scores == pytest.approx(0.14 + 0.475)


def test_a_covariance_is_common_domain_and_own_shares_by_hand() -> None:
    part = Component(variance=2 / 10, general=0.3, same_domain=0.2)
    expected = 0.2 * np.array([[1.0, 0.5, 0.3], [0.5, 1.0, 0.3], [0.3, 0.3, 1.0]])
    assert part.covariance(("talk", "talk", "order")) == pytest.approx(expected)


def test_every_item_keeps_a_share_of_its_own() -> None:
    with pytest.raises(ValidationError, match="item's own"):
        Component(variance=0.1, general=0.7, same_domain=0.3)


@pytest.mark.parametrize("variance", [0.0, -0.1, 1.1, float("nan")])
def test_a_variance_outside_its_range_is_refused(variance) -> None:
    with pytest.raises(ValidationError, match="variance"):
        Component(variance=variance, general=0.1)
