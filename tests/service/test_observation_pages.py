from __future__ import annotations

import re

import pandas as pd
import pytest
from page_reading import form, visible
from school_app import STRUGGLE
from stored_scores import LOOK, add_scores

from recommender.catalogue.instruments import load_instruments
from recommender.observations import scores as columns
from recommender.observations.norms import Norms
from recommender.ranking.observed import ItemNeed
from service.interval_plot import Interval, interval_plot
from service.observed_needs import ObservedNeeds, current_needs, frozen_needs, needs_shown
from service.pages.strings import page_strings
from service.store.actors import operator
from service.store.cases import get_case
from service.store.observations import scores_of_teacher, store_scores
from service.store.tenant_norms import current_norms, refit_norms

WORDS = page_strings()["observations"]["of_you"]
INSTRUMENTS = load_instruments()
RUBRIC = "danielson-2022"


@pytest.fixture
def teacher(school_app):
    return school_app.client_as("teacher")


def store(school_app, rows):
    with school_app.database.write() as session:
        store_scores(session, operator(session, school_app.tenant_id), pd.DataFrame(rows))


def row(item, value, **fields):
    empty = dict.fromkeys(columns.OPTIONAL_COLUMNS, "") | {columns.SEGMENT: 0}
    return empty | LOOK | {columns.ITEM: item, columns.VALUE: value} | fields


def need(value, sd, item="3b", visits=2):
    return ItemNeed(RUBRIC, item, value, sd, visits)


def shown(*needs):
    return needs_shown(needs, INSTRUMENTS)


def test_without_scores_the_page_says_that_nothing_is_missing_for_it(teacher):
    assert "There are no observation scores for you here." in visible(teacher.get("/observations").text)


def test_a_rating_is_explained_in_two_sentences_before_any_of_it(teacher, school_app):
    add_scores(school_app)
    text = visible(teacher.get("/observations").text)
    lead = "A rating is about one part of a lesson, seen once. It is not about you as a teacher."
    assert text.index(lead) < text.index("Visit by visit")


def test_scores_stand_visit_by_visit_latest_first_under_our_own_labels(teacher, school_app):
    add_scores(school_app)
    add_scores(school_app, visit="v2", observed_on="2026-11-03")
    page = teacher.get("/observations").text
    text = visible(page)
    assert text.index("Visit on 3 November 2026") < text.index("Visit on 2 October 2026")
    labels = [INSTRUMENTS[RUBRIC].by_code[code].label for code in ("2b", "2d", "3a", "3b", "3c")]
    rows = re.findall(r'<th scope="row">([^<]+)</th><td>([^<]*)</td><td>1 – 4</td>', page)
    assert rows == [*zip(labels, "44313", strict=True)] * 2
    assert not re.search(r"\b[1-4][a-f]\b", text)
    assert not re.search("Unsatisfactory|Basic|Proficient|Distinguished|o17", text)


def test_several_observers_and_parts_of_a_visit_stand_on_one_line(teacher, school_app):
    store(school_app, [row("3b", 2), row("3b", 2.5, segment=1), row("3b", 3, observer="o18"), row("3c", 3)])
    page = teacher.get("/observations").text
    assert page.count("<summary>Visit on 2 October 2026") == 1
    (values,) = re.findall(r"Questions and discussion</th><td>([^<]+)</td><td>1 – 4<", page)
    assert sorted(values.split(", ")) == ["2", "2.5", "3"]


def test_a_note_beside_a_score_is_shown_as_text(teacher, school_app):
    store(school_app, [row("3b", 2, note="<script>alert(1)</script> 12 of 14 answers by three students"), row("3c", 3)])
    page = teacher.get("/observations").text
    assert "<script>alert" not in page
    assert "12 of 14 answers" in page


def test_a_rating_nobody_observed_is_called_so(teacher, school_app):
    store(school_app, [row("3b", 2, observation_type="self"), row("3c", 3, observation_type="self")])
    text = visible(teacher.get("/observations").text)
    assert "Not seen by an observer: 2 October 2026" in text
    assert WORDS["table"] not in text


def test_nobody_sees_the_scores_of_somebody_else(school_app):
    add_scores(school_app)
    for who in ("other_teacher", "outsider"):
        assert "There are no observation scores" in visible(school_app.client_as(who).get("/observations").text)
    for who in ("coach", "administrator", "safeguarding"):
        assert school_app.client_as(who).get("/observations").status_code == 403


def test_the_needs_are_those_a_ranking_of_this_moment_would_freeze(teacher, school_app, served_model):
    add_scores(school_app)
    with school_app.database.write() as session:
        refit_norms(session, operator(session, school_app.tenant_id), served_model.recommender.instruments)
    sent = form(teacher.get("/moments").text, "/moments").fields | {"struggle": STRUGGLE}
    case_id = teacher.post("/moments", data=sent).headers["location"].rpartition("/")[2]
    with school_app.database.read() as session:
        actor = school_app.people["teacher"]
        scores, norms = scores_of_teacher(session, actor), current_norms(session, actor)
        features = get_case(session, actor, case_id).rankings[0].features
    now = current_needs(served_model.recommender, school_app.tenant_id, norms, scores)
    frozen = frozen_needs(features, served_model.recommender.instruments)
    assert [line.label for line in now.lines] == [line.label for line in frozen.lines]
    assert [line.need for line in frozen.lines] == pytest.approx([line.need for line in now.lines], abs=1e-4)
    assert sum(line.need for line in now.lines) == pytest.approx(0)
    assert max(now.lines, key=lambda line: line.need).label == "Questions and discussion"


def test_the_word_for_a_need_follows_its_interval():
    # 1.96 * 0.5 = 0.98; 1.96 * 0.52 = 1.0192
    lines = shown(need(1.0, 0.5), need(1.0, 0.52), need(0.0, 0.1), need(-1.0, 0.52), need(-1.0, 0.5)).lines
    assert [line.word for line in lines] == ["more", "even", "even", "even", "less"]
    assert (lines[0].low, lines[0].high) == pytest.approx((0.02, 1.98), abs=1e-4)
    assert (lines[0].label, lines[0].rubric, lines[0].visits) == (
        "Questions and discussion",
        "Danielson framework, 2022 edition",
        2,
    )


def test_the_page_says_which_item_stands_out_or_that_none_does(teacher, school_app):
    add_scores(school_app)
    assert WORDS["nothing_stands_out"] in visible(teacher.get("/observations").text)
    for number in range(2, 14):
        add_scores(school_app, visit=f"v{number}", observer=f"o{number}", observed_on=f"2026-10-{number + 5:02}")
    page = teacher.get("/observations").text
    assert WORDS["stands_out"] in visible(page)
    assert re.search(rf"Questions and discussion</th><td>{WORDS['more']}</td><td>13</td>", page)


def test_scores_that_are_all_alike_are_said_to_give_no_order(teacher, school_app):
    store(school_app, [row(item, 3) for item in ("2b", "2d", "3a", "3b")])
    page = teacher.get("/observations").text
    assert WORDS["flat"] in visible(page)
    assert "<svg" not in page


def test_one_item_alone_is_compared_with_nothing(teacher, school_app):
    store(school_app, [row("3b", 1)])
    page = teacher.get("/observations").text
    assert WORDS["one_item"] in visible(page)
    assert "<svg" not in page


def test_a_profile_is_flat_only_when_no_need_differs_at_all():
    assert shown(need(0.0, 0.5), need(0.0, 0.5, "3c")).is_flat
    assert not shown(need(0.01, 0.5), need(-0.01, 0.5, "3c")).is_flat
    assert not shown(need(0.0, 0.5)).is_flat
    assert not ObservedNeeds(()).is_flat


def test_scores_of_a_rubric_that_is_gone_stay_in_the_list_and_out_of_the_needs(teacher, school_app):
    add_scores(school_app)
    add_scores(school_app, visit="v2", instrument="our-old-rubric")
    text = visible(teacher.get("/observations").text)
    assert "A rubric that is no longer used here" in text
    assert "A line of that rubric 4" in text
    assert WORDS["table"] in text


def test_frozen_needs_of_a_rubric_that_is_gone_or_shorter_now_are_left_out():
    frozen = {"need": 1.0, "sd": 0.4, "visits": 3}
    features = {
        "item_needs": [
            {"instrument": "our-old-rubric", "place": 0, **frozen},
            {"instrument": RUBRIC, "place": 999, **frozen},
            {"instrument": RUBRIC, "place": 12, **frozen},
        ]
    }
    assert [line.label for line in frozen_needs(features, INSTRUMENTS).lines] == ["Questions and discussion"]
    assert frozen_needs({}, INSTRUMENTS).lines == ()


def test_the_picture_has_a_title_a_description_and_the_same_in_a_table(teacher, school_app):
    add_scores(school_app)
    page = teacher.get("/observations").text
    named = re.search(r'<svg[^>]* role="img" aria-labelledby="(\S+) (\S+)"', page)
    assert named is not None
    assert f'<title id="{named[1]}">{WORDS["plot_title"]}</title>' in page
    assert f'<desc id="{named[2]}">{WORDS["plot_desc"]}</desc>' in page
    assert page.count("<circle") == 5
    assert " style=" not in page


def test_a_plot_places_its_ends_at_the_margins_and_cuts_what_lies_beyond():
    plot = interval_plot([Interval("a", -1, 0, 1), Interval("b", -9, 2, 9)], -2, 2, marks=[0.0])
    assert (plot.left_x, plot.right_x, plot.marks) == (10, 310, (160.0,))
    assert [(each.low_x, each.x, each.high_x) for each in plot.rows] == [(85.0, 160.0, 235.0), (10.0, 310.0, 310.0)]
    assert plot.rows[1].y - plot.rows[0].y == plot.axis_y / 2


def test_a_long_label_is_cut_between_words_in_the_picture_alone():
    long = "The way students and their teacher talk about mistakes and what follows"
    (cut,) = interval_plot([Interval(long, 0, 1, 2)], 0, 2).rows
    assert cut.label == "The way students and their teacher talk …"


def test_the_needs_do_not_say_how_well_a_teacher_does_over_all(served_model):
    for raised in (0, 1):
        scores = pd.DataFrame([row(item, value + raised) for item, value in (("2b", 3), ("3b", 1), ("3c", 2))])
        scores[columns.OBSERVED_ON] = pd.to_datetime(scores[columns.OBSERVED_ON])
        needs = current_needs(served_model.recommender, "", Norms(), scores)
        assert sum(line.need for line in needs.lines) == pytest.approx(0)
        assert [line.label for line in needs.lines][1] == "Questions and discussion"
