from __future__ import annotations

import re
from string import Formatter

import pytest

from service.pages.strings import page_strings

# What a placeholder stands for, as far as it matters for reading: something short.
FILLING = "wait time"


def texts(value):
    """Every text in the file, filled, whatever it is nested in."""
    if isinstance(value, dict):
        for part in value.values():
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)
    elif isinstance(value, str):
        yield "".join(text + (FILLING if name is not None else "") for text, name, _, _ in Formatter().parse(value))


def sentences(text):
    """The sentences of a text; a part of three words or fewer is a label or the end of one."""
    parts = re.split(r"(?<=[.?!…])[\s”]+|\n+", text)
    return [part for part in parts if len(re.findall(r"[A-Za-z’']+", part)) > 3]


def syllables(word):
    """Groups of vowels, without an e or ed that is not spoken; at least one."""
    word = re.sub(r"[^a-z]", "", word.lower())
    groups = len(re.findall(r"[aeiouy]+", word))
    silent = re.search(r"[^aeiouytd]ed$|[^aeiouyl]e$|[aeiouy]le$|[^aeiouycgsxz]es$", word) is not None
    return max(1, groups - (silent and groups > 1))


def reading_grade(parts):
    """Flesch-Kincaid grade level (Kincaid et al. 1975): 0.39 words a sentence + 11.8 syllables a word - 15.59."""
    words = [word for part in parts for word in re.findall(r"[A-Za-z’'-]+", part)]
    return 0.39 * len(words) / len(parts) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("cat", 1), ("the", 1), ("take", 1), ("takes", 1), ("moved", 1), ("wanted", 2), ("added", 2), ("table", 2),
        ("whole", 1), ("moment", 2), ("practise", 2), ("suggestion", 3), ("catalogue", 4), ("changes", 2),
        ("somebody", 4), ("administrator", 5), ("safeguarding", 4), ("I", 1), ("e-mail", 2),
    ],
)  # fmt: skip
def test_syllables_are_counted_as_they_are_spoken_or_one_more(word, count):
    assert syllables(word) == count


def test_the_reading_grade_is_the_formulas():
    # 6 words in 1 sentence with 6 syllables, and 13 words in 2 sentences with 15 syllables.
    assert reading_grade(["The cat sat on the mat."]) == pytest.approx(0.39 * 6 + 11.8 - 15.59)
    two = ["We kept what you wrote for you.", "Pick a skill that fits best."]
    assert reading_grade(two) == pytest.approx(0.39 * 13 / 2 + 11.8 * 13 / 13 - 15.59)


def test_a_text_falls_into_its_sentences_and_labels_are_none():
    assert sentences("We do not keep it. Please talk to a person now.") == [
        "We do not keep it.",
        "Please talk to a person now.",
    ]
    assert sentences("Show skills") == []
    assert list(texts({"a": ["Hello {name}", {"b": "x"}], "c": 3})) == ["Hello wait time", "x"]


def test_a_twelve_year_old_can_read_the_pages():
    said = [sentence for text in texts(page_strings()) for sentence in sentences(text)]
    assert len(said) > 150
    assert reading_grade(said) <= 8


def test_no_sentence_of_the_pages_is_beyond_the_end_of_school():
    said = [sentence for text in texts(page_strings()) for sentence in sentences(text)]
    # In a sentence of five words one long word decides, which says nothing about reading.
    grades = {sentence: round(reading_grade([sentence]), 1) for sentence in said if len(sentence.split()) > 5}
    assert {sentence: grade for sentence, grade in grades.items() if grade > 12} == {}
