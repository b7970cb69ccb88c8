"""An experiment file read: every fault at once, with its line and the nearest right name."""

import io
from collections.abc import Sequence
from pathlib import Path

from cspsim.basics.errors import CspsimError, ScenarioError, did_you_mean
from cspsim.basics.exports import check_unchanged
from cspsim.basics.limits import TABLE_FILE, Unreadable, read_file
from cspsim.model.luck import STREAMS
from cspsim.model.parameters import Levers
from cspsim.running.assumptions import uncertain_numbers
from cspsim.running.outcomes import MAIN, OUTCOMES
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.schema import register_of
from cspsim.sweep.experiment import BASELINE, Experiment, ExperimentData, ExperimentError, NamedPolicy, Varied, lever_changes
from cspsim.sweep.toml_file import FileReader, find_file


def load_experiment(name: str | Path, allow_rules: bool = False) -> Experiment:
    """Read an experiment from a path, or a shipped one by name. Raises ExperimentError with every fault, file and line.

    ``allow_rules``: the rules that it and its scenarios bring along may be run; reading runs nothing.
    """
    path = find_file(name, ExperimentError)
    reader = FileReader(path, ExperimentError)
    data = reader.read(ExperimentData)
    policies = _policies(data, reader, allow_rules)
    _check_against(data, reader)
    ranges = _lever_ranges(data, policies.get(BASELINE), reader)
    outcomes = _outcomes(data, policies.get(BASELINE), reader)
    given = _uncertainties(data, policies.get(BASELINE), reader)
    _luck(data, reader)
    reader.finish()
    against = {name: entry.against for name, entry in data.policies.items()}
    return Experiment(path.stem, path, data, policies, {BASELINE: BASELINE, **against}, ranges, outcomes, given)


def _policies(data: ExperimentData, reader: FileReader, allow_rules: bool) -> dict[str, Scenario]:
    found: dict[str, Scenario] = {}
    wanted = {BASELINE: NamedPolicy(scenario=data.baseline), **data.policies}
    if BASELINE in data.policies:
        reader.blame(("policies", BASELINE), "this name is taken by the experiment's own baseline", "choose another name")
    for name, entry in wanted.items():
        key = ("baseline",) if name == BASELINE else ("policies", name)
        try:
            scenario = load_scenario(entry.scenario or data.baseline, (reader.path.parent,), allow_rules=allow_rules)
            changes = {**data.everywhere, **entry.changes}
            beside = reader.path.parent
            found[name] = scenario.with_changes(changes, scenario.name, allow_rules, beside) if changes else scenario
        except ScenarioError as error:
            places = {dotted: ("everywhere", dotted) for dotted in data.everywhere} | {
                dotted: (*key, "changes", dotted) for dotted in entry.changes
            }
            reader.adopt(error, key, places)
    base = found.get(BASELINE)
    for name, scenario in found.items():
        if base is not None and list(scenario.data.partnerships) != list(base.data.partnerships):
            reader.blame(("policies", name), "other partnerships than the baseline's: their runs cannot be paired")
        elif base is not None and scenario.data.time != base.data.time:
            reader.blame(("policies", name), "another time span or outcome window than the baseline's: their runs cannot be paired")
    return found


def _check_against(data: ExperimentData, reader: FileReader) -> None:
    for name, entry in data.policies.items():
        if entry.against != BASELINE and entry.against not in data.policies:
            hint = did_you_mean(entry.against, [BASELINE, *data.policies])
            reader.blame(("policies", name, "against"), f'no policy is called "{entry.against}"', hint)
        elif entry.against == name:
            reader.blame(("policies", name, "against"), "a policy cannot be measured against itself", 'leave it out to use "baseline"')


def _lever_ranges(data: ExperimentData, baseline: Scenario | None, reader: FileReader) -> dict[str, Varied]:
    """Every varied lever with its range or values; both ends are tried on the baseline."""
    found = {}
    for name, varied in data.levers.vary.items():
        key = ("levers", "vary", name)
        lever, _, part = name.partition(".")
        if lever not in Levers._fields or part not in ("", "multiplier", "shift"):
            options = [f"{known}{end}" for known in Levers._fields for end in ("", ".multiplier", ".shift")]
            reader.blame(key, f'no lever is called "{name}"', did_you_mean(name, options))
            continue
        entry = register_of(Levers)[lever]
        low = varied.low if varied.low is not None else (entry.low if not part else None)
        high = varied.high if varied.high is not None else (entry.high if not part else None)
        if varied.values is None and (low is None or high is None):
            reader.blame(key, "lacks low and high, or values", "a lever's multiplier or shift has no range of its own")
            continue
        if not _fits_design(varied, data.levers.design, low, high, key, reader):
            continue
        for value in (low, high) if varied.values is None else sorted({min(varied.values), max(varied.values)}):
            _try_lever(name, float(value or 0), baseline, key, reader)
        found[name] = Varied(low=low, high=high, values=varied.values)
    if data.levers.design == "list" and len({len(varied.values or ()) for varied in found.values()}) > 1:
        reader.blame(("levers", "vary"), "lists of different lengths: the first values together are the first policy, and so on")
    return found


def _fits_design(varied: Varied, design: str, low: float | None, high: float | None, key: Sequence[str], reader: FileReader) -> bool:
    if varied.values is not None and design not in ("full-factorial", "list"):
        reader.blame((*key, "values"), f"values do not go with the design {design}", "give low and high")
    elif varied.values is None and design == "list":
        reader.blame(tuple(key), "lacks values", "a list names every value")
    elif varied.values is None and low is not None and high is not None and not low < high:
        reader.blame(tuple(key), f"low ({low:g}) is not below high ({high:g})")
    else:
        return True
    return False


def _try_lever(name: str, value: float, baseline: Scenario | None, key: Sequence[str], reader: FileReader) -> None:
    if baseline is None:
        return
    try:
        baseline.with_changes(lever_changes(name, value, baseline.data.time.first_month))
    except ScenarioError as error:
        for fault in error.faults:
            reader.blame(tuple(key), f"at {value:g}: {fault.message}", fault.hint)


def _outcomes(data: ExperimentData, baseline: Scenario | None, reader: FileReader) -> tuple[str, ...]:
    primary = data.primary_outcome or (baseline.data.primary_outcome if baseline else "cost_of_crime")
    groups = {"all": list(OUTCOMES), "main": list(MAIN)}
    for name in (primary, *data.outcomes):
        if name not in OUTCOMES and name not in groups:
            key = ("primary_outcome",) if name == primary else ("outcomes",)
            reader.blame(key, f'no outcome is called "{name}"', did_you_mean(name, [*OUTCOMES, *groups]))
    wanted = [primary, *(inner for name in data.outcomes for inner in groups.get(name, [name]))]
    return tuple(dict.fromkeys(wanted))


def _uncertainties(data: ExperimentData, baseline: Scenario | None, reader: FileReader) -> tuple[list[str], list[list[float]]] | None:
    """Checks the numbers that are varied; reads the file of assumption sets if one is named."""
    design = data.uncertainties
    known = {number.name for number in uncertain_numbers(baseline)} if baseline else set()
    for place, names in (("only", design.only or []), ("vary", list(design.vary))):
        for name in names:
            if baseline and name not in known and f"uncertainties.{name}" not in known:
                bare = [full.removeprefix("uncertainties.") for full in known]
                key = ("uncertainties", place) + ((name,) if place == "vary" else ())
                reader.blame(key, f'nothing uncertain is called "{name}"', did_you_mean(name, sorted(bare)))
    for name, varied in design.vary.items():
        key = ("uncertainties", "vary", name)
        if varied.values is not None:
            reader.blame((*key, "values"), "values do not go with a sample", "give low and high")
        elif (varied.low is None) != (varied.high is None):
            reader.blame(key, "give both low and high, or neither")
        elif varied.low is not None and varied.high is not None and not varied.low < varied.high:
            reader.blame(key, f"low ({varied.low:g}) is not below high ({varied.high:g})")
    if (design.from_file is None) != (design.design != "file"):
        reader.blame(("uncertainties", "from"), 'a file of assumption sets goes with design = "file"')
    if design.design != "file" or design.from_file is None or baseline is None:
        return None
    return read_sets(reader.path.parent / design.from_file, known, reader)


def read_sets(path: Path, known: set[str], reader: FileReader) -> tuple[list[str], list[list[float]]] | None:
    """Names and rows of a CSV file of assumption sets; faults go to ``reader``."""
    import pandas as pd

    key = ("uncertainties", "from")
    try:
        check_unchanged(path)
        frame = pd.read_csv(io.BytesIO(read_file(path, TABLE_FILE)))
    except Unreadable as error:
        reader.blame(key, f"{path} {error.why}")
        return None
    except ValueError as error:
        reader.blame(key, f"{path} cannot be read: {str(error).splitlines()[0]}")
        return None
    except CspsimError as error:
        reader.blame(key, str(error))
        return None
    frame = frame.drop(columns=[name for name in ("set", "weight") if name in frame])
    known = known | {name.removeprefix("uncertainties.") for name in known}
    for name in frame.columns:
        if name not in known:
            reader.blame(key, f'{path.name}: column "{name}": nothing uncertain has this name', did_you_mean(str(name), sorted(known)))
        elif not pd.api.types.is_numeric_dtype(frame[name]) or not frame[name].notna().all():
            reader.blame(key, f'{path.name}: column "{name}": expected numbers only')
    return [str(name) for name in frame.columns], frame.to_numpy(dtype=object).tolist()


def _luck(data: ExperimentData, reader: FileReader) -> None:
    luck = data.luck
    if luck.design == "saltelli" and luck.precision is not None:
        reader.blame(("luck", "precision"), "a precision does not go with a design of luck", "give base, the number of base samples")
    if luck.design == "saltelli" and data.uncertainties.design not in ("best-guess", "latin-hypercube"):
        reader.blame(
            ("luck", "design"), "assumption sets are one of the streams of this design", 'take [uncertainties] out, or only say "only"'
        )
    for name in luck.groups or []:
        if name not in STREAMS:
            reader.blame(("luck", "groups"), f'no stream of luck is called "{name}"', did_you_mean(name, STREAMS))
