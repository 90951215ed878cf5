"""Lists as they were shown beside a candidate's order of the same cases: what off-policy figures are computed from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from recommender.errors import GrowthError
from recommender.learning.evidence import EvidenceRow
from recommender.learning.positions import Positions, swapped_pairs
from recommender.learning.signals import last_chosen

Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

Event = Literal["chosen", "removed"]
ExaminationModel = Literal["position_based", "item_position"]
Order: TypeAlias = Callable[[EvidenceRow], Sequence[str]]
EventModel: TypeAlias = Callable[[EvidenceRow], Mapping[str, float]]


@dataclass(frozen=True)
class ListLog:
    """``n`` shown lists of up to ``K`` places; arrays are ``(..., n, K)``, leading axes repeat the log.

    An event (a choice, a removal) happens at a place with the chance examination x chance of the skill there, whatever
    stands at the other places: the item-position model of Li et al. 2018 (Offline evaluation of ranking policies with
    click models). Raises GrowthError when shapes differ or a value is not finite.
    """

    teacher: npt.NDArray[Any]
    """(n,): whose list; intervals are over teachers."""
    events: Floats
    """0 or 1."""
    examination: Floats
    """Chance of a look at the place, 0 beyond the end of a list."""
    weight: Floats
    """``importance_weights`` of the shown skills, unclipped; 0 beyond the end of a list."""
    supported: Flags
    """Whether the candidate's skill of this place could have been shown so that its weight is defined."""
    predicted_shown: Floats | None = None
    """Chance of the event where looked, of the shown skill; fitted on other lists than these."""
    predicted_candidate: Floats | None = None
    """The same of the candidate's skill at this place."""
    left_out: int = 0
    """Lists whose logged chances fit no swap of two neighbours."""

    def __post_init__(self) -> None:
        arrays = [self.events, self.examination, self.weight, self.supported]
        arrays += [values for values in (self.predicted_shown, self.predicted_candidate) if values is not None]
        if len({values.shape for values in arrays}) > 1 or self.teacher.shape != self.events.shape[-2:-1]:
            raise GrowthError("arrays of different shapes", wanted="one value a place and one teacher a list")
        if not all(np.isfinite(values).all() for values in arrays) or (self.weight < 0).any():
            raise GrowthError("a number that is not finite, or a weight below 0", wanted="finite numbers")
        if len(arrays) == 5:
            raise GrowthError("predictions of one list only", wanted="those of the shown and of the candidate's skills")


def importance_weights(wanted: Floats, logged: Floats) -> Floats:
    """``wanted / logged``, 0 where the candidate gives nothing.

    ``position_based``: expected examination of the shown skill under the candidate over that under the logged swaps.
    ``item_position``: chance that the candidate puts the skill at its place over the logged chance; needs no curve.
    """
    result: Floats = np.divide(wanted, logged, out=np.zeros(np.broadcast(wanted, logged).shape), where=wanted > 0)
    return result


def lists_beside(
    rows: Iterable[EvidenceRow],
    candidate: Order,
    positions: Positions,
    *,
    event: Event = "chosen",
    model: ExaminationModel = "position_based",
    predicted: EventModel | None = None,
) -> ListLog:
    """The log of a candidate that would show ``candidate(row)``, cut to the length of the list that was shown.

    ``chosen``: the teacher's last choice, over all lists. ``removed``: over reviewed lists. Both happen only where a
    person looked, unlike a skill left untouched. Raises GrowthError when no list is left, when the candidate orders too
    few skills or one twice, or when ``predicted`` leaves one out.
    """
    entries = []
    left_out = 0
    for row in rows:
        if not row.shown or (event == "removed" and row.review is None):
            continue
        partners = _partners(row)
        if partners is None:
            left_out += 1
            continue
        entries.append(_entry(row, _cut(candidate(row), len(row.shown)), partners, positions, event, model, predicted))
    if not entries:
        raise GrowthError("no list to judge by", wanted="shown lists with what was said of them", where="off-policy")
    return replace(_stack(entries), left_out=left_out)


def reordered(candidate: Order) -> Order:
    """The candidate's order of the skills that were shown, and no others: what the log can always speak about."""

    def order(row: EvidenceRow) -> list[str]:
        shown = {place.skill_id for place in row.shown}
        return [skill for skill in candidate(row) if skill in shown]

    return order


def _partners(row: EvidenceRow) -> list[int] | None:
    """Per place the place its skill would have had in the other draw: itself if fixed, -1 if off the list."""
    partners = list(range(len(row.shown)))
    for upper in swapped_pairs(row):
        partners[upper - 1], partners[upper] = upper, upper - 1
    for index, place in enumerate(row.shown):
        if place.propensity < 1 and partners[index] == index:
            if index < len(row.shown) - 1:
                return None
            partners[index] = -1
    return partners


def _cut(order: Sequence[str], length: int) -> list[str]:
    cut = list(order[:length])
    if len(set(cut)) < length:
        raise GrowthError(f"{len(set(cut))} skills in the candidate's order", wanted=f"{length} different ones")
    return cut


def _entry(
    row: EvidenceRow,
    order: list[str],
    partners: list[int],
    positions: Positions,
    event: Event,
    model: ExaminationModel,
    predicted: EventModel | None,
) -> ListLog:
    shown = [place.skill_id for place in row.shown]
    chance = np.array([place.propensity for place in row.shown])
    examination = positions.at(np.arange(1, len(shown) + 1))
    place_of = {skill: place for place, skill in enumerate(order)}
    there = np.array([place_of.get(skill, -1) for skill in shown])
    if model == "position_based":
        # Off the list (-1) nobody looks.
        looked = np.append(examination, 0.0)
        wanted, logged = looked[there], chance * examination + (1 - chance) * looked[partners]
        supported = [skill in shown for skill in order]
    else:
        wanted, logged = (there == np.arange(len(shown))).astype(np.float64), chance
        could_stand = {(shown[k], place) for k in range(len(shown)) for place in (k, partners[k])}
        supported = [(skill, place) in could_stand for place, skill in enumerate(order)]
    chances = None if predicted is None else predicted(row)
    return ListLog(
        teacher=np.array([f"{row.tenant}/{row.teacher}"]),
        events=_events(row, shown, event)[None],
        examination=examination[None],
        weight=importance_weights(wanted, logged)[None],
        supported=np.array([supported]),
        predicted_shown=_predicted(chances, shown),
        predicted_candidate=_predicted(chances, order),
    )


def _events(row: EvidenceRow, shown: Sequence[str], event: Event) -> Floats:
    if event == "chosen":
        happened = {last_chosen(row)}
    else:
        happened = (
            {change.skill_id for change in row.review.changes if change.action == "remove"} if row.review else set()
        )
    return np.array([skill in happened for skill in shown], dtype=np.float64)


def _predicted(chances: Mapping[str, float] | None, skills: Sequence[str]) -> Floats | None:
    if chances is None:
        return None
    missing = [skill for skill in skills if skill not in chances]
    if missing:
        raise GrowthError(f"no prediction for {missing[0]}", wanted="one for every skill shown or to be shown")
    return np.array([[chances[skill] for skill in skills]], dtype=np.float64)


def _stack(entries: Sequence[ListLog]) -> ListLog:
    """One log of all lists; shorter ones end in places that nobody looks at."""
    longest = max(entry.events.shape[1] for entry in entries)

    def padded(values: Sequence[npt.NDArray[Any]], fill: float) -> npt.NDArray[Any]:
        rows = [np.pad(row, ((0, 0), (0, longest - row.shape[1])), constant_values=fill) for row in values]
        return np.concatenate(rows)

    def predictions(values: Sequence[Floats | None]) -> Floats | None:
        given = [value for value in values if value is not None]
        return padded(given, 0.0) if given else None

    return ListLog(
        teacher=np.concatenate([entry.teacher for entry in entries]),
        events=padded([entry.events for entry in entries], 0.0),
        examination=padded([entry.examination for entry in entries], 0.0),
        weight=padded([entry.weight for entry in entries], 0.0),
        supported=padded([entry.supported for entry in entries], 1),
        predicted_shown=predictions([entry.predicted_shown for entry in entries]),
        predicted_candidate=predictions([entry.predicted_candidate for entry in entries]),
    )
