from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from recommender.catalogue.families import load_families
from recommender.catalogue.instrument import Instrument
from recommender.errors import GrowthError
from recommender.training.simulate.margins import (
    cut,
    normal_shares,
    research_shares,
    shares_with_end,
    shares_with_mean,
    with_top_share,
)
from recommender.training.simulate.parameters import load_parameters
from recommender.training.simulate.rubrics import GTI, simulated_rubric

LEVELS = np.array([1.0, 2.0, 3.0, 4.0])
bounded = settings(max_examples=60, deadline=None, derandomize=True)


def own_rubric(**item) -> dict[str, Instrument]:
    content = {
        "id": "own",
        "title": "Our own",
        "scale": {"min": 1, "max": 5},
        "items": [{"code": "A", "label": "An item", "family": "feedback", **item}],
    }
    return {"own": Instrument.model_validate(content)}


def test_a_normal_is_cut_half_way_between_levels() -> None:
    shares = normal_shares(2.5, 1.0, LEVELS)
    assert shares == pytest.approx([norm.cdf(-1), norm.cdf(0) - norm.cdf(-1), norm.cdf(1) - norm.cdf(0), norm.cdf(-1)])


@bounded
@given(st.floats(1.05, 3.95), st.floats(0.2, 2.0))
def test_completed_shares_have_the_mean_asked_for(mean, sd) -> None:
    shares = shares_with_mean(mean, sd, LEVELS)
    assert shares @ LEVELS == pytest.approx(mean, abs=1e-6)
    assert shares.sum() == pytest.approx(1) and (shares >= 0).all()


@bounded
@given(st.sampled_from([1, 4]), st.floats(0.05, 0.95), st.floats(0.2, 2.0))
def test_completed_shares_keep_the_end_that_was_published(level, share, sd) -> None:
    shares = shares_with_end(level, share, sd, LEVELS)
    assert shares[level - 1] == pytest.approx(share)
    assert shares.sum() == pytest.approx(1)


def test_a_level_inside_the_scale_does_not_fix_the_rest() -> None:
    with pytest.raises(ValueError, match="not an end"):
        shares_with_end(2, 0.5, 0.5, LEVELS)


def test_published_components_keep_their_distribution_and_domains_their_mean() -> None:
    margins = load_parameters().research_margins
    shares = research_shares(margins, LEVELS)
    assert shares["CM3DS"][3] == pytest.approx(0.92)
    assert shares["CM1RT"][3] == pytest.approx(0.80)
    assert shares["CE2MA"][0] == pytest.approx(0.82)
    assert shares["DC2QT"] == pytest.approx(np.array([0.16, 0.47, 0.31, 0.05]) / 0.99)
    for domain, figures in margins.domains.items():
        means = [shares[code] @ LEVELS for code, item in margins.items.items() if item.domain == domain]
        # In subject matter the two published components leave more than a scale of 4 can hold.
        assert np.mean(means) == pytest.approx(figures.mean, abs=0.08 if domain == "subject-matter" else 1e-6)


def test_cut_scores_recover_the_margins() -> None:
    rubric = simulated_rubric(GTI, "research", load_parameters())
    n = 40_000
    latent = np.random.default_rng(5).standard_normal((n, len(rubric.items)))
    values = cut(latent, rubric.shares, rubric.levels, rubric.directions)
    for column, shares in enumerate(rubric.shares):
        found = np.array([(values[:, column] == level).mean() for level in rubric.levels])
        assert (np.abs(found - shares) < 4.5 * np.sqrt(shares * (1 - shares) / n) + 1e-9).all()


def test_a_better_latent_score_never_gets_a_lower_level() -> None:
    shares = np.array([[0.1, 0.2, 0.3, 0.4]])
    latent = np.linspace(-3, 3, 61)[:, None]
    assert (np.diff(cut(latent, shares, LEVELS, np.ones(1))[:, 0]) >= 0).all()


def test_an_item_of_direction_minus_one_has_high_levels_for_poor_teaching() -> None:
    shares = np.array([[0.7, 0.1, 0.1, 0.1]])
    latent = np.array([[-3.0], [0.0], [3.0]])
    assert cut(latent, shares, LEVELS, -np.ones(1))[:, 0].tolist() == [4.0, 1.0, 1.0]


def test_a_district_of_few_top_scores_keeps_the_proportions_below() -> None:
    shares = with_top_share(np.array([[0.1, 0.2, 0.3, 0.4]]), 0.1)
    assert shares[0] == pytest.approx([0.15, 0.3, 0.45, 0.1])


def test_the_gti_rubric_has_six_domains_of_three() -> None:
    rubric = simulated_rubric(GTI, "research", load_parameters())
    assert len(rubric.items) == 18
    assert sorted(rubric.domains.count(domain) for domain in set(rubric.domains)) == [3] * 6


def test_the_shipped_gti_instrument_has_the_simulated_items() -> None:
    from recommender.catalogue.instruments import load_instruments

    components = [item.code for item in load_instruments()[GTI].items if item.level == "component"]
    assert tuple(components) == simulated_rubric(GTI, "research", load_parameters()).items


def test_operational_margins_are_those_of_four_level_ratings() -> None:
    rubric = simulated_rubric("danielson-2022", "operational", load_parameters())
    assert rubric.items == ("2a", "2b", "2c", "2d", "2e", "3a", "3b", "3c", "3d", "3e")
    assert rubric.shares[4] == pytest.approx(np.array([0.003, 0.04, 0.66, 0.30]) / 1.003)
    with pytest.raises(GrowthError, match="5 levels"):
        simulated_rubric("own", "operational", load_parameters(), own_rubric())


def test_an_item_with_a_norm_is_cut_to_it_and_one_without_to_its_familys() -> None:
    normed = simulated_rubric(
        "own", "research", load_parameters(), own_rubric(norm={"mean": 2.1, "sd": 0.43, "source": "a test"})
    )
    assert (normed.shares @ normed.levels)[0] == pytest.approx(2.1)
    shared = own_rubric(norm={"shares": {1: 0.5, 3: 0.5}, "source": "a test"})
    assert simulated_rubric("own", "research", load_parameters(), shared).shares[0].tolist() == [0.5, 0, 0.5, 0, 0]
    borrowed = simulated_rubric("own", "research", load_parameters(), own_rubric())
    assert (borrowed.shares @ borrowed.levels)[0] == pytest.approx(1 + 4 * load_families()["feedback"].position_mean)


def test_an_item_nobody_knows_a_norm_for_is_refused() -> None:
    with pytest.raises(GrowthError, match="own A: found no norm"):
        simulated_rubric("own", "research", load_parameters(), own_rubric(family="our-own"))


def test_planning_items_and_derived_scores_are_not_simulated() -> None:
    for hidden in ({"observable": False}, {"derived": True}, {"level": "behaviour"}):
        with pytest.raises(GrowthError, match="no component seen"):
            simulated_rubric("own", "research", load_parameters(), own_rubric(**hidden))


def test_an_unknown_instrument_is_refused() -> None:
    with pytest.raises(GrowthError, match="'nobody'"):
        simulated_rubric("nobody", "research", load_parameters(), own_rubric())
