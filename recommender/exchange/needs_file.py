"""From a file of scores to a file of needs or of norms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.console import Console

from recommender.catalogue.instruments import Instruments, load_instruments
from recommender.catalogue.loader import load_catalogue
from recommender.errors import DataFileError
from recommender.exchange.file_formats import whole_file
from recommender.exchange.need_files import check_need_output, write_needs
from recommender.exchange.observation_files import read_observations
from recommender.exchange.rejects import RejectsFile
from recommender.observations.need_tables import item_need_table, skill_need_table
from recommender.observations.needs import estimate_needs
from recommender.observations.norm_fit import fit_norms
from recommender.observations.norms import Norms
from recommender.observations.ratings import observed_ratings


@dataclass(frozen=True)
class ScoreCounts:
    """What became of a score file's rows, and how many teachers were answered."""

    rows: int
    not_scored: int
    rejected: int
    teachers: int


def write_needs_of(
    observations: Path,
    output: Path,
    *,
    instrument_files: Sequence[Path] = (),
    norms_file: Path | None = None,
    skills_output: Path | None = None,
    console: Console,
) -> ScoreCounts:
    """Estimate the needs of every teacher of a score file and write them; refused rows go beside the output.

    Raises DataFileError when nothing can be read or written.
    """
    for path in (output, *((skills_output,) if skills_output is not None else ())):
        check_need_output(path)
    instruments = load_instruments(tuple(instrument_files))
    norms = Norms.load(norms_file) if norms_file is not None else None
    scores, counts = read_scores(observations, output, instruments, console)
    estimate = estimate_needs(scores, instruments, norms)
    write_needs(item_need_table(estimate), output)
    if skills_output is not None:
        write_needs(skill_need_table(estimate, instruments, load_catalogue()), skills_output)
    answered = ScoreCounts(*counts, teachers=sum(len(group.teacher) for group in estimate.groups))
    console.print(f"needs of {answered.teachers} teachers", highlight=False)
    return answered


def write_norms_of(
    observations: Path, output: Path, *, instrument_files: Sequence[Path] = (), console: Console
) -> ScoreCounts:
    """Fit the norms of every tenant of a score file and write them as JSON."""
    instruments = load_instruments(tuple(instrument_files))
    scores, counts = read_scores(observations, output, instruments, console)
    ratings = observed_ratings(scores, instruments)
    norms = fit_norms(ratings, instruments)
    with whole_file(output) as stream:
        stream.write(norms.to_json().encode())
    for name, tenant in norms.tenants.items():
        parts = "own variance components" if tenant.components is not None else "shipped variance components"
        console.print(
            f"{name or 'one tenant'}: {len(tenant.items)} items, {len(tenant.raters)} raters, {parts}", highlight=False
        )
    return ScoreCounts(*counts, teachers=len(ratings.teachers))


def read_scores(
    observations: Path, output: Path | str, instruments: Instruments, console: Console
) -> tuple[pd.DataFrame, tuple[int, int, int]]:
    """The usable scores of a file and (rows, not scored, rejected); refused rows are listed beside ``output``."""
    file = read_observations(observations, instruments)
    with RejectsFile(output) as rejects:
        for reject in file.rejects:
            rejects.write(reject)
    said = [f"{len(file.scores)} scores read"]
    if file.not_scored:
        said.append(f"{file.not_scored} not scored")
    if file.rejects:
        said.append(f"{len(file.rejects)} rejected: see {rejects.path}")
    if file.unread_columns:
        said.append(f"columns not read: {', '.join(file.unread_columns)}")
    console.print("; ".join(said), highlight=False)
    if file.scores.empty:
        raise DataFileError("no usable score", wanted="at least one", where=str(observations))
    return file.scores, (file.rows, file.not_scored, len(file.rejects))
