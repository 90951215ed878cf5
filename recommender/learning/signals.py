"""What rows of evidence say about skills, as arrays: judgements of skills in sight, and picks among several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from recommender.catalogue.loader import Catalogue
from recommender.learning.evidence import EvidenceRow, ShownSkill, SkillChange
from recommender.learning.outcomes import choice_factor
from recommender.learning.parameters import LearningParameters, OutcomeParameters, SignalParameters

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SignalKind = Literal["kept", "moved_up", "moved_down", "removed", "added", "chosen", "declined"]
# Said about the skill and not about the day, the time or the class.
DECLINED_FOR_GOOD = frozenset({"not_my_need", "already_do_this"})

# Columns of ``Alternatives.features``.
FEATURES = ("words", "observations", "context")


@dataclass(frozen=True)
class Alternatives:
    """Skills of lists, one entry a skill and signal, with the shipped log-odds and the parts they are made of.

    ``place`` is 0 for a skill that was not on the list. ``features`` (n, 3), in the order of ``FEATURES``: the share
    of ``log_odds`` that came from the words, from observations and notes, and from the context.
    """

    skill: Integers
    place: Integers
    log_odds: Floats
    features: Floats

    def __len__(self) -> int:
        return len(self.skill)


@dataclass(frozen=True)
class Judgements:
    """Skills in sight of a reviewing coach: ``said`` 1 relevant, 0 not, between them half; ``row`` is the row."""

    about: Alternatives
    row: Integers
    said: Floats
    weight: Floats
    kinds: tuple[SignalKind, ...]

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True)
class Picks:
    """One skill picked among several: as the best of them (``sign`` 1) or the worst (-1).

    Pick i is among entries ``start[i]`` to ``start[i + 1]`` of ``among``, and is entry ``picked[i]`` of all.
    """

    among: Alternatives
    start: Integers
    picked: Integers
    row: Integers
    sign: Floats
    weight: Floats
    kinds: tuple[SignalKind, ...]

    def __len__(self) -> int:
        return len(self.row)

    @property
    def owner(self) -> Integers:
        """(entries of ``among``,) which pick each entry belongs to."""
        result: Integers = np.repeat(np.arange(len(self)), np.diff(self.start))
        return result


class _Entry(NamedTuple):
    skill: int
    place: int
    log_odds: float
    words: float
    observations: float
    context: float


class _Pick(NamedTuple):
    row: int
    kind: SignalKind
    picked: int
    entries: list[_Entry]
    times: float = 1.0


def read_signals(
    rows: Sequence[EvidenceRow], catalogue: Catalogue, parameters: LearningParameters
) -> tuple[Judgements, Picks]:
    """All signals of the rows, in the rows' order.

    A review that keeps, moves or removes a skill judges it; skills it does not name are not judged. What is said of a
    few skills only is read as a pick, since nothing is heard of it where it was not said: a skill that a coach added,
    among those that were not on the list (only where the row has ``scores``); the skill a teacher chose last, among
    those on the list, counted for what came of it (``choice_factor``); a skill declined as no need of theirs or done
    already, as the worst on the list (best-worst scaling, Marley and Louviere 2005). Other reasons to decline say
    nothing. An added or chosen skill that the list leaves no comparison for is passed over.
    """
    strength = parameters.signals
    judged: list[tuple[int, SignalKind, float, _Entry]] = []
    picks: list[_Pick] = []
    for number, row in enumerate(rows):
        shown = {place.skill_id: _entry(place, row, catalogue) for place in row.shown}
        for change in row.review.changes if row.review else ():
            kind = kind_of(change, strength)
            if kind != "added":
                judged.append((number, kind, _said(kind, strength), shown[change.skill_id]))
        picks += _added(number, row, shown, catalogue)
        picks += _decided(number, row, shown, parameters.outcomes)
    judgements = Judgements(
        about=_alternatives([entry for *_, entry in judged]),
        row=np.array([number for number, *_ in judged], dtype=np.int64),
        said=np.array([said for _, _, said, _ in judged], dtype=np.float64),
        weight=_weights([kind for _, kind, *_ in judged], strength),
        kinds=tuple(kind for _, kind, *_ in judged),
    )
    return judgements, _picks(picks, strength)


def kind_of(change: SkillChange, strength: SignalParameters) -> SignalKind:
    """What a coach's change says about the skill."""
    if change.action == "move":
        leading = change.to_rank is not None and change.to_rank <= strength.leading_places.value
        return "moved_up" if leading else "moved_down"
    kinds: dict[str, SignalKind] = {"keep": "kept", "remove": "removed", "add": "added"}
    return kinds[change.action]


def said_at(row: EvidenceRow, kind: SignalKind) -> datetime:
    """When a signal of a row was given."""
    if kind not in ("chosen", "declined") and row.review is not None:
        return row.review.reviewed_at
    return max(choice.decided_at for choice in row.choices)


def last_chosen(row: EvidenceRow) -> str | None:
    """The skill the teacher chose last, None where none was chosen."""
    chosen = [choice for choice in row.choices if choice.decision == "chosen"]
    return max(chosen, key=lambda choice: choice.decided_at).skill_id if chosen else None


def _said(kind: SignalKind, strength: SignalParameters) -> float:
    targets = {name: getattr(strength, name).target for name in ("kept", "moved_up", "moved_down")}
    return float(targets.get(kind, 0.0))


def _weights(kinds: Sequence[SignalKind], strength: SignalParameters) -> Floats:
    return np.array([getattr(strength, kind).weight for kind in kinds], dtype=np.float64)


def _entry(place: ShownSkill, row: EvidenceRow, catalogue: Catalogue) -> _Entry:
    """A skill on the list. Its words' part holds the words' own start as well: one slope scales both."""
    parts = place.parts
    words = parts.prior + parts.struggle if _has_words(row) else 0.0
    return _Entry(
        skill=catalogue.index[place.skill_id],
        place=place.rank,
        # Spreading moves a skill on this list and says nothing about it.
        log_odds=place.score - parts.constraint,
        words=words,
        observations=parts.observation + parts.note,
        context=parts.context,
    )


def _has_words(row: EvidenceRow) -> bool:
    return any(place.parts.struggle for place in row.shown)


def _is_observed(row: EvidenceRow) -> bool:
    return any(place.parts.observation or place.parts.note for place in row.shown)


def _added(number: int, row: EvidenceRow, shown: dict[str, _Entry], catalogue: Catalogue) -> Iterator[_Pick]:
    added = [change.skill_id for change in row.review.changes if change.action == "add"] if row.review else []
    if not added or row.scores is None or len(row.scores) != len(catalogue):
        return
    # Of skills off the list only the total is known; where words alone made it, it is the words' part.
    words_only = _has_words(row) and not _is_observed(row)
    unseen = [
        _Entry(position, 0, score, score if words_only else 0.0, 0.0, 0.0)
        for position, (skill_id, score) in enumerate(zip(catalogue.ids, row.scores, strict=True))
        if skill_id not in shown
    ]
    place = {entry.skill: at for at, entry in enumerate(unseen)}
    for skill_id in added:
        yield _Pick(number, "added", place[catalogue.index[skill_id]], unseen)


def _decided(number: int, row: EvidenceRow, shown: dict[str, _Entry], outcomes: OutcomeParameters) -> Iterator[_Pick]:
    """The latest word on each skill counts, and the latest choice, for what came of it."""
    entries, ids = list(shown.values()), list(shown)
    if len(entries) < 2:
        return
    chosen = last_chosen(row)
    if chosen in shown:
        came_of_it = row.outcome if row.outcome is not None and row.outcome.skill_id == chosen else None
        times = 1.0 if came_of_it is None else choice_factor(came_of_it, outcomes)
        yield _Pick(number, "chosen", ids.index(chosen), entries, times)
    latest = {choice.skill_id: choice for choice in sorted(row.choices, key=lambda choice: choice.decided_at)}
    for skill_id in sorted(latest):
        choice = latest[skill_id]
        if choice.decision == "declined" and choice.reason in DECLINED_FOR_GOOD and skill_id in shown:
            yield _Pick(number, "declined", ids.index(skill_id), entries)


def _alternatives(entries: Sequence[_Entry]) -> Alternatives:
    table = np.array(entries, dtype=np.float64).reshape(len(entries), len(_Entry._fields))
    return Alternatives(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2], table[:, 3:])


def _picks(picks: Sequence[_Pick], strength: SignalParameters) -> Picks:
    sizes = np.array([len(pick.entries) for pick in picks], dtype=np.int64)
    start = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    return Picks(
        among=_alternatives([entry for pick in picks for entry in pick.entries]),
        start=start,
        picked=start[:-1] + np.array([pick.picked for pick in picks], dtype=np.int64),
        row=np.array([pick.row for pick in picks], dtype=np.int64),
        sign=np.array([-1.0 if pick.kind == "declined" else 1.0 for pick in picks]),
        weight=_weights([pick.kind for pick in picks], strength) * np.array([pick.times for pick in picks]),
        kinds=tuple(pick.kind for pick in picks),
    )
