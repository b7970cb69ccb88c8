"""Sections about policies: what each one does, and how robust a choice between them is."""

from typing import Any

import numpy as np

from cspsim.analysis.analysis import Analysis
from cspsim.analysis.effect_figures import draw_policy_effects, draw_robustness
from cspsim.analysis.robustness import OverLuck
from cspsim.analysis.section import AnalysisSection, difference_words, grid_of, range_words, share_words, source_line, verdict_words
from cspsim.basics.formats import amount
from cspsim.comparing.comparison import Finding
from cspsim.comparing.differences import range_over


def finding_rows(findings: list[Finding]) -> list[list[str]]:
    """Cells of a table of findings."""
    rows = []
    for f in findings:
        noise = f.half_width if np.isfinite(f.half_width) and f.half_width > 0 else None
        rows.append(
            [
                f.scenario,
                amount(f.baseline, f.unit, noise),
                difference_words(f.difference, f.unit, noise),
                range_words(f.ci_low, f.ci_high, f.unit, noise),
                range_words(f.assumptions_low, f.assumptions_high, f.unit),
                share_words(f.same_sign_share),
                verdict_words(f),
            ]
        )
    return rows


def effects_section(found: Analysis) -> AnalysisSection:
    """Each policy's effect on the outcome in question."""
    findings = [found.finding(name) for name in found.shown_names]
    sampled = {name: found.swept.sampled[policy] for name, policy in zip(found.shown_names, found.shown, strict=True)}
    columns = ["Policy", "Without it", "Difference", "95% interval", "Over assumption sets", "Same sign", "Verdict"]
    grid = grid_of(f"Effects on {found.outcome.title.lower()}", columns, finding_rows(findings), [f._asdict() for f in findings])
    where = "at the best guesses" if found.swept.best_guess else "on average over all assumption sets"
    if found.swept.luck_design:
        where = "on average over assumption sets and luck, from the independent rows of the design of luck"
    caution = [
        f"The interval says how well {findings[0].replicates:,} runs on the same luck pin the difference down {where}; more runs make it "
        "narrower, and that is not knowledge. The range over assumption sets says how far the answer moves with what nobody knows."
    ]
    shares = [f"{name} {share:.0%}" for name, share in found.luck_in_spread.items() if np.isfinite(share)]
    if shares:
        caution.append(f"Of the spread over assumption sets so much is luck left over, not assumptions: {', '.join(shares)}.")
    chart = draw_policy_effects(findings, sampled, found.outcome.better, source_line(found))
    frames = {
        "policies": policy_rows(found),
        "effects": [f._asdict() | {"luck_in_spread": found.luck_in_spread.get(f.scenario)} for f in found.findings],
    }
    return AnalysisSection("effects", "What each policy does", [], caution, [chart], [grid], frames)


def policy_rows(found: Analysis) -> list[dict[str, Any]]:
    """The effect of every policy, including those that are not described one by one."""
    swept, rows = found.swept, []
    for policy, name in enumerate(found.names):
        draws = swept.point(policy, swept.effects)
        draws = draws[~np.isnan(draws)]
        difference = float(draws.mean()) if len(draws) else np.nan
        error = float(draws.std(ddof=1)) / len(draws) ** 0.5 if len(draws) > 1 else np.nan
        about = {"policy": policy, "name": name, "against": found.names[int(swept.against[policy])], "outcome": found.outcome.name}
        figures = {"difference": difference, "standard_error": error, "replicates": len(draws)}
        over = range_over(swept.sampled[policy], difference)
        rows.append({**about, **figures, **{f"assumptions_{end}": value for end, value in over._asdict().items()}})
    return rows


def robustness_section(found: Analysis) -> AnalysisSection:
    """Regret and ranks, in words, a figure and a table."""
    robust = found.robust
    assert robust is not None
    names, unit = [found.names[policy] for policy in found.ranked], found.outcome.unit
    best, mean, worst = (
        int(np.argmax(robust.best_share.value)),
        *(int(np.argmin(f.value)) for f in (robust.mean_regret, robust.worst_regret)),
    )
    said = [
        f"{names[best]} is the best of {len(names)} policies (the baseline counted) in {_ranged(robust.best_share, best, 'share')} of "
        f"{robust.sets:,} assumption sets. {names[mean]} has the least mean regret, {_ranged(robust.mean_regret, mean, unit)}; "
        f"{names[worst]} has the least regret in its worst set, {_ranged(robust.worst_regret, worst, unit)}."
    ]
    if np.isfinite(robust.clear_share):
        said.append(f"In {robust.clear_share:.0%} of the sets the leader is ahead of every other policy beyond luck.")
    columns = ["Policy", "Best in", "Mean regret", "Nine sets of ten below", "Worst regret", "Worst gain on the baseline"]
    figures = (robust.best_share, robust.mean_regret, robust.high_regret, robust.worst_regret, robust.worst)
    units = ("share", unit, unit, unit, unit)
    cells = [[name, *(_ranged(figure, k, u) for figure, u in zip(figures, units, strict=True))] for k, name in enumerate(names)]
    titles = ("best_share", "mean_regret", "high_regret", "worst_regret", "worst_gain")
    plain = [
        {"policy": name, **{f"{t}{e}": float(getattr(f, p)[k]) for t, f in zip(titles, figures, strict=True) for e, p in _ENDS}}
        for k, name in enumerate(names)
    ]
    caution = [
        "Regret: how much better the best of these policies would have done in the same set. Brackets: 95% interval over luck. "
        "Noise flatters the best of noisy figures, so regret errs high. Sets are a sample of what nobody knows, not of what is likely."
    ]
    if len(names) < len(found.names):
        caution.append(
            f"Ranked are the baseline and {len(names) - 1} of {len(found.names) - 1} policies: those with names, then those with the best "
            "effect. Whoever is chosen for a good figure looks better than it is."
        )
    grid = grid_of("Robustness", columns, cells, plain)
    chart = draw_robustness(robust, names, unit, source_line(found))
    return AnalysisSection("robustness", "How robust the choice is", said, caution, [chart], [grid], {"robustness": plain})


_ENDS = (("", "value"), ("_low", "low"), ("_high", "high"))


def _ranged(figure: OverLuck, k: int, unit: str) -> str:
    value, low, high = (float(part[k]) for part in figure)
    if unit == "share":
        places = 1 if 0 < value < 0.02 else 0
        return f"{value:.{places}%}" + (f" ({low:.{places}%} to {high:.{places}%})" if np.isfinite(low) else "")
    if not (np.isfinite(low) and high > low):
        return amount(value, unit)
    return f"{amount(value, unit, (high - low) / 2)} ({range_words(low, high, unit)})"
