"""Observers' notes through the same text model as a struggle, as evidence of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recommender.ranking.observed import ReadNote
from recommender.struggles.encoder import Encoder
from recommender.struggles.screening import Screener
from recommender.struggles.text_model import TextModel


@dataclass(frozen=True)
class ReadNotes:
    """The notes that say something about teaching, and whether any may be about someone's safety."""

    usable: list[ReadNote]
    safeguarding: bool


class NoteReader:
    """Reads notes one at a time. ``prior_shares`` (skills,) sum to 1: what a note that says nothing would say."""

    def __init__(
        self, encoder: Encoder, screener: Screener, text_model: TextModel, prior_shares: npt.NDArray[np.float64]
    ) -> None:
        self._encoder = encoder
        self._screener = screener
        self._text_model = text_model
        self._log_prior = np.log(prior_shares)

    def read(self, notes: Sequence[str]) -> ReadNotes:
        """Screen and read notes; a note that is not about teaching, or too short, is left out."""
        usable: list[ReadNote] = []
        for note in notes:
            tokens = self._encoder.read(note)
            status = self._screener.screen(note, tokens.lower_states).status
            if status == "safeguarding":
                return ReadNotes([], safeguarding=True)
            if status != "rankable":
                continue
            text = self._text_model.read(note, tokens)
            usable.append(
                ReadNote(
                    clauses=[note[clause.start : clause.end] for clause in text.clauses],
                    clause_effects=text.clause_effects.astype(np.float64),
                    base=text.base.astype(np.float64) - self._log_prior,
                )
            )
        return ReadNotes(usable, safeguarding=False)
