"""Cross-validation folds in which near-duplicates and texts from one page stay together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import GroupKFold

from recommender.training.corpus import Row, is_address_hash

N_FOLDS = 5
FOLD_SEED = 1

# Character 4-gram cosine from which two retellings are taken to tell one story; unrelated struggles stay below .3.
NEAR_DUPLICATE = 0.5

Integers = npt.NDArray[np.int64]


def group_rows(rows: Sequence[Row]) -> Integers:
    """(rows,) group number: rows from one source page, or nearly the same text, share one."""
    parent = list(range(len(rows)))

    def find(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first_from: dict[str, int] = {}
    for i, row in enumerate(rows):
        if is_address_hash(row.source):
            parent[find(i)] = find(first_from.setdefault(row.source, i))
    for i, j in near_duplicates([row.text for row in rows]):
        parent[find(i)] = find(j)
    return np.array([find(i) for i in range(len(rows))])


def near_duplicates(texts: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of positions whose character 4-gram TF-IDF cosine is over ``NEAR_DUPLICATE``."""
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(4, 4), sublinear_tf=True).fit_transform(texts)
    pairs = []
    for start in range(0, len(texts), 500):
        similarity = (vectors[start : start + 500] @ vectors.T).tocoo()
        close = similarity.data > NEAR_DUPLICATE
        pairs += [
            (start + int(i), int(j))
            for i, j in zip(similarity.row[close], similarity.col[close], strict=True)
            if start + i < j
        ]
    return sorted(pairs)


def make_folds(rows: Sequence[Row], n_folds: int = N_FOLDS) -> list[tuple[Integers, Integers]]:
    """(train, test) positions per fold; every row is tested exactly once, groups never straddle."""
    splitter = GroupKFold(n_folds, shuffle=True, random_state=FOLD_SEED)
    return [(train, test) for train, test in splitter.split(np.zeros(len(rows)), groups=group_rows(rows))]
