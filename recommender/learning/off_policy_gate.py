"""The off-policy gate: what logged choices say of a candidate's order, and plainly nothing where they are too few."""

from __future__ import annotations

import numpy as np

from recommender.errors import GrowthError
from recommender.learning.evidence import EvidenceRow
from recommender.learning.gate_rules import GateResult, said
from recommender.learning.held_back import Floats, ReviewedLists
from recommender.learning.off_policy import load_off_policy_parameters, off_policy
from recommender.learning.off_policy_lists import lists_beside, reordered
from recommender.learning.positions import Positions

ESTIMATE = "snips"


def off_policy_gate(lists: ReviewedLists, log_odds: Floats, positions: Positions) -> GateResult:
    """Choices a list that the candidate's order of the shown skills would have had, against the lists as shown.

    ``log_odds`` (lists, skills) are the candidate's. Fails where the self-normalised estimate's whole 95% interval is
    below the shown lists'; logs that cannot tell decide nothing and say so.
    """
    numbers = {row.id: number for number, row in enumerate(lists.rows)}

    def order(row: EvidenceRow) -> list[str]:
        return [lists.catalogue.ids[skill] for skill in np.argsort(-log_odds[numbers[row.id]], kind="stable")]

    try:
        found = off_policy(lists_beside(lists.rows, reordered(order), positions), load_off_policy_parameters())
    except GrowthError:
        return said("off_policy", "none", passed=True, n=0)
    difference = found.estimates[ESTIMATE].difference
    if not found.enough:
        return said("off_policy", "not_enough", passed=True, interval=difference, why=" ".join(found.reasons))
    return said("off_policy", "worse" if difference.high < 0 else "passed", interval=difference)
