from __future__ import annotations

import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from recommender.catalogue.loader import load_catalogue
from recommender.catalogue.skill import Skill

FROZEN_IDS = (Path(__file__).parent / "skill_ids.txt").read_text(encoding="utf-8").split()
HIGHEST_GRADE = 9.5
CATALOGUE = load_catalogue()


def read_by_teachers(skill: Skill) -> list[str]:
    return [skill.summary, *skill.look_fors, skill.first_step, *skill.practice_cycle]


def all_texts(skill: Skill) -> list[str]:
    lines = [neighbour.line for neighbour in skill.neighbours]
    return [skill.name, skill.definition, skill.not_this, *lines, *read_by_teachers(skill)]


def syllables(word: str) -> int:
    """Groups of vowels; a silent ending counts as none."""
    word = re.sub(r"[^a-z]", "", word.lower())
    count = len(re.findall(r"[aeiouy]+", word))
    silent_e = word.endswith("e") and not word.endswith(("le", "ee"))
    silent_ed = re.search(r"[^td]ed$", word) is not None
    return max(count - (silent_e or silent_ed), 1)


def reading_grade(text: str) -> float:
    """Flesch-Kincaid grade level (Kincaid et al. 1975)."""
    words = re.findall(r"[A-Za-z']*[A-Za-z][A-Za-z']*", text)
    sentences = max(len(re.findall(r"[.!?]+[\"')]*(?:\s|$)", text)), 1)
    return 0.39 * len(words) / sentences + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def is_easy(text: str) -> bool:
    # The formula is read to one decimal: the rest is the syllable counter's own error.
    return round(reading_grade(text), 1) <= HIGHEST_GRADE


@pytest.mark.parametrize(
    ("word", "count"),
    [("the", 1), ("time", 1), ("table", 2), ("asked", 1), ("wanted", 2), ("student", 2), ("idea", 2), ("agree", 2)],
)
def test_the_syllable_counter_counts_as_one_would(word, count):
    assert syllables(word) == count


def test_the_reading_grade_of_a_hand_worked_text():
    # 8 words in 2 sentences, 9 syllables: .39 * 4 + 11.8 * 9 / 8 - 15.59 = -0.755.
    assert reading_grade("The cat sat down. Students ran off too!") == pytest.approx(-0.755)


def test_the_ids_are_the_frozen_ones():
    assert len(FROZEN_IDS) == 115
    assert sorted(CATALOGUE.ids) == FROZEN_IDS


def test_there_are_twelve_domains_each_with_one_title():
    assert len(CATALOGUE.domains) == 12
    assert len({(skill.domain, skill.domain_title) for skill in CATALOGUE}) == 12
    assert len({skill.domain_title for skill in CATALOGUE}) == 12


def test_there_are_247_neighbour_links():
    assert sum(len(skill.neighbours) for skill in CATALOGUE) == 247


@pytest.mark.parametrize("skill", CATALOGUE, ids=lambda skill: skill.id)
def test_the_neighbours_are_exactly_the_skills_named_in_not_this(skill):
    words = re.findall(r"[a-z0-9-]+", skill.not_this)
    named = sorted(set(words) & set(CATALOGUE.ids) - {skill.id})
    assert sorted(neighbour.skill for neighbour in skill.neighbours) == named


@pytest.mark.parametrize("skill", CATALOGUE, ids=lambda skill: skill.id)
def test_every_text_a_teacher_reads_is_easy_to_read(skill):
    assert [text for text in read_by_teachers(skill) if not is_easy(text)] == []


@pytest.mark.parametrize("skill", CATALOGUE, ids=lambda skill: skill.id)
def test_a_skill_with_its_lines_to_neighbours_is_easy_to_read(skill):
    lines = [neighbour.line for neighbour in skill.neighbours]
    assert is_easy(" ".join([*read_by_teachers(skill), *lines]))


def test_no_two_skills_share_a_text():
    used = Counter(text.lower() for skill in CATALOGUE for text in set(all_texts(skill)))
    assert [text for text, count in used.items() if count > 1] == []


def test_no_skill_says_the_same_thing_twice():
    for skill in CATALOGUE:
        assert len(set(all_texts(skill))) == len(all_texts(skill)), skill.id


def test_no_opening_of_six_words_is_worn_out():
    openings: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for skill in CATALOGUE:
        for text in all_texts(skill):
            words = tuple(re.findall(r"[a-z0-9']+", text.lower())[:6])
            if len(words) == 6:
                openings[words].add(skill.id)
    assert {words: ids for words, ids in openings.items() if len(ids) > 3} == {}


def test_no_text_speaks_of_what_a_teacher_lacks():
    for skill in CATALOGUE:
        for text in all_texts(skill):
            assert not re.search(r"deficit|weakness", text, re.IGNORECASE), skill.id


def test_texts_a_teacher_reads_name_skills_in_plain_words():
    slugs = {skill_id for skill_id in CATALOGUE.ids if "-" in skill_id}
    for skill in CATALOGUE:
        for text in [*read_by_teachers(skill), *(neighbour.line for neighbour in skill.neighbours)]:
            named = slugs & set(re.findall(r"[a-z0-9]+(?:-[a-z0-9]+)+", text))
            # A plain hyphenated word such as "read-aloud" may be one; an id of three parts cannot.
            assert not {slug for slug in named if slug.count("-") > 1}, skill.id
