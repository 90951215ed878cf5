from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
from need_rows import instruments, table, visit

from recommender.catalogue.instruments import load_instruments
from recommender.observations.needs import estimate_needs
from recommender.observations.norm_fit import fit_norms
from recommender.observations.norms import Norms
from recommender.observations.ratings import observed_ratings
from recommender.training.simulate.design import Design
from recommender.training.simulate.ratings import simulate_scores


@lru_cache
def study() -> pd.DataFrame:
    """Two tenants, the first with raters enough for components of its own."""
    large = simulate_scores(Design(teachers=120, visits=3, raters="different", teachers_per_rater=9), 5).scores
    small = simulate_scores(Design(teachers=20, visits=None, raters="mixed"), 6).scores
    return pd.concat([large.assign(tenant="large"), small.assign(tenant="small")], ignore_index=True)


def test_norms_written_and_read_again_give_the_needs_of_fitting_on_the_table_itself(tmp_path) -> None:
    norms = fit_norms(observed_ratings(study(), load_instruments()), load_instruments())
    path = tmp_path / "norms.json"
    path.write_text(norms.to_json(), encoding="utf-8")
    loaded = Norms.load(path)
    fitted = estimate_needs(study(), load_instruments())
    given = estimate_needs(study(), load_instruments(), loaded, norms_hold_scores=True)
    assert loaded.of("large").components is not None and loaded.of("small").components is None
    assert len(given.groups) == len(fitted.groups) > 2
    for one, other in zip(given.groups, fitted.groups, strict=True):
        assert one.teacher.tolist() == other.teacher.tolist()
        assert one.need == pytest.approx(other.need, abs=1e-9)
        assert one.covariance == pytest.approx(other.covariance, abs=1e-9)


def test_norms_that_hold_the_scores_but_are_not_said_to_correct_a_teacher_by_themselves() -> None:
    norms = fit_norms(observed_ratings(study(), load_instruments()), load_instruments())
    said = estimate_needs(study(), load_instruments(), norms, norms_hold_scores=True).groups[0]
    unsaid = estimate_needs(study(), load_instruments(), norms).groups[0]
    assert np.abs(said.need - unsaid.need).max() > 0.01


def test_fitting_gives_the_same_bytes_whatever_the_order_of_rows() -> None:
    first = fit_norms(observed_ratings(study(), load_instruments()), load_instruments())
    shuffled = study().sample(frac=1, random_state=3)
    assert fit_norms(observed_ratings(shuffled, load_instruments()), load_instruments()).to_json() == first.to_json()


def test_what_one_tenant_is_like_changes_nothing_in_anothers_norms() -> None:
    both = fit_norms(observed_ratings(study(), load_instruments()), load_instruments())
    alone = study()[study()["tenant"] == "small"]
    norms = fit_norms(observed_ratings(alone, load_instruments()), load_instruments())
    assert norms.of("small") == both.of("small")


def test_components_can_be_left_as_shipped() -> None:
    norms = fit_norms(observed_ratings(study(), load_instruments()), load_instruments(), components=False)
    assert all(tenant.components is None for tenant in norms.tenants.values())


def test_norms_hold_no_teacher_and_no_school() -> None:
    scores = table(visit("secret-teacher", "1234", school="secret-school", note="secret note"))
    assert "secret" not in fit_norms(observed_ratings(scores, instruments()), instruments()).to_json()
