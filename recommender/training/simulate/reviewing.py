"""Simulated coaches and teachers who look down the shipped model's lists and say what they hold of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from recommender.catalogue.loader import Catalogue, load_catalogue
from recommender.learning.evidence import (
    ChoiceMade,
    EvidenceContext,
    EvidenceRow,
    ReviewGiven,
    ScoreParts,
    ShownSkill,
    SkillChange,
)
from recommender.training.simulate.coach_truth import CoachTruth, Floats, Integers, ShippedScores
from recommender.training.simulate.reviewing_parameters import ReviewingParameters, load_reviewing_parameters

Habit = Literal["honest", "approving", "random", "flipped"]
"""Honest; keeps everything unread; removes at random; removes what is relevant and keeps what is not"""

FIRST_DAY = datetime(2026, 9, 1, tzinfo=UTC)
_DECIMALS = 4


@dataclass(frozen=True)
class SimulatedReviews:
    """Rows of evidence in the order of time, and the truth they were made from.

    ``text`` and ``tenant`` (rows,): the position of each row's text among the texts given, and of its tenant.
    """

    rows: tuple[EvidenceRow, ...]
    truth: CoachTruth
    text: Integers
    tenant: Integers

    def first(self, n: int) -> SimulatedReviews:
        """The first ``n`` rows."""
        return SimulatedReviews(self.rows[:n], self.truth, self.text[:n], self.tenant[:n])


def simulate_reviews(
    seed: int,
    n_reviews: int,
    *,
    tenants: int,
    texts: ShippedScores,
    truth: CoachTruth | None = None,
    exploration: float = 0.0,
    habits: Sequence[Habit] | None = None,
    parameters: ReviewingParameters | None = None,
) -> SimulatedReviews:
    """``n_reviews`` lists of ``tenants`` districts, each reviewed by one of its coaches; the same seed gives the same.

    The list is the shipped model's first places. A coach looks at place k with chance e_k. Of what they looked at they
    remove what is not relevant (of what comes up later a part is moved down), move up what is best, and now and then
    add a relevant skill that is missing; every other skill is recorded as kept, looked at or not. Teachers choose by a
    conditional logit of the true log-odds and e_k. ``exploration``: chance with which a near tie of neighbours is
    swapped, logged as propensity. ``habits``: one a tenant, honest by default. Fewer reviews of the same seed are the
    first of more.
    """
    parameters = parameters or load_reviewing_parameters()
    catalogue = load_catalogue()
    truth = truth or CoachTruth.draw(np.random.default_rng([seed, 0]), tenants, catalogue, parameters.truth)
    tenant, text = _asked(np.random.default_rng([seed, 1]), n_reviews, tenants, len(texts), parameters)
    maker = _ReviewMaker(seed, texts, truth, exploration, parameters, catalogue)
    rows = [
        maker.row(number, int(text[number]), int(tenant[number]), habits[tenant[number]] if habits else "honest")
        for number in range(n_reviews)
    ]
    return SimulatedReviews(tuple(rows), truth, text, tenant)


def tenant_shares(tenants: int, parameters: ReviewingParameters) -> Floats:
    """(tenants,) of all lists; those beyond the named shares get the last one's, all scaled to 1."""
    named = parameters.districts.shares.value
    shares = np.array([named[min(place, len(named) - 1)] for place in range(tenants)])
    result: Floats = shares / shares.sum()
    return result


def _asked(
    rng: np.random.Generator, n: int, tenants: int, n_texts: int, parameters: ReviewingParameters
) -> tuple[Integers, Integers]:
    """Tenant and text of each list; one draw of numbers a list, so that more lists begin with the same ones."""
    drawn = rng.random((n, 2))
    tenant = np.searchsorted(np.cumsum(tenant_shares(tenants, parameters)), drawn[:, 0], side="right")
    return np.minimum(tenant, tenants - 1).astype(np.int64), (drawn[:, 1] * n_texts).astype(np.int64)


class _ReviewMaker:
    """Makes one row after another, each from random numbers of its own."""

    def __init__(
        self,
        seed: int,
        texts: ShippedScores,
        truth: CoachTruth,
        exploration: float,
        parameters: ReviewingParameters,
        catalogue: Catalogue,
    ) -> None:
        self._seed, self._texts, self._truth, self._exploration = seed, texts, truth, exploration
        self._parameters, self._catalogue = parameters, catalogue
        self._shipped = texts.log_odds

    def row(self, number: int, text: int, tenant: int, habit: Habit) -> EvidenceRow:
        rng = np.random.default_rng([self._seed, 2, number])
        districts, ids = self._parameters.districts, self._catalogue.ids
        shown_at = FIRST_DAY + timedelta(minutes=number * districts.minutes_apart.value)
        shown = self._shown(rng, text)
        listed = np.array([self._catalogue.index[place.skill_id] for place in shown], dtype=np.int64)
        log_odds = self._truth.log_odds(self._texts.take(np.array([text])), np.array([tenant]))[0]
        grades = self._truth.draw_grades(rng, log_odds)
        changes = review_changes(rng, listed, grades, habit, ids, self._parameters)
        choices = self._choices(rng, listed, log_odds[listed], shown_at + timedelta(minutes=5))
        context = self._texts.contexts[text]
        return EvidenceRow(
            id=f"list-{self._seed}-{number:06d}",
            tenant=f"district-{tenant}",
            teacher=f"district-{tenant}-teacher-{rng.integers(districts.teachers.value)}",
            coach=f"district-{tenant}-coach-{rng.integers(districts.coaches.value)}",
            case=f"case-{self._seed}-{number:06d}",
            shown_at=shown_at,
            model_version=self._texts.model_version,
            catalogue_version=self._catalogue.version,
            context=EvidenceContext(grade_band=context.grade_band, subject=context.subject),
            shown=shown,
            scores=np.round(self._shipped[text], _DECIMALS).tolist(),
            review=ReviewGiven(reviewed_at=shown_at + timedelta(minutes=15), changes=changes),
            choices=choices,
        )

    def _shown(self, rng: np.random.Generator, text: int) -> list[ShownSkill]:
        """The list with what each part of the score adds; with exploration near ties may have changed places."""
        words, context, start = self._texts.words[text], self._texts.context[text], self._texts.start
        places = self._texts.place(self._shipped[text], self._parameters.lists.places.value)
        order, chance = list(range(len(places))), [1.0] * len(places)
        total = [self._shipped[text, place.skill] + place.spread for place in places]
        swap = rng.random(len(places))
        upper = 0
        while self._exploration and upper < len(places) - 1:
            if abs(total[upper] - total[upper + 1]) >= self._parameters.lists.near_tie.value:
                upper += 1
                continue
            swapped = swap[upper] < self._exploration
            chance[upper : upper + 2] = [self._exploration if swapped else 1 - self._exploration] * 2
            if swapped:
                order[upper : upper + 2] = [upper + 1, upper]
            upper += 2
        return [
            ShownSkill(
                skill_id=self._catalogue.ids[places[at].skill],
                rank=rank,
                propensity=chance[rank - 1],
                score=float(total[at]),
                parts=ScoreParts(
                    prior=start,
                    struggle=float(words[places[at].skill] - start),
                    context=float(context[places[at].skill]),
                    constraint=places[at].spread,
                ),
            )
            for rank, at in enumerate(order, start=1)
        ]

    def _choices(
        self, rng: np.random.Generator, listed: Integers, log_odds: Floats, moment: datetime
    ) -> list[ChoiceMade]:
        habits, look = self._parameters.teachers, examination(len(listed), self._parameters)
        chooses, declines, for_best, for_worst = rng.random(4)
        best = _pick(for_best, np.log(look) + log_odds)
        worst = _pick(for_worst, np.log(look) - log_odds)
        choices = []
        if declines < habits.declines.value and worst != best:
            choices.append(self._choice(listed, worst, moment, "not_my_need"))
        if chooses < habits.chooses.value:
            choices.append(self._choice(listed, best, moment + timedelta(minutes=1), None))
        return choices

    def _choice(self, listed: Integers, at: int, moment: datetime, reason: Literal["not_my_need"] | None) -> ChoiceMade:
        return ChoiceMade(
            skill_id=self._catalogue.ids[listed[at]],
            decision="declined" if reason else "chosen",
            reason=reason,
            rank=at + 1,
            decided_at=moment,
        )


def examination(places: int, parameters: ReviewingParameters) -> Floats:
    """(places,) chance with which each place is looked at."""
    curve = parameters.coaches.examination.value
    return np.array([curve[min(place, len(curve) - 1)] for place in range(places)])


def _pick(drawn: float, log_worth: Floats) -> int:
    """Place drawn with chances proportional to exp(log_worth) by a number from 0 to 1."""
    steps = np.cumsum(np.exp(log_worth - log_worth.max()))
    return min(int(np.searchsorted(steps, drawn * steps[-1], side="right")), len(steps) - 1)


def review_changes(
    rng: np.random.Generator,
    listed: Integers,
    grades: Integers,
    habit: Habit,
    ids: Sequence[str],
    parameters: ReviewingParameters,
) -> list[SkillChange]:
    """What a coach of a habit says about each skill of the list, and about one that is missing.

    ``listed`` (places,): positions in the catalogue, whose ids are ``ids``; ``grades`` (skills,): what the coach holds
    of every skill, 0 to 3. A list of a given length takes the same random numbers whatever is said of it.
    """
    coaches, n = parameters.coaches, len(listed)
    looked = rng.random(n) < examination(n, parameters)
    slip, later, at_random = rng.random((3, n))
    adds, which = rng.random(2)
    relevant = (grades[listed] >= 2) ^ (slip < coaches.slip.value)
    removed = looked & ~relevant
    moved_down = removed & (grades[listed] == 1) & (later < coaches.moves_later.value)
    # Nothing is moved down from the last place.
    moved_down[-1] = False
    wanted = grades >= 2
    wanted[listed] = False
    missing = np.flatnonzero(wanted)
    if habit != "honest":
        moved_down[:] = False
        missing = missing[:0]
        removed = {
            "approving": np.zeros(n, dtype=bool),
            "random": at_random < coaches.random_removal.value,
            "flipped": looked & relevant,
        }[habit]
    best = _to_move_up(looked & relevant, grades[listed]) if habit == "honest" else None
    changes = [
        _change(ids[skill], n, removed=bool(removed[at]), down=bool(moved_down[at]), up=at == best)
        for at, skill in enumerate(listed)
    ]
    if len(missing) and adds < coaches.adds.value:
        skill = int(missing[int(which * len(missing))])
        changes.append(SkillChange(skill_id=ids[skill], action="add", to_rank=1 if grades[skill] == 3 else 2))
    return changes


def _to_move_up(seen: npt.NDArray[np.bool_], grades: Integers) -> int | None:
    """The best skill seen, where it is better than what stands first."""
    if not seen.any():
        return None
    best = int(np.argmax(np.where(seen, grades, -1)))
    return best if best > 0 and grades[best] > grades[0] else None


def _change(skill_id: str, n: int, *, removed: bool, down: bool, up: bool) -> SkillChange:
    if up:
        return SkillChange(skill_id=skill_id, action="move", to_rank=1)
    if down:
        return SkillChange(skill_id=skill_id, action="move", to_rank=n)
    return SkillChange(skill_id=skill_id, action="remove" if removed else "keep")
