"""What is said beside a ranking: how the list came about and what to be careful with."""

from __future__ import annotations

import numpy as np

from recommender.cases import Case
from recommender.observations.notices import notice
from recommender.ranking.fusion import Evidence
from recommender.ranking.messages import message
from recommender.ranking.observed import Observed

# A struggle this long often holds several needs.
LONG_TEXT_WORDS = 250
# Words and observations disagree where the first skill of the words is pulled down by this many log-odds or more while
# another is pulled up as far.
DISAGREEMENT = 0.3


def ranking_notices(case: Case, evidence: Evidence, observed: Observed, *, words: bool) -> list[str]:
    """Notices in a fixed order; ``words`` says whether the teacher's words were used."""
    said = []
    set_aside = words and observed.counts and case.context.mix == 1
    words_count = words and not set_aside
    if not words and case.struggle.strip():
        said.append(message("words_not_used"))
    elif set_aside:
        said.append(message("words_set_aside"))
    if observed.needs is not None:
        if observed.has_order and words_count and _disagree(evidence):
            said.append(message("observations_disagree"))
        said.extend(
            message("observations_flat") if key == "flat_profile" and words_count else notice(key)
            for key in observed.needs.notices
        )
        if observed.needs.gives_order and not observed.has_order:
            said.append(message("scores_not_tied"))
    if words and len(case.struggle.split()) > LONG_TEXT_WORDS:
        said.append(message("long_text"))
    return said


def _disagree(evidence: Evidence) -> bool:
    from_words = evidence.score - evidence.observed
    from_items = evidence.item_effects.sum(axis=0)
    return bool(from_items[int(np.argmax(from_words))] <= -DISAGREEMENT and from_items.max() >= DISAGREEMENT)
