"""Ranks a file of cases into a file of rankings; what cannot be ranked is listed and counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from recommender.cases import Case
from recommender.catalogue.instruments import load_instruments
from recommender.errors import DataFileError
from recommender.exchange.case_files import read_cases
from recommender.exchange.file_formats import STANDARD_STREAM
from recommender.exchange.ranking_files import open_rankings
from recommender.exchange.rejects import Reject, RejectsFile
from recommender.exchange.teacher_scores import TeacherScores
from recommender.ranking.batch import RankingJob, rank_in_parallel
from recommender.ranking.observed import observed_values


@dataclass(frozen=True)
class Counts:
    """How many cases were answered, and how many rows of cases or scores refused; a kind message is an answer."""

    answered: int
    rejected: int


def rank_file(
    cases: Path | str,
    output: Path | str,
    job: RankingJob,
    console: Console,
    processes: int | None = None,
    *,
    observations: Path | None = None,
) -> Counts:
    """Answer every case of ``cases`` in file order and say on ``console`` what was done.

    ``observations`` is a file of scores, joined to the cases by ``teacher_id``; without norms in ``job`` they are
    fitted on it. Raises DataFileError or ModelVersionError when nothing can be read, loaded or written.
    """
    _refuse_same_file(cases, output)
    instruments = load_instruments(job.instrument_files)
    scores = TeacherScores.nobody()
    if observations is not None:
        scores = TeacherScores.read(observations, instruments, job.norms, console)
        job = replace(job, norms=scores.norms, norms_hold_scores=scores.norms_hold_scores)
    answered = 0
    with RejectsFile(output) as rejects, open_rankings(output) as rankings, _progress(console) as progress:
        task = progress.add_task("ranked", total=None)
        usable = _usable(read_cases(cases, partial(observed_values, instruments=instruments)), rejects)
        for ranking in rank_in_parallel(((case, scores.of(case)) for case in usable), job, processes):
            rankings.write(ranking)
            answered += 1
            progress.update(task, completed=answered)
    if rejects.count:
        place = rejects.path if rejects.path is not None else "standard error"
        console.print(f"{answered} answered, {rejects.count} rejected: see {place}", highlight=False)
    else:
        console.print(f"{answered} answered", highlight=False)
    return Counts(answered, rejects.count + scores.rejected)


def _refuse_same_file(cases: Path | str, output: Path | str) -> None:
    if str(output) != STANDARD_STREAM and Path(cases).resolve() == Path(output).resolve():
        raise DataFileError(
            "one file for cases and rankings", wanted="two", way_out="Name another --output.", where=str(output)
        )


def _usable(rows: Iterator[Case | Reject], rejects: RejectsFile) -> Iterator[Case]:
    for row in rows:
        if isinstance(row, Reject):
            rejects.write(row)
        else:
            yield row


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True)
