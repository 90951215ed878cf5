from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pytest
import typer
from evidence_rows import CATALOGUE, MARKER, START, change, place, row
from rich.console import Console
from test_reference_profile import models_with
from typer.testing import CliRunner
from watched_lists import made_profile, with_draws

from recommender.learning.evidence import Evidence
from recommender.learning.watch import print_watch, watch
from recommender.learning.watch_commands import watch_command
from recommender.learning.watched import Window

PROFILE = made_profile()
FEW = with_draws(200)
DOMAINS = [skill.domain for skill in CATALOGUE]
FIRST = [DOMAINS.index(domain) for domain in ("checking-feedback", "routines-transitions", "questioning-discourse")]


def used(n, seed=0, *, longer=0.0, words=True):
    """Rows as the made-up profile's training struggles would give them, each list reviewed."""
    rng = np.random.default_rng([6, seed])
    return [_used(rng, number, longer, words) for number in range(n)]


def _used(rng, number, longer, words):
    top, spread = rng.normal(0.3, 0.7), rng.gamma(4, 0.6)
    scores = np.full(len(CATALOGUE), -9.0)
    first = int(rng.choice(FIRST, p=(0.5, 0.3, 0.2)))
    others = [110, 111, 112, 113]
    scores[[first, *others]] = np.linspace(top, top - spread, 5)
    shown = [place(first, 1, float(scores[first])), place(others[0], 2, float(scores[others[0]]))]
    # MARKER is part of each struggle, so that any of them repeated would be seen.
    length = max(int(rng.normal(270, 70) + longer), len(MARKER))
    keeps = [change(first, "keep"), change(others[0], "keep")]
    context = {
        "subject": str(rng.choice(("mathematics", "science", "art"), p=(0.6, 0.39, 0.01))),
        "grade_band": str(rng.choice(("elementary", "middle", "high"))),
    }
    return row(
        number, shown=shown, scores=np.round(scores, 3).tolist(), changes=keeps, context=context,
        struggle=MARKER + "x" * (length - len(MARKER)) if words else None,
    )  # fmt: skip


def report_of(rows, **more):
    return watch(Evidence.of(rows), PROFILE, parameters=FEW, **more)


def window(*rows):
    return Window.of(Evidence.of(rows).rows, "m1", CATALOGUE, None)


def printed(report):
    console = Console(record=True, width=200, file=open("/dev/null", "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    print_watch(report, console)
    return console.export_text()


# Which lists are watched


def test_only_the_first_list_of_a_case_is_watched():
    found = window(row(0, case="a"), row(1, case="a"), row(2, case="b"), row(3, case="a", tenant="south"))
    assert (len(found.lists), found.left_out["again"]) == (3, 1)


def test_lists_of_other_versions_and_with_observations_are_left_out_and_counted():
    observed = [place(0, 1, struggle=0.2, observation=0.4)]
    found = window(row(0), row(1, model_version="m2"), row(2, shown=observed), row(3, shown=[place(0, 1, note=0.3)]))
    assert len(found.lists) == 1
    assert (found.left_out["other_version"], found.left_out["with_observations"]) == (1, 2)


def test_a_case_answered_with_observations_is_not_watched_later_either():
    found = window(row(0, case="a", shown=[place(0, 1, observation=0.4)]), row(1, case="a"))
    assert len(found.lists) == 1 and found.lists.ranked.tolist() == [True]


def test_a_message_is_watched_as_not_ranked():
    found = window(row(0, shown=[]), row(1))
    assert found.lists.ranked.tolist() == [False, True]


def test_what_was_not_passed_on_is_said():
    report = report_of([row(number) for number in range(40)])
    assert any("40 struggles whose words were not passed on" in sentence for sentence in report.left_out)
    assert any("40 lists without the scores" in sentence for sentence in report.left_out)
    assert {f.n for f in report.findings if f.name in ("characters", "unknown_words", "top_score")} == {0}


# The report


def test_a_quiet_window_is_quiet():
    report = report_of(used(300))
    checked = {f.name for f in report.findings if f.threshold is not None}
    assert checked == {
        "characters", "top_score", "score_spread", "first_domain", "subject", "grade_band", "not_ranked", "calibration",
    }  # fmt: skip
    # Every list was kept whole, which the probabilities did not promise.
    assert {f.name for f in report.findings if f.drifted} <= {"calibration", "not_ranked"}
    assert (report.lists, report.reviews, report.teachers) == (300, 300, 300)


def test_coaches_who_keep_everything_are_told_as_probabilities_that_do_not_hold():
    [gap] = [f for f in report_of(used(300)).findings if f.statistic == "gap"]
    assert gap.drifted
    assert "held 1.00" in gap.sentence


def test_longer_struggles_are_found_and_both_figures_said():
    report = report_of(used(300, longer=80))
    assert report.drifted
    assert {"characters"} <= {f.name for f in report.findings if f.drifted}
    assert "in training" in printed(report)


def test_the_order_of_the_evidence_changes_nothing():
    rows = used(120)
    shuffled = [rows[at] for at in np.random.default_rng(2).permutation(120)]
    assert report_of(rows) == report_of(shuffled)


def test_a_few_lists_say_too_few_and_never_drift():
    report = report_of(used(20, longer=2_000))
    assert not report.drifted and not report.checked
    text = printed(report)
    assert "too few" in text and "Nothing could be checked." in text


def test_nothing_a_person_wrote_and_no_pseudonym_is_in_any_output():
    report = report_of(used(200, longer=80))
    data = json.dumps(report.as_data())
    assert report.drifted
    for output in (data, printed(report), repr(report.findings)):
        assert MARKER not in output
        assert "coach-1" not in output and "t17" not in output and "north" not in output


# The command

APP = typer.Typer()
APP.command()(watch_command)


@pytest.fixture
def models(tmp_path):
    """The made-up profile as a version that answers; its encoder's tokenizer is the shipped one."""
    folder = models_with(tmp_path, PROFILE)
    from recommender.ranking.versions import DEFAULT_MODELS

    (folder / "encoders").symlink_to(DEFAULT_MODELS / "encoders")
    return folder


def run(tmp_path, models, rows, *more):
    file = tmp_path / "evidence.jsonl"
    file.write_text("".join(each.to_json() + "\n" for each in rows), encoding="utf-8")
    return CliRunner().invoke(APP, [str(file), "--models", str(models), *more])


def test_drift_ends_with_code_4_and_too_few_with_2(tmp_path, models):
    found = run(tmp_path, models, used(60, longer=200))
    assert found.exit_code == 4
    assert "drifted" in found.output
    assert MARKER not in found.output
    assert run(tmp_path, models, used(10)).exit_code == 2


def test_a_quiet_window_ends_with_code_0_and_json_says_why(tmp_path, models):
    rows = [each.model_copy(update={"review": None, "coach": None, "struggle": None}) for each in used(100, seed=3)]
    found = run(tmp_path, models, rows, "--json")
    assert found.exit_code == 0
    data = json.loads(found.stdout)
    assert (data["drifted"], data["lists"], data["model_version"]) == (False, 100, "m1")
    assert {"name", "statistic", "value", "threshold", "n", "drifted", "sentence", "interval"} == set(
        data["findings"][0]
    )


def test_only_lists_since_a_day_are_watched(tmp_path, models):
    day = (START + timedelta(days=1)).date().isoformat()
    found = run(tmp_path, models, used(200), "--since", day, "--json")
    data = json.loads(found.stdout)
    # Lists are ten minutes apart: 96 are of the first day, which begins at 8.
    assert data["lists"] == 104
    assert data["since"].startswith(day)
