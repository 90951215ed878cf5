from __future__ import annotations

from typing import get_args

import numpy as np
from need_rows import instruments

from recommender.observations.need_tables import ITEM_NEED_COLUMNS, item_need_table
from recommender.observations.needs import estimate_needs
from recommender.observations.norms import Norms
from recommender.observations.scores import (
    COLUMNS,
    NOT_OBSERVED_ROLES,
    NOT_OBSERVED_TYPES,
    OPTIONAL_COLUMNS,
    REQUIRED_COLUMNS,
    ObservationType,
    ObserverRole,
    empty_scores,
)


def test_the_columns_are_those_of_the_contract() -> None:
    required = ("teacher_id", "visit", "observed_on", "observer", "instrument", "item", "value")
    optional = ("tenant", "school", "segment", "observation_type", "observer_role", "note")
    assert (required, optional) == (REQUIRED_COLUMNS, OPTIONAL_COLUMNS) and (*required, *optional) == COLUMNS


def test_an_empty_table_has_every_column_in_its_type() -> None:
    frame = empty_scores()
    assert tuple(frame.columns) == COLUMNS and len(frame) == 0
    assert frame["value"].dtype == np.float64 and frame["segment"].dtype == np.int64
    assert frame["observed_on"].dtype.kind == "M"


def test_what_is_no_observation_is_named_by_words_of_the_closed_lists() -> None:
    assert set(NOT_OBSERVED_TYPES) < set(get_args(ObservationType))
    assert set(NOT_OBSERVED_ROLES) < set(get_args(ObserverRole))


def test_no_scores_give_no_needs_with_fixed_norms_and_without() -> None:
    for norms in (Norms(), None):
        estimate = estimate_needs(empty_scores(), instruments(), norms)
        assert estimate.groups == [] and len(estimate.ratings) == 0
        assert tuple(item_need_table(estimate).columns) == ITEM_NEED_COLUMNS
