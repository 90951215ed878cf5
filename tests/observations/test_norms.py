from __future__ import annotations

import json

import numpy as np
import pytest
from need_rows import RUBRIC, components, instruments, own_norms, rubric, table, visit

from recommender.errors import DataFileError
from recommender.observations.components import shipped_components
from recommender.observations.item_distributions import ItemDistribution, prior_of
from recommender.observations.needs import estimate_needs
from recommender.observations.norms import Distributions, Norms, TenantNorms, rater_items, score_counts
from recommender.observations.ratings import observed_ratings

HERE = TenantNorms(components=components())


def test_a_tenants_norms_are_found_by_name_and_an_unknown_one_gets_the_shipped_priors() -> None:
    norms = Norms(tenants={"north": HERE, "south": TenantNorms()})
    assert norms.of("north") is HERE
    assert norms.of("west") == TenantNorms() == norms.of("")
    assert norms.of("west").variance_components() == shipped_components()


def test_scores_that_name_no_tenant_are_the_only_tenants() -> None:
    assert Norms(tenants={"north": HERE}).of("") is HERE
    assert Norms(tenants={"north": HERE}).of("south") == TenantNorms()


def test_a_table_without_tenants_is_read_with_the_only_tenants_norms() -> None:
    scores = table(visit("t", "1234"))
    norms = own_norms(tenant="north", A=(1, 1, 1, 300))
    (named,) = estimate_needs(scores.assign(tenant="north"), instruments(), norms).groups
    (unnamed,) = estimate_needs(scores, instruments(), norms).groups
    (other,) = estimate_needs(scores.assign(tenant="south"), instruments(), norms).groups
    (nothing,) = estimate_needs(scores, instruments(), Norms()).groups
    assert unnamed.need.tobytes() == named.need.tobytes() != nothing.need.tobytes() == other.need.tobytes()


def test_readings_are_normal_scores_over_their_information() -> None:
    norms = own_norms()
    own = instruments()
    ratings = observed_ratings(table(visit("t", {"E": 2})), own)
    readings = Distributions(norms, own).read(ratings)
    item = ItemDistribution(np.arange(1.0, 5), np.array([20.0, 50, 80, 50]), prior_of(own[RUBRIC], "E"))
    keeps = item.information
    assert readings.latent == pytest.approx(item.normal_scores(np.array([2.0])) / keeps)
    assert readings.noise == pytest.approx([(1 - keeps) / keeps])
    assert readings.uncertainty == pytest.approx([1 / 206])


def test_counts_are_of_directed_lesson_scores_per_tenant_and_item() -> None:
    ratings = observed_ratings(
        table(
            visit("t", {"A": 1, "D": 4}, tenant="n"), visit("u", {"A": 1, "D": 1}, tenant="n"),
            visit("t", {"A": 2}, tenant="m", segment=1), visit("t", {"A": 3}, tenant="m", segment=2),
        ),
        instruments(),
    )  # fmt: skip
    counts = score_counts(ratings)
    assert counts["n"]["five/A"].model_dump() == {"values": [1.0], "counts": [2.0]}
    assert counts["n"]["five/D"].model_dump() == {"values": [1.0, 4.0], "counts": [1.0, 1.0]}
    assert counts["m"]["five/A"].model_dump() == {"values": [2.5], "counts": [1.0]}


def test_rater_totals_are_kept_for_known_observers_of_their_tenant() -> None:
    ratings = observed_ratings(
        table(
            visit("t", {"A": 1}, tenant="n"), visit("u", {"A": 1}, "v2", tenant="n"), visit("t", {"A": 1}, tenant="m"),
            visit("u", {"A": 1}, observer="UNK", tenant="n"),
        ),
        instruments(),
    )  # fmt: skip
    found = rater_items(ratings, np.full(len(ratings), 0.5))
    assert found["n"]["o1"]["five/A"].model_dump() == {"n": 2.0, "teachers": 2.0, "total": 1.0}
    assert found["m"]["o1"]["five/A"].n == 1 and "UNK" not in found["n"]


def test_a_norms_file_is_one_line_of_json_and_comes_back_unchanged(tmp_path) -> None:
    norms = own_norms(parts=components(stability=0.7), raters={"o1": {"A": (9, 8, 1 / 3)}})
    path = tmp_path / "norms.json"
    path.write_text(norms.to_json(), encoding="utf-8")
    assert norms.to_json().count("\n") == 1 and Norms.load(path) == norms
    assert Norms.load(path).to_json() == norms.to_json()


def broken(**changes) -> str:
    document = json.loads(own_norms(raters={"o1": {"A": (9, 8, 1)}}).to_json())
    return json.dumps({**document, **changes})


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("", "its start"),
        ("[1, 2]", "its start"),
        (broken(tenants={"n": {"items": {"five/A": {"values": [1.0], "counts": [-1.0]}}}}), "tenants.n.items.five/A"),
        (broken(tenants={"n": {"items": {"five/A": {"values": [1.0]}}}}), "tenants.n.items.five/A"),
        (broken(tenants={"n": {"items": {"five/A": {"values": ["x"], "counts": [1.0]}}}}), "tenants.n.items.five/A"),
        (broken(tenants={"n": {"raters": {"o": {"five/A": {"n": 5}}}}}), "tenants.n.raters.o"),
        (broken(tenants={"n": {"components": {"source": "x"}}}), "tenants.n.components"),
        (broken(more=1), "more"),
        (broken(format=2), "format 2"),
    ],
)
def test_a_broken_norms_file_is_refused_with_its_place(content, named, tmp_path) -> None:
    path = tmp_path / "norms.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataFileError) as refused:
        Norms.load(path)
    assert named in refused.value.found and str(path) == refused.value.where


@pytest.mark.parametrize(
    "scores",
    [
        {"values": [1.0, 2.0], "counts": [1.0]},
        {"values": [2.0, 1.0], "counts": [1.0, 1.0]},
        {"values": [1.0, 1.0], "counts": [1.0, 1.0]},
        {"values": [1.0, 2.0], "counts": [0.0, 0.0]},
    ],
)
def test_item_scores_whose_values_and_counts_do_not_fit_are_refused(scores, tmp_path) -> None:
    path = tmp_path / "norms.json"
    path.write_text(broken(tenants={"n": {"items": {"five/A": scores}}}), encoding="utf-8")
    with pytest.raises(DataFileError, match="five/A"):
        Norms.load(path)


def test_a_norms_file_that_is_not_there_is_named(tmp_path) -> None:
    with pytest.raises(DataFileError, match="norms file"):
        Norms.load(tmp_path / "none.json")


def test_norms_of_an_instrument_with_a_similar_id_do_not_mix() -> None:
    own = instruments(rubric(), rubric("five.A"))
    scores = table(visit("t", "1323-", instrument="five.A"))
    (with_other,) = estimate_needs(scores, own, own_norms(A=(300, 1, 1, 1))).groups
    (without,) = estimate_needs(scores, own, Norms()).groups
    assert with_other.need.tobytes() == without.need.tobytes()
