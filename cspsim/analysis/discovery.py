"""Scenario discovery: under which assumptions does a policy fail? Boxes (PRIM) and a small tree, in words.

Both are judged on assumption sets that they have not seen, so that "nothing found" is an answer.
"""

from typing import Any, NamedTuple

import numpy as np

from cspsim.analysis.boxes import FEWEST_CASES, Box, Condition, boxes_of, can_peel
from cspsim.analysis.sampled_sets import Mask, Sample, considered_rows, folds_of, most_telling
from cspsim.basics.formats import listed
from cspsim.model.parameters import Floats, Integers

MOST_LEAVES = 6


class TreeLeaf(NamedTuple):
    """A leaf of the tree: its conditions, how many sets it holds and the share of them that fails."""

    conditions: tuple[Condition, ...]
    sets: int
    share: float


class Tree(NamedTuple):
    """A small classification tree; ``skill`` is 1 - Brier score / that of the base rate, on held-out folds, with its 95 % interval."""

    leaves: tuple[TreeLeaf, ...]
    skill: float
    low: float
    high: float

    @property
    def found(self) -> bool:
        """Whether it predicts better than the base rate, beyond chance."""
        return self.low > 0 and len(self.leaves) > 1


class Discovery(NamedTuple):
    """What was found out about the sets in which a policy fails. ``why_not`` says why no search was made, if none was.

    ``boxes`` holds what was found and, as its last entry, the box at which the search ended since it was no better than the
    base rate (none where the largest allowed number of boxes was found). It is empty where ``cspsim[discovery]`` is not installed.
    """

    sets: int
    cases: int
    considered: tuple[str, ...]
    sampled: int
    boxes: tuple[Box, ...]
    tree: Tree | None
    why_not: str

    @property
    def base_rate(self) -> float:
        """Share of all sets in which the policy fails."""
        return self.cases / self.sets if self.sets else np.nan

    @property
    def found(self) -> tuple[Box, ...]:
        """The boxes that count as found."""
        return tuple(box for box in self.boxes if box.found)


class FailureQuestion(NamedTuple):
    """Which sets count as failures: a mask ``[set]``, the words for it, and the gain (positive: good) below which a set counts."""

    cases: Mask
    words: str
    cutoff: float


class PolicyFailure(NamedTuple):
    """Under which assumptions a policy fails: the question, the answer, and the share of sets whose answer luck could reverse."""

    question: FailureQuestion
    discovery: Discovery
    undecided_share: float


def failure_question(effects: Floats, better: int) -> FailureQuestion:
    """Failing is being no better than the baseline; where (nearly) all or no sets fail so, being among the worst quarter.

    ``effects`` ``[set]``: differences from the baseline; ``better``: +1 if more is better, -1 if less, 0 if neither, in which
    case the usual sign of the effect counts as the good one.
    """
    usual = np.sign(np.median(effects)) or 1.0
    gains = effects * (better or usual)
    worse = gains <= 0
    if min(worse.sum(), (~worse).sum()) >= max(FEWEST_CASES, 0.05 * len(gains)):
        return FailureQuestion(worse, "is no better than the baseline" if better else "has the other sign than usually", 0.0)
    cutoff = float(np.quantile(gains, 0.25))
    return FailureQuestion(
        gains <= cutoff, "is among its worst quarter of sets" if better else "is in the lowest quarter of its effect", cutoff
    )


# -------------------------------------------------------------------------------------------------------------- discovery


def discover(values: Floats, names: list[str], cases: Mask, groups: Integers | None = None, seed: int = 1) -> Discovery:
    """Boxes and a tree that tell the sets in which a policy fails from the others.

    Args:
        values: assumptions ``[set, name]``. names: of its columns.
        cases: ``[set]``, true where the policy fails.
        groups: ``[set]``; sets of one group (a Morris trajectory) are held out together. None: every set for itself.
        seed: of folds, half samples and feature scores.

    Raises:
        CspsimError: ``cspsim[analysis]`` is not installed.
    """
    groups = np.arange(len(cases)) if groups is None else groups
    rows = considered_rows(groups, seed)
    varied = [k for k in range(values.shape[1]) if np.ptp(values[rows, k]) > 0] if len(rows) else []
    data = Sample(values[rows][:, varied].astype(float), [names[k] for k in varied], cases[rows], groups[rows], seed)
    enough = min(data.cases.sum(), (~data.cases).sum()) >= FEWEST_CASES
    if not enough or not varied:
        words = f"fails in {int(cases.sum())} of {len(cases)} sets: too few on one side to tell them apart by assumptions"
        return Discovery(len(cases), int(cases.sum()), (), len(varied), (), None, words if varied else "no assumption was varied")
    boxes = boxes_of(data) if can_peel() else ()
    considered = tuple(data.names[k] for k in most_telling(data.numbers, data.cases, seed))
    return Discovery(len(cases), int(cases.sum()), considered, len(varied), boxes, _tree(data), "")


# ------------------------------------------------------------------------------------------------------------------- tree


def _tree(data: Sample) -> Tree:
    """A tree of two to six leaves, as many as held-out folds support (the fewest within one standard error of the best)."""
    folds = folds_of(data)  # raises the error that says what is not installed
    from sklearn.tree import DecisionTreeClassifier

    def grow(part: Sample, leaves: int) -> Any:
        fewest = max(5, len(data.cases) // 20)
        return DecisionTreeClassifier(max_leaf_nodes=leaves, min_samples_leaf=fewest, random_state=0).fit(part.numbers, part.cases)

    truth = data.cases.astype(float)
    by_base = np.full(len(truth), np.nan)
    by_tree = {leaves: by_base.copy() for leaves in range(2, MOST_LEAVES + 1)}
    for learn, judge in folds:
        by_base[judge] = (truth[judge] - truth[learn].mean()) ** 2
        for leaves, losses in by_tree.items():
            losses[judge] = (truth[judge] - grow(data.at(learn), leaves).predict_proba(data.numbers[judge])[:, 1]) ** 2
    gains = {leaves: (by_base - losses) / np.nanmean(by_base) for leaves, losses in by_tree.items()}
    skills = {leaves: float(np.nanmean(gain)) for leaves, gain in gains.items()}
    errors = {leaves: float(np.nanstd(gain, ddof=1) / np.sqrt(np.isfinite(gain).sum())) for leaves, gain in gains.items()}
    best = max(skills, key=lambda leaves: skills[leaves])
    chosen = min(leaves for leaves in skills if skills[leaves] >= skills[best] - errors[best])
    margin = 1.96 * errors[chosen]
    return Tree(_leaves(grow(data, chosen), data), skills[chosen], skills[chosen] - margin, skills[chosen] + margin)


def _leaves(tree: Any, data: Sample) -> tuple[TreeLeaf, ...]:
    """The leaves with the conditions on the way to them, the failing ones first."""
    parts, found = tree.tree_, []

    def walk(node: int, limits: dict[int, tuple[float, float]]) -> None:
        left, right, column, at = parts.children_left[node], parts.children_right[node], parts.feature[node], float(parts.threshold[node])
        if left == right:
            conditions = tuple(Condition(data.names[k], low, high) for k, (low, high) in limits.items())
            found.append(TreeLeaf(conditions, int(parts.n_node_samples[node]), float(parts.value[node][0, 1])))
            return
        low, high = limits.get(column, (np.nan, np.nan))
        walk(left, {**limits, column: (low, at)})
        walk(right, {**limits, column: (at, high)})

    walk(0, {})
    return tuple(sorted(found, key=lambda leaf: -leaf.share))


def tree_in_words(tree: Tree) -> str:
    """Each leaf as a clause: ``83% of 120 sets with harmony above 0.42``."""
    clauses = [
        f"{100 * leaf.share:.0f}% of {leaf.sets} sets with {listed([condition.words for condition in leaf.conditions])}"
        for leaf in tree.leaves
    ]
    return "; ".join(clauses)
