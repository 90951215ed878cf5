from __future__ import annotations

import json
from io import StringIO
from xml.etree import ElementTree

import numpy as np
import pytest
import typer
from evidence_rows import change, row
from planted_answers import PlantedAnswers
from rich.console import Console
from test_audit_swaps import TEXTS, rows
from typer.testing import CliRunner

from recommender.cases import Case, Context
from recommender.catalogue.loader import load_catalogue
from recommender.errors import GrowthError, SettingsError
from recommender.learning.audit_commands import audit
from recommender.learning.audit_findings import Finding, audit_words
from recommender.learning.audit_pages import audit_markdown, plot_file, print_audit, write_audit
from recommender.learning.audit_parameters import load_audit_edits, load_audit_parameters
from recommender.learning.audit_plot import findings_svg
from recommender.learning.audit_report import PARTS, AuditReport, audit_evidence, audit_swaps, audit_version
from recommender.learning.audit_stress import FEW_WORDS, stress_scores, stress_texts
from recommender.learning.evidence import Evidence
from recommender.training.intervals import Interval

PARAMETERS = load_audit_parameters()
CATALOGUE = load_catalogue()


def finding(mean: float, low: float, high: float, margin: float = 0.05, **more) -> Finding:
    fields = {"part": "swaps", "about": "names", "measure": "top_1_changed"} | more
    return Finding(figure=Interval(mean, low, high, 30), margin=margin, **fields)


@pytest.fixture(scope="module")
def stressed(recommender):
    few = PARAMETERS.sample.model_copy(update={"teachers": PARAMETERS.sample.teachers.model_copy(update={"value": 8})})
    return [one for part in stress_scores(recommender, PARAMETERS.model_copy(update={"sample": few})) for one in part]


@pytest.fixture(scope="module")
def report(stressed, tmp_path_factory):
    """Every part, small: planted answers, real scores, planted evidence."""
    made = AuditReport("2026.test")
    answers = PlantedAnswers(("Title I", "Malachi", "Monday", "Wednesday"))
    audit_swaps(made, rows(), answers, PARAMETERS, lambda _: None)
    for found in stress_texts(rows(), answers, CATALOGUE, load_audit_edits(), PARAMETERS):
        made.findings += found
    made.findings += stressed
    lists = [row(n, teacher=f"t{n % 30}", changes=[change(0, "remove" if n % 2 else "keep")]) for n in range(120)]
    file = tmp_path_factory.mktemp("audit") / "attributes.csv"
    people = [f"t{n},stage,{'early' if n % 2 else 'late'}" for n in range(30)] + ["t1,band,x", "stranger,stage,early"]
    file.write_text("\n".join(["teacher,attribute,value", *people]))
    audit_evidence(made, Evidence.of(lists), file, answers, PARAMETERS)
    return made


# Verdicts


def test_a_figure_is_within_when_its_whole_interval_is_beyond_when_none_of_it_is_and_open_between():
    assert finding(0.0, -0.02, 0.05).verdict == "within"
    assert finding(0.08, 0.051, 0.1).verdict == "beyond"
    assert finding(0.08, 0.04, 0.1).verdict == "open"
    assert finding(0.0, -0.1, 0.1).verdict == "open"


def test_a_ratio_must_not_be_below_its_threshold():
    assert finding(0.9, 0.81, 1.0, 0.8, most=False).verdict == "within"
    assert finding(0.6, 0.5, 0.79, 0.8, most=False).verdict == "beyond"
    assert finding(0.85, 0.7, 1.0, 0.8, most=False).verdict == "open"


def test_a_threshold_is_one_on_the_plot_for_differences_and_for_ratios():
    assert finding(0.05, 0.0, 0.1).share_of_margin == pytest.approx((1, 0, 2))
    assert finding(0.8, 0.6, 1.0, 0.8, most=False).share_of_margin == pytest.approx((1, 0, 2))


def test_a_sentence_says_figure_threshold_and_verdict():
    sentence = finding(0.08, 0.06, 0.1, control=Interval(0, 0, 0, 30)).sentence
    assert "+0.080 [+0.060, +0.100] beyond its control" in sentence
    assert "at most 0.05" in sentence
    assert sentence.endswith("Beyond its threshold.")


def test_every_measure_and_part_has_its_words(report):
    words = audit_words()
    assert {one.measure for one in report.findings} <= set(words.measures)
    assert set(words.parts) == set(PARTS)


# Stress


def test_scores_that_are_all_alike_rank_nothing(stressed):
    flat = [one for one in stressed if one.measure == "ranked_when_flat"]
    assert [one.about for one in flat] == ["all scores alike", "all scores the lowest"]
    assert all(one.figure.mean == 0 and one.verdict == "within" for one in flat)


def test_half_a_level_less_moves_no_more_places_than_a_whole_one_and_each_stands_beside_looking_again(stressed):
    moved = {one.about: one for one in stressed if one.measure == "moved_beyond_ties"}
    assert len(moved) == 6
    assert moved["all scores half a level lower"].figure.mean <= moved["all scores a level lower"].figure.mean
    assert len({one.control for one in moved.values()}) == 1


def test_another_way_to_write_is_measured_against_the_text_as_written():
    answers = PlantedAnswers(("NEVER",))
    found = {
        (one.about, one.measure): one.figure.mean
        for part in stress_texts(rows(), answers, CATALOGUE, load_audit_edits(), PARAMETERS)
        for one in part
    }
    # One text of three says "never"; in capitals it gets the planted skill.
    assert found["all capitals", "top_1_changed"] == pytest.approx(1 / 3)
    assert found["small letters without marks", "top_1_changed"] == 0
    assert any(len(text) > 3_000 for text in answers.asked)


@pytest.mark.parametrize(("status", "alarmed"), [("safeguarding", 1 / 3), ("not_enough", 0)])
def test_a_few_words_that_alarm_are_counted_and_a_few_that_are_too_little_are_not(status, alarmed):
    short = " ".join(TEXTS[0].split()[:FEW_WORDS])

    class Short(PlantedAnswers):
        def of(self, text: str, context: Context):
            return PlantedAnswers((text,) if text == short else (), status=status).of(text, context)

    *_, last = stress_texts(rows(), Short(), CATALOGUE, load_audit_edits(), PARAMETERS)
    assert last[0].figure.mean == pytest.approx(alarmed)


# Told


def test_every_part_is_in_the_markdown_with_its_plot_and_every_finding_beyond_is_in_the_summary(report):
    text = audit_markdown(report)
    summary = text.split("## Summary")[1].split("\n## ")[0]
    for part in PARTS:
        assert f"({plot_file(part)})" in text
    beyond = [one for one in report.findings if one.verdict == "beyond"]
    assert beyond
    assert all(one.sentence in summary for one in beyond)
    assert "1 teachers of the attribute file unknown here" in text
    assert "not for evaluation" in text


def test_the_same_report_gives_the_same_bytes(report, tmp_path):
    first, second = (write_audit(report, tmp_path / name) for name in ("a", "b"))
    assert [file.name for file in first] == ["audit.md", "audit.json", *(plot_file(part) for part in PARTS)]
    assert [file.read_bytes() for file in first] == [file.read_bytes() for file in second]


def test_the_data_hold_every_finding_and_no_text_or_teacher(report):
    data = json.loads(json.dumps(report.as_data()))
    assert len(data["findings"]) == len(report.findings)
    assert data["texts"] == {"development": 0, "training": 3}
    told = json.dumps(data)
    assert "stranger" not in told
    assert not [text for text in TEXTS if text[:20] in told]


def test_a_plot_is_well_formed_and_says_its_findings_in_words(report):
    drawn = findings_svg(report.of("swaps"), "A & B")
    tree = ElementTree.fromstring(drawn)
    assert tree.find("{*}title").text == "A & B"
    assert report.of("swaps")[0].sentence in tree.find("{*}desc").text
    with pytest.raises(GrowthError):
        findings_svg([], "nothing")


def test_a_figure_far_beyond_is_drawn_at_the_edge_and_not_outside():
    tree = ElementTree.fromstring(findings_svg([finding(5.0, -9.0, 9.0)], "far"))
    width = float(tree.get("width"))
    assert all(0 <= float(line.get(x)) <= width for line in tree.iter("{*}line") for x in ("x1", "x2"))


def test_the_console_shows_each_part(report):
    console = Console(width=200, record=True, file=StringIO())
    print_audit(report, console)
    text = console.export_text()
    assert all(words.title in text for words in audit_words().parts.values())


# Asked


def test_evidence_without_attributes_is_refused_with_the_way_out(recommender, tmp_path):
    with pytest.raises(SettingsError, match="--attributes"):
        audit_version(recommender, evidence=tmp_path / "e.jsonl")


def test_the_command_stops_with_the_error_and_its_way_out(tmp_path):
    app = typer.Typer()
    app.command()(audit)
    result = CliRunner().invoke(app, ["--attributes", str(tmp_path / "a.csv")])
    assert result.exit_code == 2
    assert "both or none" in " ".join(result.output.split())


def test_no_attribute_reaches_the_model(recommender):
    assert "attribute" not in str(sorted(Case.model_fields) + sorted(Context.model_fields))
    ranked = recommender.rank(Case(case_id="c", struggle=TEXTS[2], teacher_id="t1"))
    other = recommender.rank(Case(case_id="c", struggle=TEXTS[2], teacher_id="t2"))
    assert ranked == other
    assert not np.isnan([one.score for one in ranked.suggestions]).any()


def test_the_summary_says_what_control_edits_alone_change(report):
    # Two weekdays are planted, so that another weekday may change the list.
    controls = [one.control.mean for one in report.of("swaps") if one.measure == "top_1_changed"]
    assert max(controls) > 0
    assert f"{min(controls):.0%} to {max(controls):.0%} of texts" in " ".join(audit_markdown(report).split())
