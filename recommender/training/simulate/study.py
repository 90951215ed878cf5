"""A simulated study of several tenants as one score table, for trying the commands and rerunning held-back figures."""

from __future__ import annotations

import pandas as pd

from recommender.observations.scores import COLUMNS, SOURCE_SYSTEM, TENANT
from recommender.training.simulate.design import Design
from recommender.training.simulate.ratings import simulate_scores


def simulate_study(*, teachers: int, tenants: int, visits: int, raters_per_visit: int, seed: int) -> pd.DataFrame:
    """Scores of about ``teachers`` teachers, as many in each tenant, each visit seen by other raters of the tenant.

    The 18 components of gti-2018 at the research margins; one rater sees about 23 lessons, as in a study whose every
    lesson has two raters and whose tenants have 15. The same arguments give the same table.
    """
    each = -(-teachers // tenants)
    design = Design(
        teachers=each,
        visits=visits,
        raters="different",
        raters_per_visit=raters_per_visit,
        teachers_per_rater=max(1, round(each * visits * raters_per_visit / 15)),
    )
    parts = []
    for number in range(tenants):
        name = f"tenant-{number + 1}"
        scores = simulate_scores(design.model_copy(update={"prefix": f"s{number + 1}"}), seed * 1_000 + number).scores
        parts.append(scores.assign(**{TENANT: name, SOURCE_SYSTEM: "simulated"}))
    return pd.concat(parts, ignore_index=True)[[*COLUMNS, SOURCE_SYSTEM]]
