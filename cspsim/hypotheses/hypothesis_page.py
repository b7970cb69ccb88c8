"""Tested hypotheses as files: one self-contained page, figures, a table, results to read again."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cspsim.basics.exports import MANIFEST, as_json, results_folder, write_table, write_whole
from cspsim.hypotheses.false_positives import Rate
from cspsim.hypotheses.freezing import FileRecord
from cspsim.hypotheses.hypothesis_file import HypothesisFile
from cspsim.hypotheses.hypothesis_words import history_in_words, hypothesis_rows
from cspsim.hypotheses.judging import BUILT_IN, REFUTED, RULED_OUT, SUPPORTED, UNDECIDED
from cspsim.hypotheses.stored_hypotheses import RESULTS, results_text
from cspsim.hypotheses.testing import Judgement
from cspsim.reports.rendering import render
from cspsim.reports.summary import DISCLAIMER
from cspsim.running.same_code import versions
from cspsim.scenario.scenario_files import label_of

if TYPE_CHECKING:
    import pandas as pd

    from cspsim.reports.charts import ReportChart


class HypothesisAnswer(NamedTuple):
    """What was tested, what came out, and how it was run."""

    file: HypothesisFile
    tested: Judgement
    history: FileRecord
    seed: int
    work: str
    command: str


def hypothesis_settings(answer: HypothesisAnswer) -> dict[str, Any]:
    """What it takes to run this again."""
    data = answer.file.data
    design = {key: getattr(data, key) for key in ("significance", "replicates", "assumption_sets", "replicates_per_set")}
    return {
        "command": answer.command,
        "file": label_of(answer.file.path),
        "sha256": answer.history.present.sha256,
        "frozen": answer.history.present.date,
        "seed": answer.seed,
        **design,
        "versions": versions(),
    }


def hypotheses_headline(tested: Judgement) -> str:
    """How many hypotheses were supported, refuted or left undecided, in a sentence."""
    counted = Counter(finding.verdict for finding in tested.findings)
    parts = [f"{counted[word]} {word}" for word in (SUPPORTED, REFUTED, UNDECIDED)]
    rest = len(tested.findings) - sum(counted[word] for word in (SUPPORTED, REFUTED, UNDECIDED))
    parts += [f"{rest} not defined"] if rest else []
    labels = Counter(finding.shares.label for finding in tested.findings)
    built = f"{labels[BUILT_IN]} hold in 99% of assumption sets or more, {labels[RULED_OUT]} in 1% or fewer"
    counts = f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"Of {len(tested.findings)} hypotheses {counts}. {built}: how the model was built decides these, and they are no evidence."


def answer_as_json(answer: HypothesisAnswer) -> dict[str, Any]:
    """Everything for machines."""
    tested = answer.tested
    found = tested.false_positives
    return {
        "headline": hypotheses_headline(tested),
        "record": history_in_words(answer.history),
        "altered": bool(answer.history.alterations),
        "hypotheses": hypothesis_table(answer.file, tested).to_dict("records"),
        "null_worlds": [{**one._asdict(), "holds": one.holds} for one in tested.identities],
        "broken": tested.broken,
        "false_positives": [_rate(rate) for rate in found.rates] if found else [],
        "settings": hypothesis_settings(answer),
    }


def _rate(rate: Rate) -> dict[str, Any]:
    low, high = rate.interval
    return {**rate._asdict(), "rate": rate.rate, "low": low, "high": high, "compatible": rate.compatible}


def hypothesis_table(file: HypothesisFile, tested: Judgement) -> "pd.DataFrame":
    """One row for each hypothesis, plain numbers: what was claimed and what came out."""
    import pandas as pd

    rows = []
    for one, finding in zip(file.hypotheses, tested.findings, strict=True):
        said = {key: getattr(one.stated, key) for key in ("statement", "source", "strength", "pattern", "outcome", "direction")}
        plain = {key: value for key, value in finding._asdict().items() if key not in ("effect", "shares", "without_effect")}
        left = finding.without_effect
        rows.append(
            {
                **plain,
                **said,
                **dict(zip(("effect", "ci_low", "ci_high"), finding.effect, strict=True)),
                **{f"sets_{key}": value for key, value in finding.shares._asdict().items()},
                "label": finding.shares.label,
                **dict(zip(("without_effect", "without_low", "without_high"), left or (None,) * 3, strict=True)),
            }
        )
    return pd.DataFrame(rows)


def write_answer(answer: HypothesisAnswer, target: Path) -> None:
    """The whole results folder; all of it or nothing. Raises CspsimError."""
    from cspsim.hypotheses.hypothesis_figures import draw_hypotheses

    data = answer.file.data
    how = f"{label_of(answer.file.path)}, {data.replicates:,} runs of each arm, seed {answer.seed}"
    source = f"cspsim {versions()['cspsim']}: {how}. {DISCLAIMER}"
    with results_folder(target) as folder:
        charts = draw_hypotheses(answer.file, answer.tested, source)
        for chart in charts:
            write_whole(folder / f"{chart.name}.svg", chart.svg)
            write_whole(folder / f"{chart.name}.png", chart.png)
        write_table(folder, "hypotheses", hypothesis_table(answer.file, answer.tested))
        write_whole(folder / RESULTS, results_text(answer.tested, answer.work))
        write_whole(folder / MANIFEST, as_json(hypothesis_settings(answer)) + "\n")
        write_whole(folder / "report.html", page_of_hypotheses(answer, charts))


def page_of_hypotheses(answer: HypothesisAnswer, charts: "list[ReportChart]") -> str:
    """The report as one HTML page that loads nothing from anywhere. Escapes everything that comes from a file."""
    return render("hypotheses.html", **_content(answer, charts))


def _content(answer: HypothesisAnswer, charts: "list[ReportChart]") -> Mapping[str, Any]:
    """Everything the template shows, in words."""
    tested, data = answer.tested, answer.file.data
    found = tested.false_positives
    return {
        "title": data.title,
        "question": data.question,
        "context": data.context,
        "headline": hypotheses_headline(tested),
        "record": history_in_words(answer.history),
        "altered": bool(answer.history.alterations),
        "broken": tested.broken,
        "charts": charts,
        "rows": hypothesis_rows(answer.file, tested),
        "identities": tested.identities,
        "stated_nulls": sum(bool(finding.null) for finding in tested.findings),
        "stated_broken": [finding.name for finding in tested.findings if finding.null == "broken"],
        "rates": [rate_in_words(rate) for rate in found.rates] if found else [],
        "trials": found.trials if found else 0,
        "block": found.block if found else 0,
        "settings": hypothesis_settings(answer),
        "command": answer.command,
        "text": answer.file.text,
    }


def rate_in_words(rate: Rate) -> dict[str, Any]:
    """A rate of false positives in per cent."""
    low, high = rate.interval
    return {
        "name": rate.name,
        "meaning": rate.meaning,
        "rate": f"{100 * rate.rate:.1f}%",
        "interval": f"{100 * low:.1f} to {100 * high:.1f}%",
        "nominal": f"{'at most ' if rate.at_most else ''}{100 * rate.nominal:g}%",
        "compatible": rate.compatible,
    }
