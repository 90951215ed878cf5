"""The struggles the audit rewrites: all development ones and a fixed draw of the real training ones."""

from __future__ import annotations

import numpy as np

from recommender.training.corpus import REAL, REAL_DEV, Row, load_rows

# A stream of its own, so that the draw does not follow other uses of the seed.
_STREAM = 17


def audit_rows(training_texts: int, seed: int = 0) -> tuple[Row, ...]:
    """The rankable development rows, then ``training_texts`` rankable training rows, one a page; fewer if there are."""
    development = [row for row in load_rows(REAL_DEV) if row.status == "rankable"]
    by_page = {row.source: row for file in REAL for row in load_rows(file) if row.status == "rankable"}
    training = [by_page[page] for page in sorted(by_page)]
    drawn = np.random.default_rng([seed, _STREAM]).permutation(len(training))[:training_texts]
    return (*development, *(training[i] for i in sorted(drawn.tolist())))
