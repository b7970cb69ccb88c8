"""The posterior as assumption sets that scenarios and sweeps can use: a CSV file, one row per set, dotted names as columns.

Rows are equally likely and belong together: numbers learned from one target depend on each other, and only whole rows keep that.
"""

import csv
import io
import math
from collections import Counter
from pathlib import Path
from typing import Literal

import numpy as np

from cspsim.basics.errors import Fault, FileError, did_you_mean
from cspsim.basics.exports import check_unchanged
from cspsim.basics.limits import FAULTS, TABLE_FILE, Unreadable, read_file
from cspsim.calibration.calibrating import Posterior
from cspsim.model.parameters import Floats
from cspsim.running.assumptions import AssumptionSets, sample_assumptions, uncertain_numbers
from cspsim.scenario.scenario import Scenario
from cspsim.scenario.scenario_files import label_of


class PosteriorError(FileError):
    """A file of assumption sets cannot be used."""

    kind = "file of assumption sets"


def posterior_text(posterior: Posterior) -> str:
    """The sets as the text of a CSV file, seven significant figures."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(posterior.names)
    table.writerows([f"{value:.7g}" for value in row] for row in posterior.values)
    return out.getvalue()


def load_posterior(
    path: Path | str, scenario: Scenario, sets: int | None = None, seed: int = 1, others: Literal["sampled", "best-guess"] = "sampled"
) -> AssumptionSets:
    """Assumption sets of a file laid over a scenario, to be used like those of ``sample_assumptions``.

    ``sets``: how many rows are drawn, each as often as any other; all of them, in their order, if None. Rows depend on the file,
    ``sets`` and ``seed`` only, so that the arms of a comparison share them. ``others``: what the file does not name is sampled as
    ever, or left at its best guess. Raises PosteriorError with every fault and line; ValueError for ``sets`` below 1;
    CspsimError for a file that was changed in the folder in which a calibration wrote it.
    """
    if sets is not None and sets < 1:
        raise ValueError(f"assumption sets are {sets}: expected 1 or more")
    check_unchanged(Path(path))
    numbers = uncertain_numbers(scenario)
    at = {number.name: k for k, number in enumerate(numbers)}
    names, rows = _read(Path(path), at)
    chosen = rows if sets is None else rows[_drawn(len(rows), sets, seed)]
    if others == "sampled":
        values = sample_assumptions(scenario, len(chosen), seed).values
    else:
        values = np.tile([number.value for number in numbers], (len(chosen), 1))
    values[:, [at[name] for name in names]] = chosen
    return AssumptionSets(scenario, numbers, values)


def _drawn(rows: int, sets: int, seed: int) -> "np.ndarray":
    """Row numbers in random order, none twice before each was there once."""
    generator = np.random.default_rng([seed, rows])
    rounds = [generator.permutation(rows) for _ in range(math.ceil(sets / rows))]
    return np.concatenate(rounds)[:sets]


def _read(path: Path, known: dict[str, int]) -> tuple[list[str], Floats]:
    label = label_of(path)
    try:
        lines = read_file(path, TABLE_FILE).decode("utf-8-sig").splitlines()
    except Unreadable as error:
        raise PosteriorError([Fault(label, None, "", error.why)], path.stem) from None
    except UnicodeDecodeError:
        raise PosteriorError([Fault(label, None, "", "is not UTF-8 text", "save it as CSV UTF-8")], path.stem) from None
    table = csv.reader(lines)
    names = [name.strip() for name in next(table, [])]
    strange = "nothing uncertain has this name in the scenario"
    unknown = [name for name in names if name not in known][:FAULTS]
    faults = [Fault(label, 1, name, strange, did_you_mean(name, known)) for name in unknown]
    faults += [Fault(label, 1, name, "stands twice") for name, count in Counter(names).items() if count > 1]
    rows = []
    for cells in table:
        try:
            row = [float(cell) for cell in cells]
            if len(row) != len(names) or not np.isfinite(row).all():
                raise ValueError
            rows.append(row)
        except ValueError:
            faults.append(Fault(label, table.line_num, "", f"expected {len(names)} numbers separated by commas"))
            if len(faults) > FAULTS:
                break
    if not rows and not faults:
        faults.append(Fault(label, None, "", "holds no sets", "one row per set below a header of dotted names"))
    if faults:
        raise PosteriorError(faults, path.stem)
    return names, np.array(rows)
