"""What a calibration found, as tables and sentences: the same on the screen, on the page and in files."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cspsim.calibration.calibrating import CUTOFF, LEARNED, Calibrated
from cspsim.calibration.forecasts import ALL_TYPES, LAST_YEAR, MODEL, SEASONAL_MEAN, Forecast, mean_scores, scored
from cspsim.calibration.monthly_runs import Prior
from cspsim.calibration.recovery import Recovery
from cspsim.scenario.world_building import add_months

if TYPE_CHECKING:
    import pandas as pd

EDGES = (0.05, 0.25, 0.5, 0.75, 0.95)
FEW = 0.1
"""Mean shrinkage over synthetic data sets below which a number counts as not learnable."""


class Findings(NamedTuple):
    """Everything there is to report; ``recovery`` and ``scores`` are None where they were not asked for."""

    calibrated: Calibrated
    forecasts: list[Forecast]
    learned: "pd.DataFrame"
    targets: "pd.DataFrame"
    scores: "pd.DataFrame | None"
    recovery: Recovery | None
    recovered: "pd.DataFrame | None"


def calibration_findings(calibrated: Calibrated, forecasts: list[Forecast], recovery: Recovery | None) -> Findings:
    """All tables of a calibration."""
    recovered = recovery_table(recovery) if recovery else None
    scores = scored(calibrated.calibration, forecasts) if forecasts else None
    return Findings(calibrated, forecasts, learned_table(calibrated, recovered), targets_table(calibrated), scores, recovery, recovered)


def learned_table(calibrated: Calibrated, recovered: "pd.DataFrame | None" = None) -> "pd.DataFrame":
    """One row per sought number: best guess, range, prior and posterior quantiles, shrinkage of its variance, verdict."""
    import pandas as pd

    prior, posterior = Prior(calibrated.calibration), calibrated.posterior
    before = prior.values(np.tile(np.array(EDGES)[:, None], len(prior.sought)))
    after = np.quantile(posterior.values, EDGES, axis=0)
    shrinkage = posterior.shrinkage
    table = pd.DataFrame(
        {
            "number": posterior.names,
            "best_guess": [number.value for number in prior.sought],
            "low": [number.low for number in prior.sought],
            "high": [number.high for number in prior.sought],
            **{f"prior_p{edge * 100:g}": before[k] for k, edge in enumerate(EDGES)},
            **{f"posterior_p{edge * 100:g}": after[k] for k, edge in enumerate(EDGES)},
            "shrinkage": shrinkage,
        }
    )
    usual = table["number"].map(dict(zip(recovered["number"], recovered["shrinkage"], strict=True))) if recovered is not None else shrinkage
    table["verdict"] = [_verdict(own, mean, recovered is not None) for own, mean in zip(shrinkage, usual, strict=True)]
    return table


def _verdict(shrinkage: float, usual: float, checked: bool) -> str:
    """A number counts as learned where it narrowed here and, if that was tried, narrows in made-up data too."""
    if checked and usual < FEW:
        return "not learnable"
    return "learned" if shrinkage >= LEARNED else "not narrowed"


def targets_table(calibrated: Calibrated) -> "pd.DataFrame":
    """One row per target: observed, what the prior and the posterior lead to, and by how much the posterior still misses it."""
    import pandas as pd

    value = np.array([target.value for target in calibrated.targets])
    tolerance = np.array([target.tolerance for target in calibrated.targets])
    before, after = (np.quantile(runs, EDGES, axis=0) for runs in (calibrated.pool.targets, calibrated.met))
    missed = np.abs(value - calibrated.met.mean(axis=0)) / np.sqrt(calibrated.met.var(axis=0) + tolerance**2)
    return pd.DataFrame(
        {
            "target": [target.name for target in calibrated.targets],
            "title": [target.title for target in calibrated.targets],
            "observed": value,
            "tolerance": tolerance,
            **{f"prior_p{edge * 100:g}": before[k] for k, edge in enumerate(EDGES)},
            **{f"posterior_p{edge * 100:g}": after[k] for k, edge in enumerate(EDGES)},
            "missed_by": missed,
            "source": [target.source for target in calibrated.targets],
        }
    )


def recovery_table(recovery: Recovery) -> "pd.DataFrame":
    """One row per sought number: how often its intervals held what was planted, mean shrinkage, correlation with what was planted."""
    import pandas as pd

    sets = len(recovery.planted)
    together = [float(np.corrcoef(recovery.planted[:, k], recovery.median[:, k])[0, 1]) for k in range(len(recovery.names))]
    return pd.DataFrame(
        {
            "number": recovery.names,
            "data_sets": sets,
            "in_90": recovery.covered(0.9).sum(axis=0).astype(int),
            "in_50": recovery.covered(0.5).sum(axis=0).astype(int),
            "mean_rank": recovery.ranks.mean(axis=0),
            "shrinkage": recovery.shrinkage.mean(axis=0),
            "correlation": together,
        }
    )


def expected_counts(trials: int, share: float) -> tuple[int, int]:
    """Least and most of ``trials`` that hold their value nineteen times of twenty if intervals are as wide as they say."""
    from scipy.stats import binom

    low, high = binom.interval(0.95, trials, share)
    return int(low), int(high)


def calibration_sentences(findings: Findings) -> list[str]:
    """The answer in words: what was learned, what was not, what is missed, how recovery and forecasts came out."""
    said = [_learned_words(findings)]
    missed = findings.targets[findings.targets["missed_by"] > CUTOFF]
    if len(missed):
        said.append(f"Missed by more than {CUTOFF:g} standard deviations even so: {', '.join(missed['title'])}.")
    if findings.recovery is not None:
        said.append(_recovery_words(findings.recovery))
    if findings.scores is not None:
        said += _forecast_words(findings)
    return said


def _learned_words(findings: Findings) -> str:
    table = findings.learned
    learned = table[table["verdict"] == "learned"]
    told = [
        f"{short_name(row.number)} {row.posterior_p50:.3g} ({row.posterior_p5:.3g} to {row.posterior_p95:.3g})"
        for row in learned.itertuples()
    ]
    left = len(table) - len(learned)
    words = f"Learned, with nine-tenths intervals: {'; '.join(told)}." if told else "Nothing was learned."
    rest = f" The other {left} of {len(table)} numbers are hardly narrower than before." if left else ""
    return f"{words}{rest}"


def short_name(name: object) -> str:
    """A dotted name without the section that says nothing more."""
    return str(name).removeprefix("uncertainties.").removeprefix("crime_types.")


def _recovery_words(recovery: Recovery) -> str:
    (wide, error), (narrow, narrow_error) = recovery.coverage(0.9), recovery.coverage(0.5)
    return (
        f"Of the numbers planted in {len(recovery.planted)} made-up data sets, {wide:.0%} (standard error {error:.1%}) lay in their 90% "
        f"intervals and {narrow:.0%} (standard error {narrow_error:.1%}) in their 50% intervals."
    )


def totals_of(findings: Findings) -> "pd.DataFrame":
    """Mean scores of all crime types together by year, partnership and way of forecasting."""
    assert findings.scores is not None
    summary = mean_scores(findings.scores)
    return summary[summary["crime_type"] == ALL_TYPES]


def _forecast_words(findings: Findings) -> list[str]:
    total = totals_of(findings)
    held = findings.forecasts[0].first
    said = []
    titles = findings.calibrated.calibration.scenario.data.partnerships
    for place in findings.calibrated.calibration.observed.partnerships:
        rows = total[(total["year"] == f"{held:%Y-%m}") & (total["partnership"] == place)].set_index("forecast")
        score = rows["crps"]
        naive = min((LAST_YEAR, SEASONAL_MEAN), key=lambda name: score[name])
        word = "beats" if score[MODEL] < score[naive] else "loses to"
        said.append(
            f"In the held-back year to {add_months(held, 11):%B %Y} the model {word} the better naive forecast in {titles[place].title} "
            f"(CRPS {score[MODEL]:.0f} against {score[naive]:.0f} crimes a month, {naive}); "
            f"its 90% band held {float(rows['in_90'][MODEL]):.0%} of the months."
        )
    assert findings.scores is not None
    alone = findings.scores[(findings.scores["forecast"] == MODEL) & (findings.scores["crime_type"] != ALL_TYPES)]
    apart = float(alone[alone["year"] == f"{held:%Y-%m}"]["in_90"].mean())
    said.append(f"Taken by single crime types, its 90% bands held {apart:.0%} of that year's months.")
    mean = total.groupby("forecast", sort=False)[["crps", "in_50", "in_90"]].mean()
    if len(findings.forecasts) > 1:
        ranked = ", ".join(f"{name!s} {value:.1f}" for name, value in mean["crps"].sort_values().items())
        half, most = (float(mean[column][MODEL]) for column in ("in_50", "in_90"))
        bands = f"the model's 50 and 90% bands held {half:.0%} and {most:.0%} of the months"
        said.append(f"Over {len(findings.forecasts)} years, each forecast from what was known before it, CRPS is {ranked}; {bands}.")
    return said
