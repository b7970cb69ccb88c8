"""A held-back year: forecast from what was known the month before it, and scored against naive forecasts.

What the model may know: posterior and months up to the year, dated paths of crime and of recording up to then and held after.
Every run is then told of the observed months by linear updating: what it would have recorded in the year, moved by how far
it was off before the year. Source: Craig, Goldstein, Rougier and Seheult 2001, JASA 96(454), 717-729.
"""

import dataclasses
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtr

from cspsim.calibration.calibrating import FORECASTS, WIDTH, Calibrated, Pool, Posterior, Progress, learn_numbers, scores_of, seed_of
from cspsim.calibration.calibration_file import YEAR, Calibration
from cspsim.calibration.monthly_runs import Prior, simulate_sets, with_paths_held
from cspsim.calibration.scores import crps, within
from cspsim.calibration.targets import observed_targets, simulated_targets
from cspsim.model.parameters import Floats
from cspsim.scenario.world_building import add_months

if TYPE_CHECKING:
    import pandas as pd

MODEL, UNCALIBRATED, UNTOLD = "model", "model before calibration", "model not told of recent months"
LAST_YEAR, SEASONAL_MEAN = "last year", "seasonal mean"
ALL_TYPES = "all types"


class Forecast(NamedTuple):
    """One year: its first month, what was observed, and a sample by the name of each way of forecasting.

    Axes: observed ``[partnership, crime type, month]``, a sample ``[member, partnership, crime type, month]``; the naive
    ways may have another number of members.
    """

    first: date
    observed: Floats
    samples: dict[str, Floats]


def forecast_years(calibrated: Calibrated, threads: int | None = None, progress: Progress = None) -> list[Forecast]:
    """The held-back year, then earlier ones, each from what was known before it."""
    found = []
    for k, first in enumerate(calibrated.calibration.held_back):
        known = as_of(calibrated.calibration, first)
        posterior = calibrated.posterior if k == 0 else _learned_by_then(calibrated, known, threads)
        found.append(_forecast(known, posterior, first, FORECASTS + k * WIDTH, threads, progress))
    return found


def as_of(calibration: Calibration, first: date) -> Calibration:
    """The calibration that somebody could have made in the month before ``first``, with one wave only."""
    fit = calibration.data.fit.model_copy(update={"to": f"{add_months(first, -1):%Y-%m}"})
    budget = calibration.data.budget.model_copy(update={"waves": 1})
    return dataclasses.replace(calibration, data=calibration.data.model_copy(update={"fit": fit, "budget": budget}))


def _learned_by_then(calibrated: Calibrated, known: Calibration, threads: int | None) -> Posterior:
    """From the first wave, whose runs have seen no data, and the months before the year."""
    pool = Pool(calibrated.pool.scores, simulated_targets(known, calibrated.simulated))
    return learn_numbers(known, pool, observed_targets(known), f"as of {known.window[1]}", threads=threads)


def _forecast(
    known: Calibration, posterior: Posterior, first: date, first_replicate: int, threads: int | None, progress: Progress
) -> Forecast:
    last, runs = add_months(first, YEAR - 1), known.data.budget.forecast_runs
    held = with_paths_held(known.scenario, known.window[1])
    prior = Prior(known)
    rows = np.random.default_rng(seed_of(known, "forecast", first)).integers(len(posterior.scores), size=runs)
    settings = {MODEL: posterior.scores[rows], UNCALIBRATED: scores_of(prior.quantiles(runs, seed_of(known, "uncalibrated", first)))}
    past = known.observed.between(*known.window)
    samples = {}
    for name, scores in settings.items():
        sets = prior.sets(np.asarray(ndtr(scores)), seed_of(known, "forecast others", first))
        recorded = simulate_sets(known, sets, first_replicate, held, last, threads, progress).recorded.astype(float)
        before, after = recorded[..., :-YEAR], recorded[..., -YEAR:]
        samples[name] = told_of(past, before, after)
        if name == MODEL:
            samples[UNTOLD] = after
    return Forecast(first, known.observed.between(first, last), {**samples, **_naive(past)})


def told_of(observed: Floats, before: Floats, after: Floats) -> Floats:
    """What simulated runs say of the year after, each moved by how far it was off from what was observed before.

    ``observed`` ``[partnership, crime type, month]``; ``before`` and ``after`` ``[run, partnership, crime type, month]``. Log crime
    of each month after is regressed, over runs, on log crime of the last 3 and 12 months and of the 12 before, in its own
    partnership and in the others together; each run moves along that regression by its own distance.
    """
    moved = np.empty_like(after)
    wanted, said = _recent(observed[None])[0], _recent(before)
    for p in range(after.shape[1]):
        for c in range(after.shape[2]):
            logs = np.log(after[:, p, c] + 0.5)
            own, others = said[:, p, c], np.delete(said[:, :, c], p, axis=1).mean(axis=1) if after.shape[1] > 1 else said[:, p, c, :0]
            wish_others = np.delete(wanted[:, c], p, axis=0).mean(axis=0) if after.shape[1] > 1 else wanted[p, c, :0]
            apart = np.concatenate([wanted[p, c], wish_others]) - np.column_stack([own, others])
            design = np.column_stack([np.ones(len(apart)), apart])
            slopes = np.linalg.lstsq(design, logs, rcond=None)[0][1:]
            moved[:, p, c] = np.maximum(np.exp(logs - apart @ slopes) - 0.5, 0)
    return moved


def _recent(recorded: Floats) -> Floats:
    """Log crime of the last 3 months, the last 12 and the 12 before ``[..., 3]``."""
    spans = (slice(-3, None), slice(-YEAR, None), slice(-2 * YEAR, -YEAR))
    return np.log(np.stack([recorded[..., span].sum(axis=-1) for span in spans], axis=-1) + 0.5)


def _naive(past: Floats) -> dict[str, Floats]:
    """Naive forecasts with the errors that they made before: as many members as there were past errors, and their mirror images.

    Last year: the same month a year ago. Seasonal mean: the mean of the same month over all years before.
    """
    years = past.reshape(*past.shape[:-1], -1, YEAR)
    logs = np.log(years + 0.5)
    found = {}
    for name, point, errors in (
        (LAST_YEAR, years[..., -1, :], logs[..., 1:, :] - logs[..., :-1, :]),
        (SEASONAL_MEAN, years.mean(axis=-2), logs[..., 1:, :] - np.log(_means_before(years) + 0.5)),
    ):
        members = np.moveaxis(errors.reshape(*errors.shape[:-2], -1), -1, 0)
        both = np.concatenate([members, -members])
        found[name] = np.maximum((point + 0.5) * np.exp(both)[..., None] - 0.5, 0)
    return found


def _means_before(years: Floats) -> Floats:
    """Mean of the same month over all years before each year but the first ``[..., year - 1, month]``."""
    counted = np.arange(1, years.shape[-2])[:, None]
    return np.cumsum(years, axis=-2)[..., :-1, :] / counted


def scored(calibration: Calibration, forecasts: list[Forecast]) -> "pd.DataFrame":
    """One row per year, way of forecasting, partnership, crime type (and all together) and month: observed, median, bands, CRPS."""
    import pandas as pd

    rows = []
    types = [ALL_TYPES, *calibration.observed.crime_types]
    for forecast in forecasts:
        truth = np.concatenate([forecast.observed.sum(axis=1, keepdims=True), forecast.observed], axis=1)
        naive = _naive(calibration.observed.between(calibration.window[0], add_months(forecast.first, -1)).sum(axis=1, keepdims=True))
        for name, sample in forecast.samples.items():
            total = naive[name] if name in naive else sample.sum(axis=2, keepdims=True)
            for part, values, about in ((types[:1], total, truth[:, :1]), (types[1:], sample, truth[:, 1:])):
                score = crps(values, about)
                inside = {f"in_{share:.0%}".replace("%", ""): within(values, about, share) for share in (0.5, 0.9)}
                low, middle, high = np.quantile(values, (0.05, 0.5, 0.95), axis=0)
                rows += [
                    {
                        "year": f"{forecast.first:%Y-%m}", "forecast": name, "partnership": place, "crime_type": kind,
                        "month": f"{add_months(forecast.first, m):%Y-%m}", "observed": about[p, c, m], "median": middle[p, c, m],
                        "p5": low[p, c, m], "p95": high[p, c, m], "crps": score[p, c, m],
                        **{key: bool(value[p, c, m]) for key, value in inside.items()},
                    }
                    for p, place in enumerate(calibration.observed.partnerships)
                    for c, kind in enumerate(part)
                    for m in range(YEAR)
                ]  # fmt: skip
    return pd.DataFrame(rows)


def mean_scores(scores: "pd.DataFrame") -> "pd.DataFrame":
    """Means over the months of each year: CRPS, absolute error of the median, share of months in the 50 and 90 % bands."""
    kept = scores.assign(error=(scores["observed"] - scores["median"]).abs())
    keys = ["year", "partnership", "crime_type", "forecast"]
    return kept.groupby(keys, sort=False)[["crps", "error", "in_50", "in_90"]].mean().reset_index()
