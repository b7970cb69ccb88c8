"""The section about factors: what drives the outcome and the effects, in a Sobol, a Morris or a sampled design."""

import numpy as np

from cspsim.analysis.analysis import Analysis
from cspsim.analysis.boxes import factor_title
from cspsim.analysis.effect_figures import slug
from cspsim.analysis.factor_figures import draw_morris, draw_shares
from cspsim.analysis.morris import MorrisMeasures
from cspsim.analysis.noise import Estimate
from cspsim.analysis.regression import Regression
from cspsim.analysis.section import AnalysisSection, difference_words, grid_of, range_words, share_of, share_words, source_line
from cspsim.analysis.sensitivity import SobolIndices
from cspsim.analysis.swept import EFFECT, Subject
from cspsim.basics.formats import amount, listed
from cspsim.running.outcomes import OUTCOMES

MOST_NAMED, MOST_ROWS = 3, 12


def asked_in_words(asked: Subject) -> str:
    """What an analysis of factors is about: ``the effect of half-grant on cost of crime``."""
    outcome = OUTCOMES[asked.outcome].title.lower()
    if not asked.policy:
        return f"the effect of the levers on {outcome}"
    return f"the effect of {asked.policy} on {outcome}" if asked.of == EFFECT else f"{outcome} under {asked.policy}"


def drivers_section(found: Analysis) -> AnalysisSection:
    """Sobol indices, Morris measures or a regression: which factors move the outcome and the effects."""
    section = AnalysisSection("drivers", "What drives the answer", [])
    for asked, sobol in found.sobol.items():
        _add_sobol(section, asked, sobol, source_line(found))
    for asked, morris in found.morris.items():
        _add_morris(section, asked, morris, found)
    for asked, regression in found.regressions.items():
        _add_regression(section, asked, regression, found.outcome.unit)
    if found.sobol:
        section.caution.append(
            "First: what a factor moves by itself. Total: that and all its interplay with others. Luck is taken out; "
            "the interval holds the error of the design and of the seeds. Estimates below 0 are sampling error and are left as they are."
        )
    if found.morris:
        section.caution.append("Morris screening ranks assumptions cheaply; it gives no shares of variance.")
    return section


def _add_sobol(section: AnalysisSection, asked: Subject, sobol: SobolIndices, line: str) -> None:
    words = asked_in_words(asked)
    order = np.argsort(-sobol.total.value, kind="stable")
    top = listed([f"{factor_title(sobol.names[k])} {share_of(sobol.total, k)}" for k in order[:MOST_NAMED]])
    luck = float(sobol.luck.value[0])
    said = f"Of the variance of {words} between assumption sets, most goes with {top} (total indices). "
    said += f"What each does alone adds up to {share_of(sobol.sums, 0)}; the rest is interplay."
    section.said.append(said + (f" Of the variance of single runs {share_of(sobol.luck, 0)} is luck." if np.isfinite(luck) else ""))
    title = f"Sobol indices: {words}"
    section.charts.append(
        draw_shares((f"sobol-{slug(asked.policy or 'levers')}", title), sobol.names, [("first", sobol.first), ("total", sobol.total)], line)
    )
    columns = ["Factor", "First", "Total", "Design error of the total", "Seed error of the total"]
    cells, plain = [], []
    for k in order:
        errors = [float(sobol.total.design_error[k]), float(sobol.total.seed_error[k])]
        cells.append(
            [factor_title(sobol.names[k]), share_of(sobol.first, k), share_of(sobol.total, k), *(share_words(error) for error in errors)]
        )
        plain.append({**asked._asdict(), "factor": sobol.names[k], **ends_of("first", sobol.first, k), **ends_of("total", sobol.total, k)})
    left = f"; {sobol.left_out} left out" if sobol.left_out else ""
    section.grids.append(
        grid_of(f"{title} ({sobol.rows:,} base samples, {sobol.replicates} replicates{left})", columns, cells[:MOST_ROWS], plain)
    )
    section.frames.setdefault("sobol", []).extend(plain)


def ends_of(name: str, estimate: Estimate, k: int) -> dict[str, float]:
    """One estimate with its interval and both errors, as cells of a table to download."""
    fields = ("value", "low", "high", "design_error", "seed_error")
    return {name if field == "value" else f"{name}_{field}": float(getattr(estimate, field)[k]) for field in fields}


def _add_morris(section: AnalysisSection, asked: Subject, morris: MorrisMeasures, found: Analysis) -> None:
    words, unit = asked_in_words(asked), found.outcome.unit
    order = np.argsort(-morris.mu_star.value, kind="stable")
    top = listed([f"{factor_title(morris.names[k])} ({amount(float(morris.mu_star.value[k]), unit)})" for k in order[:MOST_NAMED]])
    section.said.append(f"Over its whole range, what moves {words} most is {top} (mean size of elementary effects, Morris).")
    title = f"Morris screening: {words}"
    section.charts.append(draw_morris((f"morris-{slug(asked.policy or 'levers')}", title), morris, unit, source_line(found)))
    cells, plain = [], []
    for k in order:
        star = morris.mu_star
        half = float(star.high[k] - star.low[k]) / 2
        cells.append(
            [
                factor_title(morris.names[k]),
                amount(float(star.value[k]), unit, half),
                range_words(float(star.low[k]), float(star.high[k]), unit),
                difference_words(float(morris.mu.value[k]), unit, half),
                amount(float(morris.sigma[k]), unit, half),
            ]
        )
        plain.append(
            {
                **asked._asdict(),
                "factor": morris.names[k],
                "mu": float(morris.mu.value[k]),
                **ends_of("mu_star", star, k),
                "sigma": float(morris.sigma[k]),
            }
        )
    columns = ["Factor", "Mean size", "95% interval", "Mean effect", "Spread"]
    section.grids.append(
        grid_of(f"{title} ({morris.trajectories} trajectories, {morris.replicates} replicates)", columns, cells[:MOST_ROWS], plain)
    )
    section.frames.setdefault("morris", []).extend(plain)


def _add_regression(section: AnalysisSection, asked: Subject, found: Regression, unit: str) -> None:
    words = asked_in_words(asked)
    value, low, high = found.coefficients[:3]
    certain = (low > 0) | (high < 0)
    order = [int(k) for k in np.argsort(-np.abs(value), kind="stable")]
    top = [f"{_term(found.terms[k])} ({difference_words(float(value[k]), unit, float(high[k] - low[k]) / 2)})" for k in order if certain[k]]
    fit = f"A regression explains {share_words(max(found.held_out, 0.0))} of the variance of {words} at points it has not seen"
    if found.held_out <= 0:
        section.said.append(f"{fit}: its coefficients are not worth reading. More points or fewer factors would help.")
    else:
        named = f"; one standard deviation up moves it by: {listed(top[:MOST_NAMED])}" if top else "; no single factor is certain"
        section.said.append(f"{fit}{named}.")
        columns = ["Factor", "Change for one standard deviation", "95% interval"]
        cells = [
            [
                _term(found.terms[k]),
                difference_words(float(value[k]), unit, float(high[k] - low[k]) / 2),
                range_words(float(low[k]), float(high[k]), unit),
            ]
            for k in order[:MOST_ROWS]
        ]
        section.grids.append(grid_of(f"Regression: {words} ({found.points:,} points)", columns, cells, []))
    plain = [
        {**asked._asdict(), "factor": found.terms[k][0], "other_factor": found.terms[k][1], **ends_of("coefficient", found.coefficients, k),
         "held_out": found.held_out}
        for k in order
    ]  # fmt: skip
    section.frames.setdefault("regression", []).extend(plain)


def _term(term: tuple[str, str]) -> str:
    return " x ".join(factor_title(name) for name in term if name)
