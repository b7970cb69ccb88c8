"""Assumption sets to learn from and to judge by: thinned, with the most informative columns, in folds."""

import warnings
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cspsim.basics.errors import needs
from cspsim.model.parameters import Floats, Integers

Mask = npt.NDArray[np.bool_]

FOLDS = 5
"""Folds held out in turn."""
MOST_ROWS, MOST_ASSUMPTIONS = 2_000, 6
"""PRIM slows down with the number of rows and columns: more rows are thinned, more columns are chosen by feature scores."""


class Sample(NamedTuple):
    """Assumption sets ``numbers`` ``[set, name]``, which of them are cases of interest, and which go together."""

    numbers: Floats
    names: list[str]
    cases: Mask
    groups: Integers
    seed: int

    def at(self, rows: Any) -> "Sample":
        """Some of the sets."""
        return self._replace(numbers=self.numbers[rows], cases=self.cases[rows], groups=self.groups[rows])


def considered_rows(groups: Integers, seed: int) -> Integers:
    """Rows of as many whole groups as make at most ``MOST_ROWS``, in their order."""
    if len(groups) <= MOST_ROWS:
        return np.arange(len(groups))
    known, sizes = np.unique(groups, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(known))
    kept = known[order[np.cumsum(sizes[order]) <= MOST_ROWS]]
    return np.flatnonzero(np.isin(groups, kept))


def most_telling(numbers: Floats, cases: Mask, seed: int) -> list[int]:
    """The columns that PRIM looks at: all if they are few, else those with the highest feature scores of extra trees."""
    if numbers.shape[1] <= MOST_ASSUMPTIONS:
        return list(range(numbers.shape[1]))
    try:
        from sklearn.ensemble import ExtraTreesClassifier
    except ImportError:
        raise needs("scenario discovery", "scikit-learn", "analysis") from None

    trees = ExtraTreesClassifier(60, min_samples_leaf=max(2, len(cases) // 100), max_features=0.3, random_state=seed)
    scores = trees.fit(numbers, cases).feature_importances_
    return sorted(int(k) for k in np.argsort(-scores, kind="stable")[:MOST_ASSUMPTIONS])


def folds_of(data: Sample) -> list[tuple[Integers, Integers]]:
    """Rows to learn from and rows to judge by; groups stay together, failures are spread evenly."""
    try:
        from sklearn.model_selection import StratifiedGroupKFold
    except ImportError:
        raise needs("scenario discovery", "scikit-learn", "analysis") from None

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # few failures in a fold are counted, not warned about
        parts = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=data.seed).split(data.numbers, data.cases, data.groups)
        return [(learn, judge) for learn, judge in parts if 0 < data.cases[learn].sum() < len(learn) and len(judge)]
