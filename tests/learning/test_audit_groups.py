from __future__ import annotations

import numpy as np
import pytest
from evidence_rows import MARKER, START, change, choice, place, row
from planted_answers import PlantedAnswers

from recommender.catalogue.loader import load_catalogue
from recommender.errors import DataFileError
from recommender.learning.audit_attributes import Attributes, read_attributes
from recommender.learning.audit_gaps import Entry, group_rates, worst_gap, worst_ratio
from recommender.learning.audit_groups import audit_groups
from recommender.learning.audit_parameters import load_audit_parameters
from recommender.learning.audit_report import AuditReport
from recommender.learning.evidence import Evidence

CATALOGUE = load_catalogue()
MARGINS = load_audit_parameters().groups
LAST = len(CATALOGUE) - 1
TEACHERS = 40


def group(number: int) -> str:
    return "early" if number % 2 else "late"


def attributes(teachers: int = TEACHERS, name: str = "stage") -> Attributes:
    return Attributes({name: {f"t{n}": group(n) for n in range(teachers)}})


def evidence(lists: int = 5, teachers: int = TEACHERS, **said) -> Evidence:
    """Each teacher's lists; ``said`` makes fields of a row from the teacher's number and a random generator."""
    rng = np.random.default_rng(3)
    made = []
    for n in range(teachers):
        for each in range(lists):
            fields = {name: value(n, rng) for name, value in said.items()}
            number = n * lists + each
            made.append(row(number, **{"teacher": f"t{n}", "case": f"c{number}", **fields}))
    return Evidence.of(made)


def audit(rows: Evidence, who: Attributes | None = None, answers=None):
    return audit_groups(rows, who or attributes(), CATALOGUE, MARGINS, answers)


def by_measure(rows: Evidence, answers=None):
    return {finding.measure: finding for finding in audit(rows, answers=answers).findings}


def removals(rate_early: float, rate_late: float):
    def changes(n: int, rng) -> list:
        rate = rate_early if n % 2 else rate_late
        return [change(skill, "remove" if rng.random() < rate else "keep") for skill in (0, 1)]

    return changes


# Rates and gaps


def test_a_group_rate_is_a_ratio_of_sums_and_its_variance_that_of_its_teachers():
    entries = [Entry("a", 1, 1), Entry("b", 0, 3), Entry("x", 5, 5)]
    rates = group_rates(entries, {"a": "one", "b": "one"}, 1, share=False)
    # Moves of the ratio 1/4: a (1 - 1/4) / 4, b (0 - 3/4) / 4; the sum of squares times n / (n - 1).
    assert rates["one"].rate == pytest.approx(0.25)
    assert rates["one"].variance == pytest.approx(2 * (0.75 / 4) ** 2 * 2)
    assert set(rates) == {"one"}


def test_a_group_in_which_nothing_happened_is_not_taken_for_certain():
    rates = group_rates([Entry(f"t{n}", 0, 1) for n in range(10)], {f"t{n}": "g" for n in range(10)}, 10)
    assert rates["g"].rate == 0
    assert rates["g"].interval().high > 0.1


def test_teachers_who_say_much_make_an_interval_wider_than_as_many_separate_cases():
    spread = [Entry(f"t{n}", n % 2, 1) for n in range(100)]
    heaped = [Entry(f"t{n}", 10 * (n % 2), 10) for n in range(10)]
    who = {f"t{n}": "g" for n in range(100)}
    wide, narrow = (group_rates(each, who, 1)["g"].variance for each in (heaped, spread))
    assert wide > 5 * narrow


def test_more_comparisons_make_the_widest_gap_harder_to_call():
    who = {f"t{n}": group(n) for n in range(40)}
    rates = group_rates([Entry(f"t{n}", n % 2, 1) for n in range(40)], who, 10)
    one, many = (worst_gap(rates, count) for count in (1, 100))
    assert one is not None and many is not None
    assert one[0].mean == many[0].mean == 1
    assert many[0].low < one[0].low
    assert (one[1], one[2]) == ("late", "early")


def test_a_ratio_is_the_lowest_rate_over_the_highest_and_none_where_nothing_happened():
    who = {f"t{n}": group(n) for n in range(40)}
    entries = [Entry(f"t{n}", 0.5 if n % 2 else 1.0, 1) for n in range(40)]
    ratio = worst_ratio(group_rates(entries, who, 10), 1)
    assert ratio is not None
    assert ratio[0].mean == pytest.approx(0.5)
    assert ratio[0].low < 0.5 < ratio[0].high
    assert worst_ratio(group_rates([Entry(f"t{n}", 0, 1) for n in range(40)], who, 10), 1) is None


# Findings


def test_planted_removals_of_one_group_are_beyond_the_threshold_and_the_groups_are_named():
    found = by_measure(evidence(20, changes=removals(0.6, 0.1)))["removed"]
    assert found.figure.mean == pytest.approx(0.5, abs=0.08)
    assert found.verdict == "beyond"
    assert found.detail == "late lowest, early highest"


def test_groups_treated_alike_are_never_beyond_a_threshold():
    rows = evidence(
        20,
        changes=removals(0.3, 0.3),
        choices=lambda n, rng: [choice(0)] if rng.random() < 0.5 else [],
        shown=lambda n, rng: [place(int(skill), k + 1) for k, skill in enumerate(rng.permutation(2))],
    )
    assert {finding.verdict for finding in audit(rows).findings} <= {"within", "open"}


def test_too_few_people_to_tell_is_open_and_not_within():
    assert by_measure(evidence(1, changes=removals(0.3, 0.3)))["removed"].verdict == "open"


def test_one_group_that_takes_half_as_much_falls_short_of_four_fifths():
    taken = lambda n, rng: [choice(0, rank=1)] if rng.random() < (0.3 if n % 2 else 0.8) else []  # noqa: E731
    found = by_measure(evidence(20, choices=taken))["chosen"]
    assert found.figure.mean < 0.5
    assert found.verdict == "beyond"
    assert "at least 0.80" in found.sentence


def test_a_domain_shown_to_one_group_only_is_found_and_named():
    shown = lambda n, rng: [place(LAST if n % 2 else 0, 1)]  # noqa: E731
    found = by_measure(evidence(shown=shown))
    assert found["exposure"].figure.mean == found["skill_exposure"].figure.mean == 1
    assert found["exposure"].verdict == "beyond"
    assert found["exposure"].detail.split(":")[0] in {CATALOGUE.skills[0].domain, CATALOGUE.skills[LAST].domain}


def test_reasons_to_decline_are_compared_among_declines():
    declined = lambda n, rng: [choice(0, "declined", reason="not_my_need" if n % 2 else "not_now", rank=1)]  # noqa: E731
    found = by_measure(evidence(choices=declined))["declined_for"]
    assert found.figure.mean == 1
    assert found.verdict == "beyond"


def test_probabilities_that_promise_one_group_too_much_are_found():
    # Log-odds of 2 promise .88; late teachers' coaches remove half of it, early teachers' one in ten.
    shown = lambda n, rng: [place(0, 1, 2.0), place(1, 2, 2.0)]  # noqa: E731
    found = by_measure(evidence(20, shown=shown, changes=removals(0.1, 0.5)))["calibration"]
    assert found.verdict == "beyond"
    assert found.detail == "early lowest, late highest"


def test_messages_instead_of_lists_are_counted_by_group():
    shown = lambda n, rng: [] if n % 2 else [place(0, 1)]  # noqa: E731
    assert by_measure(evidence(shown=shown))["no_list"].verdict == "beyond"


def test_consented_texts_are_screened_again_and_alarms_told_by_group():
    said = lambda n, rng: "danger here" if n % 2 else "all calm"  # noqa: E731
    rows = evidence(struggle=said)
    found = by_measure(rows, PlantedAnswers(("danger",), status="safeguarding"))
    assert found["alarms"].figure.mean == 1
    assert found["alarms"].verdict == "beyond"
    assert found["abstained"].figure.mean == 0
    assert "alarms" not in by_measure(rows)


def test_texts_without_consent_are_never_read():
    answers = PlantedAnswers()
    audit(evidence(), answers=answers)
    assert answers.asked == []


# Small cells


def test_a_group_of_fewer_than_ten_teachers_is_in_no_figure():
    who = Attributes({"stage": {f"t{n}": "rare" if n < 9 else group(n) for n in range(TEACHERS)}})
    found = audit(evidence(changes=removals(0.5, 0.5)), who)
    assert "rare" not in str(found.rates)
    assert "rare" not in "".join(finding.sentence for finding in found.findings)
    assert found.hidden["stage"]["removed"] == 1
    report = AuditReport("v", groups=found)
    assert "rare" not in str(report.as_data())


def test_a_group_of_ten_teachers_is_shown():
    who = Attributes({"stage": {f"t{n}": "rare" if n < 10 else group(n) for n in range(TEACHERS)}})
    found = audit(evidence(changes=removals(0.5, 0.5)), who)
    assert found.rates["stage"]["removed"][""]["rare"].teachers == 10
    assert found.hidden == {}


def test_where_one_group_alone_is_large_enough_there_is_no_gap():
    who = Attributes({"stage": {f"t{n}": "rare" if n < 5 else "most" for n in range(TEACHERS)}})
    found = audit(evidence(), who)
    assert found.findings == []
    assert found.hidden["stage"]["no_list"] == 1


def test_nobody_is_named_in_what_is_told():
    told = str(AuditReport("v", groups=audit(evidence(changes=removals(0.5, 0.5)))).as_data())
    assert "t1" not in told and "coach-1" not in told


# How the files fit


def test_teachers_known_to_one_file_only_are_counted():
    who = Attributes({"stage": {f"t{n}": group(n) for n in range(20)} | {"stranger": "early"}})
    counts = audit(evidence(2), who).counts
    assert counts.lists == 2 * TEACHERS
    assert counts.unknown_teachers == 1
    assert counts.without_attributes == 2 * (TEACHERS - 20)


def test_a_pseudonym_of_two_tenants_is_left_out_since_it_may_be_two_people():
    rows = [row(n, teacher=f"t{n}", tenant="north") for n in range(4)] + [row(9, teacher="t0", tenant="south")]
    assert audit(Evidence.of(rows)).counts.of_two_tenants == 2
    assert audit(Evidence.of(rows)).counts.lists == 3


# The attribute file


def file_of(tmp_path, text: str):
    path = tmp_path / "attributes.csv"
    path.write_text(text)
    return path


def test_attributes_are_read_in_any_order_of_columns(tmp_path):
    read = read_attributes(file_of(tmp_path, "value,teacher,attribute\nearly, t1 ,stage\nlate,t2,stage\nb,t1,band\n"))
    assert read.values == {"band": {"t1": "b"}, "stage": {"t1": "early", "t2": "late"}}
    assert read.teachers == {"t1", "t2"}


def test_a_broken_row_is_refused_with_its_line_and_costs_no_other(tmp_path):
    text = f"teacher,attribute,value\nt1,stage,early\nt1,stage,late\n,stage,{MARKER}\nt2,stage\nt1,stage,early\n"
    read = read_attributes(file_of(tmp_path, text))
    assert read.values == {"stage": {"t1": "early"}}
    assert [(reject.line, reject.field) for reject in read.rejects[:2]] == [(3, "value"), (4, "teacher")]
    assert [reject.line for reject in read.rejects] == [3, 4, 5]
    assert MARKER not in str(read.rejects)


@pytest.mark.parametrize(
    "text", ["teacher,attribute\nt1,stage\n", "teacher,attribute,value\n", "teacher,attribute,value\n,,x\n"]
)
def test_a_file_of_other_columns_or_without_a_usable_row_is_refused(tmp_path, text):
    with pytest.raises(DataFileError):
        read_attributes(file_of(tmp_path, text))


def test_the_time_a_list_was_shown_plays_no_part():
    rows = [row(n, teacher=f"t{n % TEACHERS}") for n in range(80)]
    moved = [each.model_copy(update={"shown_at": START}) for each in rows]
    assert [f.as_data() for f in audit(Evidence.of(rows)).findings] == [
        f.as_data() for f in audit(Evidence.of(moved)).findings
    ]
