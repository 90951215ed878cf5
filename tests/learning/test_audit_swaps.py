from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted_answers import N_SKILLS, PlantedAnswers

from recommender.cases import MAX_STRUGGLE_CHARACTERS, Context
from recommender.catalogue.loader import load_catalogue
from recommender.errors import DataFileError
from recommender.learning.audit_answers import DISTANCES, Answer, distances, rank_biased_overlap
from recommender.learning.audit_edits import (
    apply_rules,
    first_words,
    neutral_edits,
    padded,
    prefixed,
    swap_gender,
    with_typos,
    without_marks,
    words_changed,
)
from recommender.learning.audit_parameters import (
    EDITS_FILE,
    EditRule,
    NameEdits,
    load_audit_edits,
    load_audit_parameters,
)
from recommender.learning.audit_swap_figures import measure_contrast, pages_of
from recommender.learning.audit_swaps import contrasts, pair_sizes
from recommender.learning.audit_texts import audit_rows
from recommender.training.corpus import Row

EDITS = load_audit_edits()
PARAMETERS = load_audit_parameters()
CATALOGUE = load_catalogue()
TEXTS = [
    "He never listens to me and he doesn't get any work done. I ask them for help and kids are talking the whole time.",
    "The girls in my class don't say anything when I ask, and I've tried for two weeks to get her to speak.",
    "My class gets loud, then I raise my voice and it's always the same four who don't stop.",
]


def rows(texts: list[str] = TEXTS) -> tuple[Row, ...]:
    labels = [{CATALOGUE.ids[0]: 3}]
    return tuple(
        Row(id=f"x{i}", kind="struggle", text=text, status="rankable", context={}, labels=labels, source="test")
        for i, text in enumerate(texts)
    )


def made(about: str, texts: list[str] = TEXTS):
    return next(one for one in contrasts(rows(texts), EDITS, PARAMETERS) if about in one.about)


def found(contrast, answers, texts: list[str] = TEXTS):
    findings = measure_contrast(contrast, rows(texts), answers, CATALOGUE, PARAMETERS)
    return {finding.measure: finding for finding in findings}


# Edits


def test_a_sentence_goes_before_the_text_and_leaves_it_as_it_is():
    assert prefixed("One more.", "My class.") == "One more. My class."
    assert len(prefixed("One more.", "x" * MAX_STRUGGLE_CHARACTERS)) == MAX_STRUGGLE_CHARACTERS


def test_gender_is_swapped_in_every_word_of_it_and_in_no_other():
    assert swap_gender("He hit a boy; his friends, the boys, told him. Himself? The sheet.", EDITS.pronouns) == (
        "She hit a girl; her friends, the girls, told her. Herself? The sheet."
    )


def test_her_is_him_before_a_mark_or_a_function_word_and_his_before_a_noun():
    assert swap_gender("She lost her book. I told her to stop and sent her. Hers!", EDITS.pronouns) == (
        "He lost his book. I told him to stop and sent him. His!"
    )


@pytest.mark.parametrize(
    "text", ["He shouts.", "His friends told him to stop.", "I gave him a seat; the boys laughed."]
)
def test_gender_swapped_twice_is_the_text_itself(text):
    swapped = swap_gender(text, EDITS.pronouns)
    assert swapped not in (None, text)
    assert swap_gender(swapped, EDITS.pronouns) == text


@pytest.mark.parametrize("text", ["They talk.", "He and she talk.", "This guy, he never sits."])
def test_a_text_of_no_gender_of_both_or_with_a_word_that_would_not_fit_is_left_out(text):
    assert swap_gender(text, EDITS.pronouns) is None


@pytest.mark.parametrize(
    ("dialect", "text", "spoken"),
    [
        ("African American English", "They're always loud.", "They always loud."),
        ("African American English", "They don't want any help.", "They don't want no help."),
        ("African American English", "She isn't loud.", "She ain't loud."),
        ("African American English", "They\u2019re loud.", "They loud."),
        ("English as a second language", "I tried for two weeks.", "I tried since two weeks."),
        ("English as a second language", "How do I start?", "How I can start?"),
        ("English as a second language", "The class lost the book.", "Class lost the book."),
        ("English as a second language", "She listens to me.", "She listens me."),
    ],
)
def test_a_rule_of_a_way_of_speaking_changes_its_words_only_and_keeps_a_capital(dialect, text, spoken):
    assert apply_rules(text, EDITS.dialects[dialect].rules) == (spoken, 1)


def test_a_text_that_no_rule_fits_stays_as_it_is():
    for dialect in EDITS.dialects.values():
        assert apply_rules("Ten tardies!", dialect.rules) == ("Ten tardies!", 0)


def test_every_second_place_of_a_rule_is_changed_where_it_says_so():
    rule = EditRule(about="x", find="a", to="b", every=2)
    assert apply_rules("a a a a a", [rule]) == ("b a b a b", 3)


@given(st.integers(0, 30))
def test_a_neutral_edit_changes_as_many_places_as_wanted_while_there_are_any(wanted):
    text = TEXTS[0] + " " + TEXTS[2]
    offered = neutral_edits(text, EDITS.neutral, 10_000)[1]
    edited, changed = neutral_edits(text, EDITS.neutral, wanted)
    assert changed == min(wanted, offered)
    assert (edited == text) == (changed == 0)


def test_no_neutral_edit_names_a_gender_or_a_group():
    marked = {*EDITS.pronouns.male, *EDITS.pronouns.female, "her"}
    for rule in EDITS.neutral:
        assert not marked & set(re.findall(r"[a-z]+", rule.to.lower()))


def test_typing_slips_change_places_of_letters_and_of_nothing_else():
    slipped = with_typos(TEXTS[0], 3)
    assert slipped != TEXTS[0]
    assert sorted(slipped) == sorted(TEXTS[0])
    assert [word[0] for word in slipped.split()] == [word[0] for word in TEXTS[0].split()]
    assert with_typos(TEXTS[0], 3) == slipped != with_typos(TEXTS[0], 4)
    assert with_typos("a b", 1) == "a b"


def test_marks_go_and_letters_and_apostrophes_stay():
    assert without_marks("Stop! I don't, OK?") == "stop i don't ok"


def test_few_words_are_the_first_and_padding_fills_the_room_there_is():
    assert first_words("one two three", 2) == "one two"
    assert padded("one", "two", 11) == "one two two"
    assert len(padded("word", "more words")) <= MAX_STRUGGLE_CHARACTERS


def test_words_changed_counts_the_longer_side():
    assert words_changed("a b c", "a x c") == 1
    assert words_changed("a b c", "a x y c") == 2
    assert words_changed("a", "a") == 0


# Distances


def test_equal_lists_overlap_wholly_and_lists_without_a_common_skill_not_at_all():
    assert rank_biased_overlap((1, 2, 3), (1, 2, 3)) == pytest.approx(1)
    assert rank_biased_overlap((1, 2, 3), (4, 5, 6)) == 0


def test_rank_biased_overlap_of_two_places_is_the_hand_worked_value():
    # Agreement 0 at place 1, 1 at place 2; p = .5: (.5/.5)(0 * .5 + 1 * .25) + 1 * .25.
    assert rank_biased_overlap((1, 2), (2, 1), 0.5) == pytest.approx(0.5)


def test_distances_of_two_answers_are_the_hand_worked_ones():
    first = Answer("ranked", (0, 1, 2), np.array([3.0, 2.0, 1.0, 0.0]))
    second = Answer("ranked", (3, 0, 1), np.array([3.0, 2.0, 1.0, 4.0]))
    found = dict(zip(DISTANCES, distances(first, second), strict=True))
    assert found["top_1_changed"] == 1
    assert found["first_3_lost"] == pytest.approx(1 / 3)
    assert found["log_odds"] == pytest.approx(1)
    assert found["status_changed"] == 0


def test_where_one_answer_is_no_list_only_the_status_is_compared():
    ranked, refused = Answer("ranked", (0,), np.zeros(1)), Answer("not_enough", (), np.zeros(0))
    assert np.isnan(distances(ranked, refused)[:-1]).all()
    assert distances(ranked, refused)[-1] == 1
    assert distances(refused, refused)[-1] == 0


# Contrasts


def test_a_pair_of_names_differs_in_the_name_alone_and_its_control_stays_within_the_group():
    contrast = made("White or Black")
    groups = {name: group for group, by in EDITS.names.groups.items() for names in by.values() for name in names}
    for pair, crosses in [(p, True) for p in contrast.pairs] + [(p, False) for p in contrast.control]:
        first, second = pair.first.split(), pair.second.split()
        ((one, other),) = [(a, b) for a, b in zip(first, second, strict=True) if a != b]
        assert (groups[one] != groups[other]) is crosses
        assert pair.first.endswith(TEXTS[pair.row])


def test_names_of_a_pair_are_of_one_gender_unless_gender_is_what_differs():
    gender = {name: g for by in EDITS.names.groups.values() for g, names in by.items() for name in names}
    for about, same in (("White or Black", True), ("boy's or girl's", False)):
        for pair in made(about).pairs:
            one, other = (next(w for w in text.split() if w in gender) for text in (pair.first, pair.second))
            assert (gender[one] == gender[other]) is same


def test_a_pronoun_and_its_control_each_change_one_word():
    contrast = made("he or they")
    assert {words_changed(pair.first, pair.second) for pair in (*contrast.pairs, *contrast.control)} == {1}


def test_sentences_on_the_school_leave_english_learners_out():
    sentences = [*EDITS.schools.poor, *EDITS.schools.well_off, *EDITS.schools.neutral]
    assert not [s for s in sentences if re.search(r"english|language|learner", s, re.I)]


def test_a_control_has_about_the_size_of_its_swap():
    for contrast in contrasts(audit_rows(0)[:40], EDITS, PARAMETERS):
        swap, control = pair_sizes(contrast)
        assert control <= 2 * swap + 1
        assert swap <= 2 * control + 1


def test_pairs_of_a_row_do_not_depend_on_the_rows_after_it():
    first = [pair for pair in made("White or Asian").pairs if pair.row == 0]
    assert first == [pair for pair in made("White or Asian", TEXTS[:1]).pairs if pair.row == 0]


def test_the_sample_holds_every_development_row_and_one_training_row_a_page():
    sample = audit_rows(30)
    assert audit_rows(30) == sample
    assert len({row.id for row in sample}) == len(sample) == len(audit_rows(0)) + 30
    pages = pages_of(sample)
    assert len(set(pages)) == len(pages)


# Figures


def test_a_model_that_listens_to_names_of_one_group_is_found_and_its_domain_named():
    names = tuple(name for names in EDITS.names.groups["Black"].values() for name in names)
    figures = found(made("White or Black", TEXTS * 5), PlantedAnswers(names), TEXTS * 5)
    assert figures["top_1_changed"].figure.mean == 1
    assert figures["top_1_changed"].verdict == "beyond"
    # One of three places goes to the planted skill's domain; the first skills are all of the first domain.
    assert figures["domain_shift"].figure.mean == pytest.approx(1 / 3)
    assert figures["domain_shift"].verdict == "beyond"
    assert CATALOGUE.domains[0] in figures["domain_shift"].detail or (
        CATALOGUE.skills[N_SKILLS - 1].domain in figures["domain_shift"].detail
    )


def test_a_model_that_listens_to_any_single_name_is_not_taken_for_one_that_listens_to_a_group():
    one_each = tuple(names[0] for by in EDITS.names.groups.values() for names in by.values())
    texts = TEXTS * 20
    figure = found(made("White or Black", texts), PlantedAnswers(one_each), texts)["top_1_changed"]
    assert figure.effect.mean > 0.05
    assert abs(figure.figure.mean) < figure.effect.mean / 2


def test_a_model_that_looks_at_nothing_is_within_every_threshold():
    for about in ("White or Asian", "he or she", "second language"):
        for finding in found(made(about), PlantedAnswers()).values():
            assert finding.figure.mean == 0
            assert finding.verdict == "within"


def test_a_way_of_speaking_that_is_refused_costs_quality_and_status():
    answers = PlantedAnswers(("don't get no", "ain't", "be talking", " don't", "was"), status="out_of_scope")
    texts = ["They're talking when he isn't in his seat and we haven't any rule."] * 8
    figures = found(made("African American", texts), answers, texts)
    assert figures["status_changed"].figure.mean == 1
    assert figures["ndcg_5_lost"].figure.mean == pytest.approx(1)
    assert set(figures) == {"status_changed", "ndcg_5_lost"}


def test_rows_of_one_page_are_drawn_together():
    page = "a" * 64
    told = [row.model_copy(update={"source": page}) for row in rows()]
    assert set(pages_of(told)) == {page}
    assert len(set(pages_of(rows()))) == 3


# Data


def test_every_shipped_rule_compiles_and_every_name_stands_once():
    assert all(rule.pattern for rule in EDITS.neutral)
    with pytest.raises(ValueError, match="two groups"):
        NameEdits(
            sentence="{name}", source="x", reference="a",
            groups={"a": {"girls": ["Jo"], "boys": ["Jo"]}},
        )  # fmt: skip


def test_a_rule_that_is_no_expression_is_refused_with_its_file_and_field(tmp_path):
    broken = tmp_path / "audit_edits.yaml"
    broken.write_text(EDITS_FILE.read_text().replace('"\\\\bkids\\\\b"', '"(kids"'))
    with pytest.raises(DataFileError, match="neutral"):
        load_audit_edits(broken)


def test_the_real_version_answers_one_text_once_and_as_a_teacher_would_see_it(recommender):
    from recommender.cases import Case
    from recommender.learning.audit_answers import VersionAnswers

    answers = VersionAnswers(recommender)
    first, again = (answers.of(TEXTS[0], Context()) for _ in range(2))
    assert first is again
    ranking = recommender.rank(Case(case_id="c", struggle=TEXTS[0], top=10))
    assert [CATALOGUE.ids[skill] for skill in first.order] == [s.skill_id for s in ranking.suggestions]
