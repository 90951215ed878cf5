import io

import numpy as np
import pytest
from rich.console import Console
from score_rows import rows, rubric, table

from recommender.catalogue.instruments import load_instruments
from recommender.errors import DataFileError
from recommender.observations import scores as columns
from recommender.training.observation_baselines import POSTERIOR, item_domains, rankers
from recommender.training.observation_designs import (
    load_designs,
    oracle_need,
    simulated_interests,
)
from recommender.training.observation_report import (
    ORACLE,
    TRUTH,
    holdout_report,
    simulated_report,
)
from recommender.training.observation_tables import print_observation_report
from recommender.training.simulate.population import need_of
from recommender.training.simulate.ratings import simulate_scores

DESIGN = "4 lessons, same rater"


def study(teachers=40, own=True):
    """Two visits by different observers; the items that are a teacher's own lows are so at both, if ``own``."""
    rng = np.random.default_rng(5)
    visits = []
    for i in range(teachers):
        usual = rng.integers(1, 5, 4)
        for nth, observer in enumerate(rng.permutation(4)[:2]):
            values = usual if own else rng.integers(1, 5, 4)
            visits.append(rows(f"t{i:02d}", values, f"v{nth}", f"2026-0{3 + nth}-02", f"o{observer}"))
    return table(*visits)


def flat_teachers(scores):
    profiles = scores[scores[columns.VISIT] == "v0"].groupby(columns.TEACHER)[columns.VALUE].nunique()
    return profiles.index[profiles == 1]


def printed(report):
    stream = io.StringIO()
    print_observation_report(report, Console(file=stream, width=140))
    return stream.getvalue()


@pytest.fixture(scope="module")
def found():
    return holdout_report(study(), rubric())


@pytest.fixture(scope="module")
def simulated():
    return simulated_report(90, 3, designs=[DESIGN, "1 lesson"])


def test_what_both_visits_show_is_found_and_chance_is_three_of_the_items(found):
    assert found["chance"] == 0.75
    assert found["teachers"] == 40
    figures = found["figures"]["hit@3"]
    assert list(figures) == list(rankers())
    assert figures["normal scores"]["mean"] > 0.95
    assert figures[POSTERIOR]["low"] > 0.75
    assert "posterior is better by" not in figures[POSTERIOR]


def test_what_nothing_shows_is_found_by_chance():
    figures = holdout_report(study(300, own=False), rubric())["figures"]["hit@3"]
    for ranker in ("normal scores", "rater-adjusted z", POSTERIOR):
        assert figures[ranker]["mean"] == pytest.approx(0.75, abs=0.03)


def test_the_seed_decides_the_report(found):
    again, other = (holdout_report(study(), rubric(), seed) for seed in (0, 1))
    assert again == found
    assert other["figures"] != found["figures"]


def test_interests_add_their_ranker():
    report = holdout_report(study(), rubric(), interests={"t00": ["engagement-participation"]})
    assert "lowest + interest" in report["figures"]["hit@3, held-back raters adjusted"]


def test_a_flat_profile_is_a_miss_of_the_posterior_and_counted():
    scores = study()
    scores = scores[~scores[columns.TEACHER].isin(flat_teachers(scores))].copy()
    flat = (scores[columns.TEACHER] == "t00") & (scores[columns.VISIT] == "v0")
    scores.loc[flat, columns.VALUE] = 3.0
    figures = holdout_report(scores, rubric())["figures"]["hit@3"]
    assert {name: figure["no answer"] for name, figure in figures.items() if figure["no answer"]} == {POSTERIOR: 1}


def test_teachers_with_three_common_items_or_fewer_are_left_out():
    short = rows("short", {"A": 2, "B": 2, "C": 2}, "v1", "2026-04-02", "o9")
    scores = table(study().to_dict("records"), rows("short", (2, 2, 2, 3), "v0"), short)
    report = holdout_report(scores, rubric())
    assert report["teachers"] == 40
    assert report["left out"] == {"three common items or fewer": 1}


def test_a_file_is_read_and_its_bad_rows_counted(tmp_path, found):
    file = tmp_path / "scores.csv"
    broken = table(study().to_dict("records"), rows("t99", {"A": 9}))
    broken.to_csv(file, index=False)
    report = holdout_report(file, rubric())
    assert report["rows refused"] == 1
    assert report["figures"] == found["figures"]


def test_a_table_without_a_second_visit_is_refused():
    with pytest.raises(DataFileError, match="no teacher with a visit to hold back"):
        holdout_report(table(rows("t", (1, 2, 3, 4))), rubric())


def test_a_table_whose_visits_share_no_items_is_refused():
    first, second = rows("t", {"A": 1, "B": 2}), rows("t", {"C": 1, "D": 2}, "v2", observer="o2")
    with pytest.raises(DataFileError, match="no teacher with four items"):
        holdout_report(table(first, second), rubric())


def test_the_designs_have_the_raters_they_name():
    raters = {name: (study.raters, study.teachers_per_rater) for name, study in load_designs().items()}
    assert [number for _, number in raters.values()] == [15, 15, 15, 15, 30]
    for name, (mode, number) in raters.items():
        scores = simulate_scores(load_designs()[name].of(60), 1).scores
        seen = scores.groupby(columns.OBSERVER)[columns.TEACHER].nunique()
        assert seen.mean() == pytest.approx(number, rel=0.01), name
        raters_of_teacher = scores.groupby(columns.TEACHER)[columns.OBSERVER].nunique()
        visits = load_designs()[name].visits
        assert set(raters_of_teacher) == {visits if mode == "different" else 1}, name
        assert set(scores.groupby(columns.TEACHER)[columns.VISIT].nunique()) == {visits}, name
    shared = simulate_scores(load_designs()["8 lessons, same rater as colleagues"].of(60), 1).scores
    assert set(shared.groupby(columns.SCHOOL)[columns.OBSERVER].nunique()) == {1}


def test_the_true_need_is_the_ceiling_and_the_oracle_lies_between(simulated):
    figures = simulated["designs"][DESIGN]["figures"]["hit@3"]
    assert figures[TRUTH]["mean"] == 1
    assert figures[POSTERIOR]["mean"] < figures[ORACLE]["mean"] < 1
    assert figures["hard items"]["mean"] < figures[POSTERIOR]["mean"]
    assert figures["raw lowest"]["posterior is better by"]["low"] > 0


def test_a_study_says_its_chance_reference_and_how_the_posterior_fits(simulated):
    for name, study in simulated["designs"].items():
        assert study["chance"] == pytest.approx(1 / 6, abs=1e-4)
        assert study["reference"] == load_designs()[name].reference
        assert study["teachers a rater"] == 15
        assert study["raters"] == 6
        assert 0.85 < study["posterior"]["coverage of 90% intervals"]["mean"] < 0.97
        assert 0.15 < study["posterior"]["correlation with true need"] < 0.65
        assert set(study["figures"]["hit@3"]) == {*rankers({}), ORACLE, TRUTH}


def test_more_lessons_find_more(simulated):
    one, four = (simulated["designs"][name]["figures"]["hit@3"] for name in ("1 lesson", DESIGN))
    assert one[POSTERIOR]["mean"] < four[POSTERIOR]["mean"]
    assert one["hard items"] != four["hard items"] or one[TRUTH] == four[TRUTH]


def test_the_simulated_report_is_the_same_for_the_same_seed(simulated):
    again = simulated_report(90, 3, designs=["1 lesson"])
    assert again["designs"]["1 lesson"] == simulated["designs"]["1 lesson"]


def test_the_oracle_comes_closer_with_more_lessons():
    theta = simulate_scores(load_designs()["1 lesson"].of(3000), 2).theta
    truth = need_of(theta)
    closeness = [np.corrcoef(oracle_need(theta, visits, 0).ravel(), truth.ravel())[0, 1] for visits in (1, 4, 400)]
    # Centred over 18 items in domains of 3, what items do not share: of the teacher .12 (.50 x 17/18 + .12 x 15/18),
    # of the noise (.14 x .81 + .475 x .86) x 17/18. Single items give r; what a domain shares adds a little.
    teacher, noise = 0.12 * (0.5 * 17 / 18 + 0.12 * 15 / 18), (0.14 * 0.81 + 0.475 * 0.86) * 17 / 18
    single = np.array([np.sqrt(teacher / (teacher + noise / visits)) for visits in (1, 4, 400)])
    assert ((closeness > single - 0.005) & (closeness < single + 0.025)).all()


def test_interests_lean_towards_what_is_truly_needed():
    simulated = simulate_scores(load_designs()["1 lesson"].of(2000), 4)
    interests = simulated_interests(simulated, load_instruments(), 4)
    assert interests is not None
    assert {len(named) for named in interests.values()} == {2}
    domains = item_domains([("gti-2018", code) for code in simulated.items], load_instruments())
    named = np.array([[domain in interests[teacher] for domain in domains] for teacher in simulated.teacher_ids])
    gap = simulated.true_need[named].mean() - simulated.true_need[~named].mean()
    assert 0.02 < gap < 0.15


def test_both_reports_are_printed_with_their_limits(found, simulated):
    held_back = printed(found)
    assert "chance 0.750" in held_back
    assert POSTERIOR in held_back
    assert "teachers left out: nobody" in held_back
    text = printed(simulated)
    assert "reference for the posterior 0.39" in text
    assert ORACLE in text
    assert "coverage of 90% intervals" in text
