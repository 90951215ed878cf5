from __future__ import annotations

import pytest
import yaml
from pydantic import ValidationError
from scipy.stats import beta

from recommender.errors import DataFileError
from recommender.training.simulate.district_parameters import MoveRate, SelfReportParameters
from recommender.training.simulate.parameters import PARAMETERS_FILE, Parameters, load_parameters


def document() -> dict:
    return yaml.safe_load(PARAMETERS_FILE.read_text(encoding="utf-8"))


def written(tmp_path, content: dict):
    file = tmp_path / "parameters.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    return file


def test_the_shares_of_a_score_are_the_measured_ones() -> None:
    shares = load_parameters().shares["measured"]
    assert (shares.teacher, shares.lesson, shares.rater, shares.residual) == (0.12, 0.14, 0.265, 0.475)


def test_the_beta_of_the_top_share_has_the_published_percentiles() -> None:
    margins = load_parameters().operational_margins
    low, median, high = beta.ppf([0.1, 0.5, 0.9], margins.top_share_alpha, margins.top_share_beta)
    assert low == pytest.approx(0.04, abs=0.001)
    assert high == pytest.approx(0.74, abs=0.001)
    # The published median is .32 and was not fitted.
    assert median == pytest.approx(0.32, abs=0.03)


def test_shares_that_miss_one_are_refused_with_their_place(tmp_path) -> None:
    content = document()
    content["shares"]["measured"]["teacher"] = 0.2
    with pytest.raises(DataFileError, match=r"shares: measured.*sum to 1\.08"):
        load_parameters(written(tmp_path, content))


def test_a_number_without_a_source_is_refused(tmp_path) -> None:
    content = document()
    del content["structure"]["rater"]["source"]
    with pytest.raises(DataFileError, match="structure: rater: source"):
        load_parameters(written(tmp_path, content))


def test_an_unknown_field_is_refused(tmp_path) -> None:
    content = document() | {"extra": 1}
    with pytest.raises(DataFileError, match="extra"):
        load_parameters(written(tmp_path, content))


def test_an_item_of_a_domain_without_figures_is_refused() -> None:
    content = document()
    content["research_margins"]["items"]["CM1RT"]["domain"] = "other"
    with pytest.raises(ValidationError, match="CM1RT: no figures for the domain other"):
        Parameters.model_validate(content)


def test_a_retest_too_low_for_the_general_part_is_refused() -> None:
    values = {"r_true": 0.5, "general_share": 0.6, "retest": 0.5, "interests_named": 2}
    with pytest.raises(ValidationError, match="retest"):
        SelfReportParameters.model_validate({k: {"value": v, "source": "a test"} for k, v in values.items()})


def test_a_rate_no_beta_distribution_has_is_refused() -> None:
    with pytest.raises(ValidationError, match="beta"):
        MoveRate(mean=0.1, sd=0.31, source="a test")


def test_career_stages_without_a_share_of_their_own_take_that_of_all() -> None:
    areas = {area.name: area for area in load_parameters().demo.struggle_areas}
    management = areas["classroom management"]
    assert [management.share(s) for s in ("early", "student", "mid", "veteran")] == [0.372, 0.372, 0.195, 0.125]
    assert areas["assessment"].share("early") == 0.295
