"""Whatever is wrong with a scenario file is said with its file, its line and the nearest right name."""

import pickle
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as some
from worlds import tiny_world, write_tiny_world

from cspsim.basics.errors import CspsimError, Fault, ScenarioError
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.toml_lines import write_toml

Faults = Callable[..., list[Fault]]
_QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    """The faults of child.toml, which extends the tiny world, written with two lines before the given text."""
    write_tiny_world(tmp_path)

    def found(text: str, **others: str) -> list[Fault]:
        for name, content in {**others, "child": f'extends = "tiny"\n\n{text}\n'}.items():
            (tmp_path / f"{name}.toml").write_text(content, encoding="utf-8")
        with pytest.raises(ScenarioError) as caught:
            load_scenario(tmp_path / "child.toml")
        assert str(caught.value).count("\n") == len(caught.value.faults)
        return caught.value.faults

    return found


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    return load_scenario(write_tiny_world(tmp_path_factory.mktemp("worlds")))


# (text of the child from line 3 on, line, dotted key, words of the message, words of the hint)
_CASES = [
    ("[interventions.cctv]\nefect = 0.1", 4, "interventions.cctv.efect", "unknown key", 'did you mean "interventions.cctv.effect"?'),
    ("[interventons.cctv]\neffect = 0.1", 3, "interventons", "unknown key", 'did you mean "interventions"?'),
    ("[interventions.cctvv]\neffect = 0.1", 3, "interventions.cctvv", "lacks title, lead", 'did you mean "interventions.cctv"?'),
    ("[levers]\ngrnt.multiplier = 0.5", 4, "levers.grnt", "unknown lever", 'did you mean "grant"?'),
    ("[uncertainties]\nharmnoy = 1", 4, "uncertainties.harmnoy", "unknown uncertainty", 'did you mean "harmony"?'),
    ("[switches]\nchalenge = true", 4, "switches.chalenge", "unknown switch", 'did you mean "challenge"?'),
    ("[levers]\ngrant = 0.5", 4, "levers.grant", "expected a table, found the number 0.5", 'did you mean "levers.grant.multiplier"?'),
    ("[levers.grant]\npath.2011-04 = 3.5", 4, "levers.grant.path.2011-04", "3.5 is out of range: expected 0 to 3 (times)", ""),
    ("[levers.grant]\nmultiplier = 4", 4, "levers.grant.multiplier", "gives 4, expected 0 to 3", ""),
    ("[levers.audit]\nshift = 0.95", 4, "levers.audit.shift", "gives 1.05, expected 0 to 1", ""),
    ('[levers.grant]\nunit = "share"', 4, "levers.grant.unit", "expected 'times'", ""),
    ("[levers.grant]\npath.2014-04 = 1", 4, "levers.grant.path.2014-04", "date out of range", ""),
    ("[levers.grant]\npath.1979-04 = 1", 4, "levers.grant.path.1979-04", "date out of range", ""),
    ("[levers.grant]\npath.2011-13 = 1", 4, "levers.grant.path.2011-13", "is not a month", ""),
    ("[levers.grant]\npath.2011-4 = 1", 4, "levers.grant.path.2011-4", "is not a month", ""),
    ('[levers.grant]\nshape = "smooth"', 4, "levers.grant.shape", "'step' or 'linear'", ""),
    ("[levers.grant]\npath.2011-04 = nan", 4, "levers.grant.path.2011-04", "expected a finite number", ""),
    ('[levers.grant]\nreplace = "yes"', 4, "levers.grant.replace", "expected true or false", ""),
    ('[switches]\nchallenge = "off"', 4, "switches.challenge", "expected true or false", ""),
    ("[uncertainties]\nharmony = 40", 4, "uncertainties.harmony", "out of range", ""),
    ('[uncertainties]\nharmony = { value = 1, unit = "share" }', 4, "uncertainties.harmony.unit", "wrong unit", ""),
    ("[authorities.police]\ncommitment = 1.5", 4, "authorities.police.commitment", "value 1.5 is out of range: expected 0 to 1", ""),
    ("[authorities.police]\nhours = -1", 4, "authorities.police.hours", "expected 0 or more (hours a year)", ""),
    ('[area]\npopulation = { value = 5, unit = "people" }', 4, "area.population.unit", "wrong unit 'people': expected 'persons'", ""),
    ('[area]\npopulation = "many"', 4, "area.population", "wrong type", ""),
    ('[area]\npopulation = { value = "3" }', 4, "area.population", "expected a number, found the text", ""),
    ("[area]\npopulation = true", 4, "area.population", "found true", ""),
    ("[area]\npopulation = { value = 5, low = 9, high = 8 }", 4, "area.population", "low (9) is above high (8)", ""),
    ("[area]\npartnerships = 1", 4, "area.partnerships", "2 partnerships are simulated", ""),
    ("[area]\npartnerships = 5.5", 4, "area.partnerships", "expected a whole number", ""),
    ("[commissioner.priorities]\nburglery = 0.5", 4, "commissioner.priorities.burglery", "unknown crime type", 'did you mean "burglary"?'),
    ("[authorities.police.remit]\narson = 0.5", 4, "authorities.police.remit.arson", "unknown crime type", "known here: burglary"),
    ("[partnerships.inner.recorded]\nviolnce = 5", 4, "partnerships.inner.recorded.violnce", "unknown crime type", "violence"),
    ("[partnerships.inner.neighbours]\nouterr = 0.1", 4, "partnerships.inner.neighbours.outerr", "unknown partnership", "outer"),
    ("[partnerships.inner.neighbours]\ninner = 0.1", 4, "partnerships.inner.neighbours.inner", "not its own neighbour", ""),
    ('[partnerships.inner]\nauthorities = ["polic"]', 4, "partnerships.inner.authorities", 'unknown authority "polic"', "police"),
    ("[interventions.cctv.profile]\nburglaries = 1", 4, "interventions.cctv.profile.burglaries", "unknown crime type", "burglary"),
    ("[interventions.cctv.reporting]\nviolense = 0.1", 4, "interventions.cctv.reporting.violense", "unknown crime type", "violence"),
    ('[interventions.cctv]\nlead = "co-ordinator"', 4, "interventions.cctv.lead", "no authority holds it", 'did you mean "coordinator"?'),
    ('[interventions.cctv]\nneeds = ["housing"]', 4, "interventions.cctv.needs", "unknown role", "known here: enforcement, police"),
    ('[events.health_change]\nauthority = "heath"', 4, "events.health_change.authority", "unknown authority", "health"),
    ('[events.health_change]\nkind = "merger"\ninto = "health"', 5, "events.health_change.into", "cannot merge into itself", ""),
    ('[events.health_change]\nkind = "merger"', 3, "events.health_change", "names the authority it goes into", ""),
    ('[events.health_change]\nmonth = "2020-01"', 4, "events.health_change.month", "date out of range", ""),
    ('[authorities.health]\nroles = ["health_data", "coordinator"]', 4, "authorities.health.roles", "holds coordinator at", "from/until"),
    ('[authorities.health]\nfrom = "2012-04"\nuntil = "2012-04"', 5, "authorities.health.until", "is not after from", ""),
    ('[authorities.health]\nuntil = "2030-04"', 4, "authorities.health.until", "date out of range", ""),
    ('[time]\nlast_month = "2009-03"', 4, "time.last_month", "is before first_month", ""),
    ('[time]\nwindow_from = "2009-04"', 4, "time.window_from", "outside the run", ""),
    ('[time]\nwindow_to = "2014-04"', 4, "time.window_to", "outside the run", ""),
    ('[time]\nwindow_to = "2010-10"', 4, "time.window_to", "before window_from", ""),
    ("[time]\nwarm_up_months = 6", 4, "time.warm_up_months", "expected 12 or more", ""),
    ("[time]\nwindow_from = 2011", 4, "time.window_from", "expected text in quotes", ""),
    ("[crime_types.burglary]\nseason = [1, 1]", 4, "crime_types.burglary.season", "found 2", ""),
    ("[crime_types.burglary]\nseason = [1,1,1,1,1,1,1,1,1,1,1,1.5]", 4, "crime_types.burglary.season", "the mean is 1.042", ""),
    ("[crime_types.burglary]\nseason = [-1,3,1,1,1,1,1,1,1,1,1,1]", 4, "crime_types.burglary.season", "negative", ""),
    ('[grants.pot.amount]\nunit = "£ a month"', 4, "grants.pot.amount.unit", "expected '£ a year'", ""),
    ("[grants.pot.amount]\nshift = -1", 4, "grants.pot.amount.shift", "0 x 1 + -1 gives -1, expected £0 a year or more", ""),
    ("[grants.pot.amount.path]\n2013-10 = -5", 4, "grants.pot.amount.path.2013-10", "-5 is out of range: expected £0 a year or more", ""),
    ("[area.deflator]\nmultiplier = 0", 4, "area.deflator.multiplier", "expected more than 0", ""),
    ("[area.deflator]\nreplace = true", 3, "area.deflator", "has no dates", ""),
    ('[time]\nextends = "tiny"', 4, "time.extends", "unknown key", "stands at the top of a file"),
    ("primary_outcome = 3", 3, "primary_outcome", "expected text in quotes", ""),
    ("[crime_types]\nburglary = 3", 4, "crime_types.burglary", "expected a table, found the number 3", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "key", "message", "hint"), _CASES, ids=[f"{case[2]}-{case[3][:24]}" for case in _CASES])
def test_one_slip_gives_one_fault_with_its_line(faults: Faults, text: str, line: int, key: str, message: str, hint: str) -> None:
    found = faults(text)
    matching = [fault for fault in found if fault.key == key and message in fault.message]
    assert len(matching) == 1, found
    assert matching[0].file.endswith("child.toml")
    assert matching[0].line == line
    assert hint in matching[0].hint
    assert str(matching[0]) in str(ScenarioError(found))
    assert len(found) == 1 or "kind" in text or "[crime_types]" in text, "one slip, one fault"


def test_all_faults_come_at_once(faults: Faults) -> None:
    found = faults(
        "[interventions.cctv]\nefect = 1\nlead = 'nobody'\nreach = 2\n[levers.grnt]\nmultiplier = 1\n[time]\nwindow_to = '1999-01'\n"
    )
    assert [fault.line for fault in found] == [4, 5, 6, 7, 10]


def test_the_error_points_into_the_file_that_said_it(faults: Faults) -> None:
    found = faults("[interventions.cctv]\nreach = 0.2\n", tiny=tiny_world().replace("effect = { value = 0.13", "effect = { value = 13"))
    assert [(Path(fault.file).name, fault.key) for fault in found] == [("tiny.toml", "interventions.cctv.effect")]
    assert "effect = { value = 13" in tiny_world().replace("value = 0.13", "value = 13").splitlines()[(found[0].line or 0) - 1]


def test_a_missing_section_is_named(faults: Faults) -> None:
    found = faults("", tiny='title = "Nothing"\n')
    assert any("lacks time, area" in fault.message for fault in found)


def test_a_world_without_interventions_is_refused(tmp_path: Path) -> None:
    text = tiny_world()
    path = tmp_path / "empty.toml"
    path.write_text(text[: text.index("[interventions.hot_spots]")] + "[interventions]\n", encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"empty\.toml:142: interventions: is empty: expected at least one entry"):
        load_scenario(path)


def test_roles_may_pass_on_in_time(tiny: Scenario) -> None:
    changes = {"authorities.health.roles": ["health_data", "environment"], "authorities.health.from": "2012-04"}
    with pytest.raises(ScenarioError, match="at the same time"):
        tiny.with_changes(changes)
    tiny.with_changes({**changes, "authorities.local_authority.until": "2012-04"})
    tables = {"partnerships.inner.authorities": ["police", "health"], "partnerships.outer.authorities": ["police", "local_authority"]}
    tiny.with_changes({**changes, **tables})


# ---------------------------------------------------------------------------------------------- files and their family


def test_clashing_parents_name_both_files_and_lines(faults: Faults, tmp_path: Path) -> None:
    one = 'extends = "tiny"\n[levers.grant]\nmultiplier = 0.5\npath."2012-04" = 1\n'
    two = 'extends = "tiny"\n[levers.grant]\n\nmultiplier = 0.8\npath."2012-04" = 0.9\n'
    faults("[area]\nrest_bid_skil = 1", one=one, two=two)
    with pytest.raises(ScenarioError) as caught:
        load_scenario("one+two", search=[tmp_path])
    assert [(Path(fault.file).name, fault.line, fault.key) for fault in caught.value.faults] == [
        ("two.toml", 4, "levers.grant.multiplier"),
        ("two.toml", 5, "levers.grant.path.2012-04"),
    ]
    assert "set to the number 0.8 here, but set to the number 0.5 in" in str(caught.value)
    assert "one.toml:3" in caught.value.faults[0].message
    (tmp_path / "both.toml").write_text('extends = ["one", "two"]\n[levers.grant]\nmultiplier = 1.0\n', encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(tmp_path / "both.toml")
    assert [fault.key for fault in caught.value.faults] == ["levers.grant.path.2012-04"], "what the child sets is settled"


def test_a_path_cannot_be_replaced_and_extended_at_once(tmp_path: Path) -> None:
    write_tiny_world(tmp_path)
    (tmp_path / "anew.toml").write_text('extends = "tiny"\n[grants.pot.amount]\nreplace = true\npath."2010-04" = 1\n', encoding="utf-8")
    for number, date in enumerate(("2011-04", "2013-04")):
        (tmp_path / f"more{number}.toml").write_text(f'extends = "tiny"\n[grants.pot.amount.path]\n"{date}" = 9\n', encoding="utf-8")
        for stack in (f"anew+more{number}", f"more{number}+anew"):
            with pytest.raises(ScenarioError) as caught:
                load_scenario(stack, search=[tmp_path])
            assert [fault.key for fault in caught.value.faults] == [f"grants.pot.amount.path.{date}"]
            assert "left out by replace = true" in str(caught.value)
            assert "anew.toml:3" in str(caught.value)


def test_a_true_value_does_not_pass_for_one(tmp_path: Path) -> None:
    write_tiny_world(tmp_path)
    (tmp_path / "one.toml").write_text('extends = "tiny"\n[area]\npartnerships = 1\n', encoding="utf-8")
    (tmp_path / "two.toml").write_text('extends = "tiny"\n[area]\npartnerships = true\n', encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"set to true here, but set to the number 1 in"):
        load_scenario("one+two", search=[tmp_path])


def test_a_circle_of_extends(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('title = "A"\nextends = ["b"]\n', encoding="utf-8")
    (tmp_path / "b.toml").write_text('extends = "a"\n', encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"b\.toml:1: extends: a scenario extends itself: .*a\.toml -> .*b\.toml -> .*a\.toml"):
        load_scenario(tmp_path / "a.toml")
    (tmp_path / "alone.toml").write_text('extends = "alone"\n', encoding="utf-8")
    with pytest.raises(ScenarioError, match="extends itself"):
        load_scenario(tmp_path / "alone.toml")


def test_files_that_are_not_there(tmp_path: Path) -> None:
    write_tiny_world(tmp_path)
    with pytest.raises(ScenarioError, match='there is no such scenario; did you mean "tiny"'):
        load_scenario("tinny", search=[tmp_path])
    (tmp_path / "child.toml").write_text('title = "C"\nextends = ["tinny", "../nowhere.toml"]\n', encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(tmp_path / "child.toml")
    assert [fault.line for fault in caught.value.faults] == [2, 2]
    assert 'there is no scenario "tinny"; did you mean "tiny"?' in str(caught.value)
    for name in ("", "tiny+", "+", "nul\0", "x" * 5000, tmp_path / "nothing.toml", tmp_path):
        with pytest.raises(ScenarioError):
            load_scenario(name, search=[tmp_path])


@pytest.mark.parametrize("extends", ["3", "[1]", "{ a = 1 }", "true", "[[]]"])
def test_extends_of_a_wrong_type(tmp_path: Path, extends: str) -> None:
    (tmp_path / "child.toml").write_text(f'title = "C"\nextends = {extends}\n', encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"child\.toml:2: extends: wrong type: expected a name or a list of names"):
        load_scenario(tmp_path / "child.toml")


@pytest.mark.parametrize(("content", "line"), [(b"a = 1\nb = = 2\n", 2), (b"a = 1\n\xff", 2), (b"a = 1\n[b\nc = 1", 2),
    (b"a = " + b"[" * 9000, 1),
                                               (b"a = " + b"9" * 9000, 1), (b"a = 1\na = 2\n", 2)])  # fmt: skip
def test_what_is_not_toml_is_said_with_its_line(tmp_path: Path, content: bytes, line: int) -> None:
    (tmp_path / "bad.toml").write_bytes(content)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(tmp_path / "bad.toml")
    assert [fault.line for fault in caught.value.faults] == [line]


def test_primary_outcomes_are_checked_on_request(tmp_path: Path) -> None:
    path = write_tiny_world(tmp_path)
    assert load_scenario(path, outcomes=lambda: ["cost_of_crime"]).data.primary_outcome == "cost_of_crime"
    with pytest.raises(
        ScenarioError, match=r'tiny\.toml:4: primary_outcome: unknown outcome "cost_of_crime"; did you mean "costs_of_crime"'
    ):
        load_scenario(path, outcomes=lambda: ["costs_of_crime"])


def test_the_error_survives_a_worker_and_counts_as_expected() -> None:
    error = ScenarioError([Fault("a.toml", 3, "b.c", "is wrong", "mend it")], "a")
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, CspsimError)
    assert (again.faults, str(again), again.exit_code) == (error.faults, str(error), 2)
    assert str(again) == "scenario 'a' has 1 fault:\n  a.toml:3: b.c: is wrong; mend it"


@pytest.mark.parametrize(("changes", "words"), [
    ({"levers.grnt.multiplier": 0.5}, 'changes: levers.grnt: unknown lever; did you mean "grant"?'),
    ({"interventions.cctvv.effect": 0.5}, 'did you mean "interventions.cctv"?'),
    ({"interventions.cctv.efect": 0.5}, 'did you mean "interventions.cctv.effect"?'),
    ({"interventions.cctv.effect.value.more": 0.5}, "is a plain value and has no parts"),
    ({"": 1}, "is not a dotted key"),
    ({"a..b": 1}, "is not a dotted key"),
    ({3: 1}, "expected a dotted key"),
    ({"levers.grant.multiplier": 4}, "changes: levers.grant.multiplier: out of range"),
    ({"levers.grant.multiplier": None}, "expected a value, found nothing"),
    ({"levers.grant.multiplier": object()}, "expected a number, found a object"),
    ({"extends": "tiny"}, "unknown key"),
])  # fmt: skip
def test_wrong_changes(tiny: Scenario, changes: dict, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        tiny.with_changes(changes)
    assert words in str(caught.value)
    assert len(caught.value.faults) == 1


# -------------------------------------------------------------------------------------------------------- anything goes


def _keys(table: dict, key: tuple = ()) -> list[tuple]:
    found = []
    for name, inner in table.items():
        found.append((*key, name))
        if isinstance(inner, dict):
            found += _keys(inner, (*key, name))
    return found


_FIXED = [
    key for key in _keys(tomllib.loads(tiny_world())) if len(key) != 2 or key[0] in ("time", "area", "commissioner", "levers", "switches")
]


@_QUICK
@given(key=some.sampled_from([key for key in _FIXED if key[-1][0].isalpha()]), data=some.data())
def test_a_slip_in_any_key_is_a_fault_with_a_line(tmp_path: Path, key: tuple, data: some.DataObject) -> None:
    name = key[-1]
    at = data.draw(some.integers(0, len(name) - 1))
    slip = data.draw(some.sampled_from([name[:at] + name[at + 1 :], name[:at] + "q" + name[at:], name[:at] + "zz" + name[at + 1 :]]))
    raw = tomllib.loads(tiny_world())
    table = raw
    for part in key[:-1]:
        table = table[part]
    if slip in table or not slip:
        return
    lines = tiny_world().splitlines()
    wrong = [line.replace(name, slip, 1) if line.split(" ")[0] == name else line for line in lines]
    if wrong == lines or data.draw(some.booleans()):
        table[slip] = table.pop(name)
        text = write_toml(raw)
    else:
        text = "\n".join(wrong)
    path = tmp_path / "slip.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert all(fault.line is not None and 1 <= fault.line <= text.count("\n") + 1 for fault in caught.value.faults)
    assert any(slip in fault.key or slip in fault.message or name in fault.message for fault in caught.value.faults)


@_QUICK
@given(content=some.binary(max_size=300) | some.text(max_size=200).map(str.encode))
@example(content=b"a" + b".a" * 4000 + b" = 1")
@example(content=b"[levers" + b".a" * 4000 + b"]")
@example(content=b"area.population = " + b"9" * 400)
@example(content=b"levers.grant.path.2011-04 = " + b"9" * 400)
@example(content=b"crime_types.x.season = [" + b"[" * 50 + b"]" * 50 + b"]")
@example(content=b"time.first_month = 0001-01-01\ntime.last_month = 9999-12-31T00:00:00")
@example(content=b"time.last_month = 10:00:00")
@example(content=b"[[levers]]\ngrant = 1")
@example(content=b"levers = [1]\nswitches = 3\npartnerships = 'x'\nevents.a.authority = [1]\ninterventions.a.needs = [[1]]")
@example(content=b"events.a = { kind = 'merger', authority = ['x'], into = ['x'], month = 3 }")
def test_any_bytes_give_a_scenario_error_and_nothing_else(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bytes.toml"
    path.write_bytes(content)
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert str(caught.value)


@_QUICK
@given(
    at=some.integers(0, len(tiny_world()) - 1),
    cut=some.integers(0, 5),
    put=some.text(some.sampled_from("=[]{}\"'#.,\n 9-eτtrue"), max_size=4),
)
def test_any_slip_of_the_hand_loads_or_gives_a_scenario_error(tmp_path: Path, at: int, cut: int, put: str) -> None:
    text = tiny_world()
    path = tmp_path / "hand.toml"
    path.write_text(text[:at] + put + text[at + cut :], encoding="utf-8")
    faults: list[Fault] = []
    try:
        load_scenario(path)
    except ScenarioError as error:
        faults = error.faults
    assert all(fault.line is not None for fault in faults)


_VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=4) | some.binary(max_size=2),
    lambda inner: some.lists(inner, max_size=2) | some.dictionaries(some.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@_QUICK
@given(key=some.sampled_from(_FIXED), value=_VALUES)
def test_any_value_anywhere_is_taken_or_refused_in_words(tiny: Scenario, key: tuple, value: object) -> None:
    try:
        told = tiny.with_changes({".".join(key): value}).to_toml()
    except ScenarioError as error:
        told = str(error)
    assert told
