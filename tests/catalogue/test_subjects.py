import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.catalogue.subjects import MAX_SUBJECT_CHARACTERS, SUBJECTS, SUBJECTS_FILE, fold_subject

LISTED = [
    (word, subject)
    for subject, words in yaml.safe_load(SUBJECTS_FILE.read_text(encoding="utf-8")).items()
    for word in words
]


@pytest.mark.parametrize(
    ("told", "folded"),
    [
        ("AP Biology", "science"),
        ("8th grade Math", "mathematics"),
        ("  MATHS\n", "mathematics"),
        ("algebra 2, honors", "mathematics"),
        ("P.E.", "pe-health"),
        ("PE", "pe-health"),
        ("7-12 ELA", "english"),
        ("World History", "social-studies"),
        ("Spanish III", "world-languages"),
        ("ESL newcomers", "english-learners"),
        ("English as a Second Language", "english-learners"),
        ("Special Education (K-2)", "special-education"),
        ("AP Computer Science", "computing"),
        ("band", "music"),
        ("self-contained", "all-subjects"),
        ("advisory", "homeroom"),
        ("Religious Education", "religion"),
    ],
)
def test_a_teachers_words_fold_to_the_closed_list(told, folded):
    assert fold_subject(told) == folded


def test_of_two_subjects_the_one_listed_first_wins():
    assert fold_subject("history of art") == "social-studies"
    assert fold_subject("art history") == "social-studies"
    assert fold_subject("Math & Science") == "science"


@pytest.mark.parametrize("told", ["part-time", "artifacts", "gymnastics", "mathematicians", "Read180", "bandaging"])
def test_a_word_inside_another_word_does_not_count(told):
    assert fold_subject(told) == "other"


def test_words_nobody_listed_are_other():
    assert fold_subject("underwater basket weaving") == "other"
    assert fold_subject("???") == "other"


@pytest.mark.parametrize("told", [None, "", "   ", "\n\t"])
def test_nothing_said_is_unknown(told):
    assert fold_subject(told) == "unknown"


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_subject_of_the_closed_list_stays_what_it_is(subject):
    assert fold_subject(subject) == subject


@pytest.mark.parametrize("subject", [s for s in SUBJECTS if s not in ("other", "unknown")])
def test_every_subject_can_be_reached_by_words(subject):
    assert any(folded == subject for _, folded in LISTED)


@pytest.mark.parametrize(("word", "subject"), LISTED)
def test_every_listed_word_folds_to_its_own_subject(word, subject):
    assert fold_subject(word) == subject
    assert fold_subject(word.upper()) == subject
    assert fold_subject(f"Year 7 {word}, set 2") == subject


def test_a_subject_of_120_characters_is_read_and_a_longer_one_refused():
    assert fold_subject("art".rjust(MAX_SUBJECT_CHARACTERS)) == "art"
    with pytest.raises(ValueError, match="at most 120 characters") as caught:
        fold_subject("xylophone " * 20)
    assert "xylophone" not in str(caught.value)


@pytest.mark.parametrize("value", [5, True, 1.5, ["art"], {"art": 1}, b"art"])
def test_what_is_no_text_passes_through_for_the_field_to_refuse(value):
    assert fold_subject(value) is value


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(max_size=MAX_SUBJECT_CHARACTERS))
def test_any_short_text_folds_to_the_closed_list_and_folding_again_changes_nothing(told):
    folded = fold_subject(told)
    assert folded in SUBJECTS
    assert fold_subject(folded) == folded
