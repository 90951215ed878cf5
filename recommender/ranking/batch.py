"""Ranks many cases on all cores, in order, in constant memory."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from recommender.cases import Case, Ranking
from recommender.catalogue.instruments import load_instruments
from recommender.observations.norms import Norms
from recommender.ranking.recommender import Recommender

# A process needs a second to load the model: fewer cases than this are ranked where they are.
WORTH_PROCESSES = 60
CHUNK = 16
# Chunks waiting per process: enough to keep it busy, few enough to hold memory constant.
WAITING = 4

_recommender: Recommender | None = None


@dataclass(frozen=True)
class RankingJob:
    """How to rank: which model, whom a safeguarding message names, how many suggestions (None: the case's own).

    ``instrument_files`` are a user's own rubrics; ``norms`` and ``norms_hold_scores``: see ``Recommender.load``.
    """

    models: Path
    version: str | None = None
    safeguarding_contact: str | None = None
    top: int | None = None
    instrument_files: tuple[Path, ...] = ()
    norms: Norms | None = None
    norms_hold_scores: bool = False

    def load(self) -> Recommender:
        """The Recommender this job asks for."""
        return Recommender.load(
            self.models,
            self.version,
            safeguarding_contact=self.safeguarding_contact,
            instruments=load_instruments(self.instrument_files),
            norms=self.norms,
            norms_hold_scores=self.norms_hold_scores,
        )

    def prepare(self, case: Case) -> Case:
        """The case with the job's ``top`` where it has one."""
        return case if self.top is None else case.model_copy(update={"top": self.top})


JoinedCase = tuple[Case, pd.DataFrame | None]
"""A case and the further scores of its teacher."""


def rank_in_parallel(cases: Iterable[JoinedCase], job: RankingJob, processes: int | None = None) -> Iterator[Ranking]:
    """Rankings in the order of ``cases``, each the one ``Recommender.rank`` gives.

    ``processes`` None uses one per core once there are ``WORTH_PROCESSES`` cases.
    """
    cases = iter(cases)
    first = list(islice(cases, WORTH_PROCESSES))
    if processes is None:
        processes = 1 if len(first) < WORTH_PROCESSES else available_cores()
    everything = chain(first, cases)
    if processes == 1:
        recommender = job.load()
        return (recommender.rank(job.prepare(case), joined) for case, joined in everything)
    return _rank_on_processes(everything, job, processes)


def available_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _rank_on_processes(cases: Iterable[JoinedCase], job: RankingJob, processes: int) -> Iterator[Ranking]:
    # Spawned, not forked: ONNX Runtime's threads do not survive a fork.
    with ProcessPoolExecutor(processes, get_context("spawn"), _start, (job,)) as pool:
        waiting: deque[Future[list[Ranking]]] = deque()
        cases = iter(cases)
        while chunk := tuple(islice(cases, CHUNK)):
            waiting.append(pool.submit(_rank_chunk, job, chunk))
            if len(waiting) >= WAITING * processes:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _start(job: RankingJob) -> None:
    global _recommender
    _recommender = job.load()


def _rank_chunk(job: RankingJob, cases: tuple[JoinedCase, ...]) -> list[Ranking]:
    assert _recommender is not None
    return [_recommender.rank(job.prepare(case), joined) for case, joined in cases]
