"""A file of observation scores, split by teacher so that each case meets its own teacher's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from rich.console import Console

from recommender.cases import Case
from recommender.catalogue.instruments import Instruments
from recommender.exchange.observation_files import read_observations
from recommender.exchange.rejects import RejectsFile
from recommender.observations import scores as columns
from recommender.observations.norm_fit import fit_norms
from recommender.observations.norms import Norms
from recommender.observations.ratings import observed_ratings


@dataclass(frozen=True)
class TeacherScores:
    """Scores by ``teacher_id`` and the norms to read them with."""

    norms: Norms | None = None
    norms_hold_scores: bool = False
    rejected: int = 0
    """Score rows refused"""
    _by_teacher: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    @classmethod
    def nobody(cls) -> TeacherScores:
        """No file of scores."""
        return cls()

    @classmethod
    def read(cls, path: Path, instruments: Instruments, norms: Norms | None, console: Console) -> TeacherScores:
        """Read a file; refused rows go to ``<file>.rejects.jsonl`` beside it.

        A teacher id that two tenants use is joined to no case: nobody can tell which of the two is meant. Without
        ``norms`` they are fitted on the file. Raises DataFileError when it cannot be read.
        """
        file = read_observations(path, instruments)
        with RejectsFile(path) as rejects:
            for reject in file.rejects:
                rejects.write(reject)
        said = f"{len(file.scores)} observation scores"
        if file.rejects:
            said += f", {len(file.rejects)} rejected: see {rejects.path}"
        by_teacher = dict(iter(file.scores.groupby(columns.TEACHER, sort=False)))
        shared = [name for name, rows in by_teacher.items() if rows[columns.TENANT].nunique() > 1]
        if shared:
            said += f"; {len(shared)} teacher ids stand in two tenants and are joined to no case"
        console.print(said, highlight=False)
        fitted = norms if norms is not None else fit_norms(observed_ratings(file.scores, instruments), instruments)
        usable = {str(name): rows for name, rows in by_teacher.items() if name not in shared}
        return cls(fitted, norms is None, len(file.rejects), usable)

    def of(self, case: Case) -> pd.DataFrame | None:
        """The scores of a case's teacher, None without any."""
        return None if case.teacher_id is None else self._by_teacher.get(case.teacher_id)
