"""Sections about levers that were crossed, streams of luck, the cost of an answer, and all other outcomes."""

from typing import Any

import numpy as np

from cspsim.analysis.analysis import Analysis
from cspsim.analysis.boxes import factor_title
from cspsim.analysis.effect_figures import slug
from cspsim.analysis.factor_figures import contrast_in_words, draw_main_effects, draw_shares
from cspsim.analysis.factor_sections import MOST_NAMED, ends_of
from cspsim.analysis.main_effects import INTERACTION, MAIN
from cspsim.analysis.section import (
    AnalysisSection,
    difference_words,
    grid_of,
    p_words,
    range_words,
    share_of,
    source_line,
    verdict_words,
)
from cspsim.basics.formats import MISSING, amount, listed
from cspsim.running.outcomes import OUTCOMES


def levers_section(found: Analysis) -> AnalysisSection:
    """Main effects and interactions of levers that were fully crossed."""
    unit = found.outcome.unit
    shown = [one for one in found.lever_effects if one.kind in (MAIN, INTERACTION)]
    certain = [one for one in shown if one.p_holm < 0.05]
    words = [f"{contrast_in_words(one)}: {difference_words(one.effect, unit, (one.ci_high - one.ci_low) / 2)}" for one in certain[:6]]
    said = [
        f"Certain against the lowest level of the lever (Holm, 5%): {'; '.join(words)}."
        if words
        else "No main effect or interaction is certain (Holm, 5%)."
    ]
    if not any(one.kind == INTERACTION for one in certain):
        said.append("No two levers reinforce or weaken each other beyond doubt.")
    columns = ["Lever and level", "Effect", "95% interval", "Over assumption sets", "p, Holm"]
    cells = [
        [
            contrast_in_words(one),
            difference_words(one.effect, unit, (one.ci_high - one.ci_low) / 2),
            range_words(one.ci_low, one.ci_high, unit),
            range_words(one.assumptions_low, one.assumptions_high, unit),
            p_words(one.p_holm),
        ]
        for one in shown
    ]
    plain = [one._asdict() for one in found.lever_effects]
    chart = draw_main_effects(shown, unit, f"Main effects and interactions of levers on {found.outcome.title.lower()}", source_line(found))
    shares = [
        [factor_title(name) if " x " not in name else " x ".join(map(factor_title, name.split(" x "))), _share_words(values)]
        for name, values in found.lever_shares.items()
    ]
    grids = [grid_of("Effects against each lever's lowest level", columns, cells, plain)]
    grids += [grid_of("Share of the variance between these policies", ["Part", "Share (95% over luck)"], shares, [])] if shares else []
    caution = ["An interaction is how much more a lever does with the other one raised than with it at its lowest level."]
    frame_of_shares = [
        {"part": name, "share": float(v[0]), "low": float(v[1]), "high": float(v[2])} for name, v in found.lever_shares.items()
    ]
    return AnalysisSection(
        "levers",
        "What each lever does, and what they do together",
        said,
        caution,
        [chart],
        grids,
        {"levers": plain, "lever_shares": frame_of_shares},
    )


def _share_words(values: Any) -> str:
    value, low, high = (100 * float(part) for part in values)
    return f"{value:.0f}% ({low:.0f} to {high:.0f})" if np.isfinite(low) else f"{value:.0f}%"


# -------------------------------------------------------------------------------------------------------------------- luck


def luck_section(found: Analysis) -> AnalysisSection:
    """Which stream of luck matters, for the outcome and for each effect."""
    section = AnalysisSection("luck", "Which luck matters", [])
    for policy, shares in found.luck.items():
        title = (
            f"the effect of {policy} on {found.outcome.title.lower()}"
            if policy
            else f"{found.outcome.title.lower()} under {found.names[0]}"
        )
        order = np.argsort(-shares.total.value, kind="stable")
        top = listed([f"{factor_title(shares.names[k])} {share_of(shares.total, k)}" for k in order[:MOST_NAMED]])
        section.said.append(f"Of the variance of {title} between runs, most goes with {top} (total shares; {shares.rows:,} base samples).")
        bars = [("first", shares.first), ("total", shares.total)]
        section.charts.append(
            draw_shares((f"luck-{slug(policy or 'outcome')}", f"Which luck matters: {title}"), shares.names, bars, source_line(found))
        )
        cells = [[factor_title(shares.names[k]), share_of(shares.first, k), share_of(shares.total, k)] for k in order]
        plain = [
            {"of": policy or "outcome", "stream": shares.names[k], **ends_of("first", shares.first, k), **ends_of("total", shares.total, k)}
            for k in order
        ]
        section.grids.append(grid_of(f"Shares of luck: {title}", ["Stream", "First share", "Total share"], cells, plain))
        section.frames.setdefault("luck", []).extend(plain)
    section.caution.append(
        "Each stream of luck has its own replicate number; parameters is which assumption set a run has, where sets were sampled."
    )
    return section


# ---------------------------------------------------------------------------------------------------- cost, other outcomes


def cost_section(found: Analysis) -> AnalysisSection:
    """Replicates, and assumption sets, that an answer to this question needs."""
    said, cells, plain = [], [], []
    unit = found.outcome.unit
    for policy, cost in found.costs.items():
        plan = found.allocations.get(policy)
        sets = f"{plan.sets:,} sets x {plan.replicates:,}" if plan else MISSING
        cells.append(
            [
                policy,
                amount(cost.smallest, unit),
                f"{cost.replicates:,.0f}",
                f"{cost.replicates_low:,.0f} to {cost.replicates_high:,.0f}",
                f"{cost.gain:,.0f} times",
                sets,
            ]
        )
        plain.append({"policy": policy, **cost._asdict(), **({"sets": plan.sets, "replicates_per_set": plan.replicates} if plan else {})})
        said.append(
            f"{policy}: {cost.replicates:,.0f} replicates of each arm find a difference of {amount(cost.smallest, unit)} four "
            f"times in five; without shared luck it would take {cost.gain:,.0f} times as many."
        )
    columns = [
        "Policy",
        "Smallest difference",
        "Replicates needed",
        "95% interval",
        "Saved by shared luck",
        "For the mean over assumptions",
    ]
    caution = [
        "From this sweep as a pilot. The last column is the cheapest way to the same precision for the mean effect over assumption sets."
    ]
    return AnalysisSection(
        "cost", "What an answer costs", said, caution, [], [grid_of("Cost of an answer", columns, cells, plain)], {"cost": plain}
    )


def others_section(found: Analysis) -> AnalysisSection:
    """Every other stored outcome: exploratory looks, with Holm."""
    section = AnalysisSection(
        "others",
        "Other outcomes: exploratory",
        [],
        ["Many looks find something by luck: p-values are adjusted after Holm within each policy."],
    )
    for name in found.shown_names:
        rows = [f for f in found.findings if f.scenario == name and f.outcome != found.outcome.name]
        cells = [
            [
                OUTCOMES[f.outcome].title,
                difference_words(f.difference, f.unit, f.half_width),
                range_words(f.ci_low, f.ci_high, f.unit, f.half_width),
                range_words(f.assumptions_low, f.assumptions_high, f.unit),
                verdict_words(f),
                p_words(f.p_holm),
            ]
            for f in rows
        ]
        columns = ["Outcome", "Difference", "95% interval", "Over assumption sets", "Verdict", "p, Holm"]
        section.grids.append(grid_of(f"{name} against {found.against(name)}", columns, cells, [f._asdict() for f in rows]))
    return section
