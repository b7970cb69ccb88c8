"""Figures of a search: the front, what was chosen looked at again, where the levers stand, and how soon each method found it."""

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np

from cspsim.basics.formats import amount
from cspsim.model.parameters import Floats, Levers
from cspsim.reports.charts import BLACK, COLOURS, DASHES, GREY, MARKERS, STYLE, ReportChart, finished, sheet, value_axis
from cspsim.running.outcomes import OUTCOMES, POUNDS
from cspsim.scenario.schema import register_of
from cspsim.search.pareto import Truths
from cspsim.search.policies import mean_levels
from cspsim.search.searching import Found
from cspsim.search.standing import LEAST_HARM, SAFEST

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, ORANGE, GREEN, PINK, AMBER, SKY = COLOURS
CHOSEN = {LEAST_HARM: (ORANGE, "o"), SAFEST: (GREEN, "^")}
"""The chosen mixes, each with its colour and mark in every figure."""
REFERENCE = (PINK, "D")


def draw_search(found: Found, source: str) -> list[ReportChart]:
    """The figures of a report."""
    return [draw_front(found, source), draw_again(found, source), draw_chosen_levers(found, source), draw_progress(found, source)]


def _unit(found: Found) -> str:
    return OUTCOMES[found.search.data.harm].unit


def _difference(found: Found) -> str:
    return f"difference in {OUTCOMES[found.search.data.harm].title.lower()} from {found.search.baseline.name}"


def _small(axes: "Axes", words: str) -> None:
    axes.annotate(words, (0, 1), (0, 3), "axes fraction", "offset points", fontsize=7.5, color=GREY)


def _marked(found: Found) -> list[tuple[str, int, str, str]]:
    """What is marked in every figure: words, policy, colour, mark."""
    references = [(name, k + 1, *REFERENCE) for k, name in enumerate(found.search.references)]
    chosen = [(role, found.roles[role], *CHOSEN[role]) for role in CHOSEN if role in found.roles]
    return [(found.search.baseline.name, 0, BLACK, "X"), *references, *chosen]


def draw_front(found: Found, source: str) -> ReportChart:
    """Left cost and harm of every mix, with the budget; right harm and worst-case regret of those within it."""
    title = "Every mix tried: cost, harm and worst-case regret"
    standing = found.standing
    with mpl.rc_context(STYLE):
        figure = sheet(11, 5.2, title, source)
        left, right = figure.add_axes((0.075, 0.15, 0.47, 0.64)), figure.add_axes((0.625, 0.15, 0.36, 0.64))
        _draw_plane(left, found, standing.cost, standing.harm, ~standing.within)
        left.axvline(found.problem.budget, color=BLACK, lw=1, ls=(0, (4, 2)))
        left.set_title("harm against cost", pad=14)
        _small(left, "mean over assumption sets; dashed: the budget; grey crosses: above it")
        left.set_xlabel(f"cost, {POUNDS}")
        left.set_ylabel(_difference(found))
        value_axis(left.xaxis, POUNDS, standing.cost)
        within = np.where(standing.within, standing.worst_regret, np.nan)
        _draw_plane(right, found, standing.harm, within, np.zeros(len(within), dtype=bool))
        right.set_title("worst case against mean", pad=14)
        _small(right, "within the budget, and the references")
        right.set_xlabel(_difference(found))
        right.set_ylabel("worst-case regret")
        _crop(left, right, found)
        value_axis(left.yaxis, _unit(found), np.array(left.get_ylim()))
        value_axis(right.xaxis, _unit(found), np.array(right.get_xlim()))
        value_axis(right.yaxis, _unit(found), np.array(right.get_ylim()))
        handles, words = left.get_legend_handles_labels()
        figure.legend(
            handles,
            words,
            loc="center left",
            bbox_to_anchor=(0.008, 0.895),
            ncols=7,
            frameon=False,
            fontsize=8.5,
            handletextpad=0.3,
            columnspacing=1.2,
        )
    return finished(figure, "front", title, _front_in_words(found))


def _front_in_words(found: Found) -> str:
    standing = found.standing
    said = [
        f"{words} {amount(float(standing.harm[k]), _unit(found), None, signed=True)} at {amount(float(standing.cost[k]), POUNDS)}"
        for words, k, _, _ in _marked(found)
    ]
    counts = f"{int(standing.within.sum())} policies within the budget, {int(standing.front.sum())} on the front"
    return f"{len(standing.trials)} mixes, {counts}. Difference in harm and cost: {'; '.join(said)}."


def _draw_plane(axes: "Axes", found: Found, across: Floats, up: Floats, outside: Truths) -> None:
    trials = np.arange(len(across)) >= found.standing.first_trial
    front = found.standing.front & trials
    plain = trials & ~outside & ~front
    axes.axhline(0, color=GREY, lw=0.6)
    axes.plot(
        across[trials & outside],
        up[trials & outside],
        ls="",
        marker="x",
        ms=3.5,
        color="#b5b5b5",
        label="above the budget",
    )
    axes.plot(across[plain], up[plain], ls="", marker="o", ms=4, mfc="white", mec=SKY, mew=0.9, label="within the budget")
    axes.plot(across[front], up[front], ls="", marker="o", ms=4.5, color=BLUE, label="on the front")
    shown: set[str] = set()
    for words, policy, colour, mark in _marked(found):
        label = "reference" if (colour, mark) == REFERENCE else words
        axes.plot(
            across[policy],
            up[policy],
            ls="",
            marker=mark,
            ms=9,
            mfc=colour,
            mec="white",
            mew=0.8,
            zorder=5,
            label=None if label in shown else label,
        )
        shown.add(label)


def _crop(left: "Axes", right: "Axes", found: Found) -> None:
    """Bad mixes far away would press the rest together: the axes end where nine in ten mixes within the budget lie."""
    standing = found.standing
    harm = standing.harm[standing.within] if standing.within.any() else standing.harm
    marked = [policy for _, policy, _, _ in _marked(found)]
    highest = max(float(np.quantile(harm, 0.9)), float(standing.harm[marked].max()))
    lowest = min(float(standing.harm.min()), 0.0)
    room = 0.06 * (highest - lowest) or 1.0
    for set_limits in (left.set_ylim, right.set_xlim):
        set_limits(lowest - room, highest + room)
    beyond = int((standing.harm > highest + room).sum())
    if beyond:
        left.text(
            0.99, 0.985, f"{beyond} mixes lie above this edge", transform=left.transAxes, ha="right", va="top", fontsize=7.5, color=GREY
        )
    inside = (standing.within | np.isin(np.arange(len(standing.names)), marked)) & (standing.harm <= highest + room)
    regrets = standing.worst_regret[inside & standing.within] if (inside & standing.within).any() else standing.worst_regret
    right.set_ylim(0, float(regrets.max()) * 1.08 or 1.0)


def draw_again(found: Found, source: str) -> ReportChart:
    """Each policy looked at twice: hollow as the search saw it, filled on fresh luck and fresh assumptions."""
    title = "Looked at again: what the search saw, and what fresh luck and fresh assumptions say"
    rows = sorted(found.again, key=lambda row: row.fresh.value)
    height = 1.6 + 0.3 * len(rows)
    with mpl.rc_context(STYLE):
        figure = sheet(11, height, title, source)
        axes = figure.add_axes((0.3, 0.62 / height, 0.68, 1 - 1.5 / height))
        axes.axvline(0, color=BLACK, lw=0.8)
        for y, row in enumerate(rows):
            chosen = row.name not in found.search.references
            colour = REFERENCE[0] if not chosen else next((CHOSEN[role][0] for role in CHOSEN if role in row.roles), BLUE)
            if row.first is not None:
                axes.plot([row.first.value, row.fresh.value], [y, y], color="#bbbbbb", lw=1, zorder=1)
                axes.plot(row.first.value, y, marker="o", ms=6, mfc="white", mec=colour, ls="", zorder=3)
            axes.plot([row.fresh.low, row.fresh.high], [y, y], color=colour, lw=2, zorder=2)
            axes.plot(row.fresh.value, y, marker="o" if chosen else "D", ms=6, color=colour, ls="", zorder=4)
        axes.set_yticks(range(len(rows)), [f"{row.name}{': ' + ', '.join(row.roles) if row.roles else ''}" for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.grid(axis="y", visible=False)
        axes.set_title(_difference(found), pad=14)
        _small(axes, "hollow: in the search, by which it was chosen; filled: fresh, with its 95% interval; left of the line: less harm")
        value_axis(axes.xaxis, _unit(found), np.array([row.fresh.value for row in rows] + [1.0]), 7)
    unit = _unit(found)
    said = [
        f"{row.name} {amount(row.first.value if row.first else None, unit, None, signed=True)}, then "
        f"{amount(row.fresh.value, unit, None, signed=True)}"
        for row in rows
    ]
    return finished(figure, "looked-at-again", title, f"Difference in harm in the search, then fresh: {'; '.join(said)}.")


def draw_chosen_levers(found: Found, source: str) -> ReportChart:
    """Where each lever stands, on the range searched: the chosen mixes, the front, the baseline and the references."""
    title = "Where the levers stand"
    search, standing = found.search, found.standing
    register = register_of(Levers)
    height = 1.7 + 0.3 * len(search.dimensions)
    marks = [(search.baseline.name, found.problem.neutral, BLACK, "|")]
    marks += [(name, mean_levels(search, scenario), *REFERENCE) for name, scenario in list(search.references.items())[:1]]
    marks += [(role, mean_levels(search, scenario), *CHOSEN[role]) for role, scenario in found.scenarios.items()]
    with mpl.rc_context(STYLE):
        figure = sheet(11, height, title, source)
        axes = figure.add_axes((0.2, 0.62 / height, 0.74, 1 - 1.55 / height))
        for y, d in enumerate(search.dimensions):
            front = [standing.levels(int(k)) or {} for k in np.flatnonzero(standing.front)]
            at = np.array([levels[d.name] for levels in front if d.name in levels])
            look: dict[str, Any] = {"ls": "", "marker": "o", "ms": 9, "mfc": SKY, "mec": "none", "alpha": 0.3, "zorder": 1}
            axes.plot((at - d.low) / (d.high - d.low), np.full(len(at), y), label="on the front" if y == 0 else None, **look)
            for k, (words, levels, colour, mark) in enumerate(marks):
                share = (levels[d.name] - d.low) / (d.high - d.low)
                bar = mark == "|"
                place = y if bar else y + 0.16 * (k - (len(marks) - 1) / 2)
                look = {"ls": "", "marker": mark, "ms": 14 if bar else 6, "mew": 2 if bar else 0.5, "color": colour, "zorder": 3 + k}
                axes.plot(share, place, clip_on=False, label=words if y == 0 else None, **look)
        axes.set_yticks(range(len(search.dimensions)), [register[d.name].title for d in search.dimensions])
        axes.set_ylim(len(search.dimensions) - 0.4, -0.6)
        axes.set_xlim(-0.01, 1.01)
        axes.set_xticks([0, 0.5, 1], ["lowest searched", "middle", "highest searched"])
        _small(axes, "mean over the outcome window; a lever that a mix leaves alone stands where the baseline has it")
        axes.legend(
            frameon=False, fontsize=8.5, loc="lower left", bbox_to_anchor=(-0.02, 1.04), ncols=6, handletextpad=0.3, borderaxespad=0
        )
    said = [
        f"{words}: {', '.join(f'{register[d.name].title.lower()} {levels[d.name]:.3g}' for d in search.dimensions)}"
        for words, levels, _, _ in marks
    ]
    return finished(figure, "levers", title, f"{'; '.join(said)}.")


def draw_progress(found: Found, source: str) -> ReportChart:
    """Least harm within the budget after each trial, one line for each method."""
    title = "How soon each method found what it found"
    with mpl.rc_context(STYLE):
        figure = sheet(11, 3.9, title, source)
        axes = figure.add_axes((0.09, 0.17, 0.76, 0.64))
        axes.axhline(0, color=BLACK, lw=0.8)
        for k, row in enumerate(found.methods):
            x = np.arange(1, len(row.so_far) + 1)
            axes.plot(x, row.so_far, color=COLOURS[k], lw=1.8, ls=DASHES[k], drawstyle="steps-post")
            if np.isfinite(row.so_far[-1]):
                axes.plot(
                    x[-1], row.so_far[-1], marker=MARKERS[k], ms=6, color=COLOURS[k], ls="", label=row.method, clip_on=False, zorder=4
                )
        if any(np.isfinite(row.so_far[-1]) for row in found.methods):
            axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.01, 0.5))
        axes.set_title(f"least harm within the budget so far: {_difference(found)}, in the search", pad=14)
        _small(axes, "not what it is worth: the least of many is flattered (see the second look)")
        axes.set_xlabel("trials")
        best = np.concatenate([row.so_far[np.isfinite(row.so_far)] for row in found.methods] + [np.zeros(1)])
        axes.set_ylim(best.min() * 1.08 - 1e-9, max(float(-best.min()) * 0.5, 1e-9))
        value_axis(axes.yaxis, _unit(found), best)
    said = [f"{row.method} {amount(row.least_harm, _unit(found), None, signed=True)} after {row.trials} trials" for row in found.methods]
    return finished(figure, "methods", title, f"Least harm within the budget: {'; '.join(said)}.")
