"""The one thing that would help most to know next."""

from __future__ import annotations

from itertools import pairwise

from recommender.cases import Case
from recommender.catalogue.loader import Catalogue
from recommender.catalogue.skill import Skill
from recommender.ranking.messages import message

# Two suggestions closer than this in probability are worth a question that tells them apart.
CLOSE = 0.15
FEW_WORDS = 20


def ask_next(case: Case, catalogue: Catalogue, ranked: list[tuple[str, float]]) -> str | None:
    """A question for the teacher, or None when nothing simple would change the list.

    ``ranked`` holds (skill id, probability), best first.
    """
    if len(case.struggle.split()) < FEW_WORDS:
        return message("ask_moment")
    question = _tell_apart(catalogue, ranked)
    if question is not None:
        return question
    if any(catalogue[skill_id].subjects != ["any"] for skill_id, _ in ranked) and case.context.subject == "unknown":
        return message("ask_subject")
    if case.context.grade_band == "unknown":
        return message("ask_grade_band")
    return None


def _tell_apart(catalogue: Catalogue, ranked: list[tuple[str, float]]) -> str | None:
    for (first, p_first), (second, p_second) in pairwise(ranked):
        if p_first - p_second < CLOSE and catalogue.are_neighbours(first, second):
            return message(
                "ask_between",
                first=catalogue[first].name,
                first_line=_line(catalogue[first]),
                second=catalogue[second].name,
                second_line=_line(catalogue[second]),
            )
    return None


def _line(skill: Skill) -> str:
    return skill.summary
