"""Answers whose biases are known, for tests of the audit."""

from __future__ import annotations

import numpy as np

from recommender.cases import Context
from recommender.catalogue.loader import load_catalogue
from recommender.learning.audit_answers import PLACES, Answer

N_SKILLS = len(load_catalogue())


class PlantedAnswers:
    """The catalogue's order, but that a text with one of ``words`` has ``first`` skill on top, or another status."""

    def __init__(self, words: tuple[str, ...] = (), first: int = N_SKILLS - 1, status: str = "ranked") -> None:
        self.words, self.first, self.status = words, first, status
        self.asked: list[str] = []

    def of(self, text: str, context: Context) -> Answer:
        self.asked.append(text)
        log_odds = -np.arange(N_SKILLS, dtype=np.float64)
        if any(word in text for word in self.words):
            if self.status != "ranked":
                return Answer(self.status, (), np.zeros(0))  # type: ignore[arg-type]
            log_odds[self.first] = 1.0
        order = tuple(int(i) for i in np.argsort(-log_odds, kind="stable")[:PLACES])
        return Answer("ranked", order, log_odds)
