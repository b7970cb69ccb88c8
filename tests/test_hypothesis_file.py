"""Whatever is wrong with a hypothesis file is said with its line; what is right becomes the arms it speaks of."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis_worlds import HEAD, IMPACT, MONEY, SILENCE, write_hypotheses

from cspsim.basics.errors import Fault
from cspsim.hypotheses.hypothesis_file import HypothesisError, HypothesisFile, held, load_hypotheses
from cspsim.running.assumptions import sample_assumptions, uncertain_numbers
from cspsim.running.outcomes import OUTCOMES
from cspsim.scenario.scenario import Scenario

Faults = Callable[[str, str], list[Fault]]


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    """The faults of the three hypotheses with a piece of text replaced."""

    def found(old: str, new: str) -> list[Fault]:
        text = HEAD + SILENCE + IMPACT + MONEY
        assert text.count(old) >= 1
        path = write_hypotheses(tmp_path, text.replace(old, new, 1), head="")
        with pytest.raises(HypothesisError) as caught:
            load_hypotheses(path)
        assert str(caught.value).startswith("hypothesis file 'claims' has ")
        return caught.value.faults

    return found


_CASES = [
    ('outcome = "challenged_share"', 'outcome = "chalenged_share"', 14, "no outcome is called", 'did you mean "challenged_share"?'),
    ('direction = "lower"', 'direction = "down"', 15, "expected 'higher', 'lower' or 'same'", ""),
    ('strength = "C"', 'strength = "E"', 12, "expected 'A', 'B', 'C' or 'D'", ""),
    ("smallest_effect = 0.02", "smallest_effect = 0", 16, "greater than 0", ""),
    ("smallest_effect = 0.02", "smallest_efect = 0.02", 16, "unknown key", 'did you mean "smallest_effect"?'),
    ('rival = "There is less to challenge."\n', "", 9, "lacks rival", ""),
    ('statement = "Trust silences."', 'statement = ""', 10, "at least 1 character", ""),
    ("significance = 0.05", "significance = 0.6", 3, "less than 0.5", ""),
    ("replicates = 20", "replicates = 2", 4, "expected 10 or more", ""),
    ('initial_trust" = 0.3', 'initial_trst" = 0.3', 18, "unknown uncertainty", 'did you mean "initial_trust"?'),
    ('initial_trust" = 0.8', 'initial_trust" = 1.8', 19, "out of range", ""),
    ('"switches.harmony" = false', '"switches.harmonny" = false', 21, "unknown switch", 'did you mean "harmony"?'),
    ('null."switches.challenge" = false', 'null."swiches.challenge" = false', 22, "unknown key", 'did you mean "switches"?'),
    ('mechanism = "trust keeps doubters silent"\n', "", 20, "lacks a name", 'mechanism = "..."'),
    ('without."switches.harmony" = false\n', "", 20, "says nothing that can be switched off", "without.switches.NAME"),
    ('treatment = { scenario = "tiny"', 'treatment = { scenario = "tiiny"', 19, "there is no such scenario", 'did you mean "tiny"?'),
    ("reference.value = 0", 'reference = { value = 0, scenario = "tiny" }', 33, "a scenario or a value, not both", ""),
    ('partnership = "outer"', 'partnership = "otter"', 44, "no partnership is called", 'did you mean "outer"?'),
    ('"levers.grant.multiplier" = 0.5', '"levers.grant.multiplier" = 1', 49, "is the same as the reference", ""),
    ('"levers.grant.multiplier" = 0.5', '"time.last_month" = "2013-03"', 49, "cannot be paired", ""),
    ('"levers.grant.multiplier" = 0.5', '"levers.grant.multiplier" = 9', 49, "gives 9, expected 0 to 3", ""),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "message", "hint"), _CASES, ids=[case[1][:40] for case in _CASES])
def test_faults_have_lines_and_hints(faults: Faults, old: str, new: str, line: int, message: str, hint: str) -> None:
    found = faults(old, new)
    fitting = [fault for fault in found if message in fault.message and hint in fault.hint]
    assert fitting, found
    assert fitting[0].line == line
    assert fitting[0].file.endswith("claims.toml")


def test_every_fault_is_found_at_once(tmp_path: Path) -> None:
    text = (
        (HEAD + SILENCE + IMPACT + MONEY)
        .replace("challenged_share", "chalenged")
        .replace('"outer"', '"otter"')
        .replace("multiplier", "multiplir")
    )
    with pytest.raises(HypothesisError) as caught:
        load_hypotheses(write_hypotheses(tmp_path, text, head=""))
    assert len(caught.value.faults) == 2  # the fault of a partnership is only asked of arms that can be made
    with pytest.raises(HypothesisError, match="there is no such hypothesis file"):
        load_hypotheses("thesis-hypothesis")


def test_no_hypothesis_is_a_fault(faults: Faults) -> None:
    assert "hypotheses" in faults(SILENCE + IMPACT + MONEY, "[hypotheses]\n")[0].key


class TestArms:
    @pytest.fixture
    def file(self, tmp_path: Path) -> HypothesisFile:
        return load_hypotheses(write_hypotheses(tmp_path))

    def test_mechanism_and_null_are_switched_in_both_arms(self, file: HypothesisFile) -> None:
        silence = file.hypotheses[0]
        assert silence.without is not None
        assert silence.null is not None
        for pair, switch in ((silence.without, "harmony"), (silence.null, "challenge")):
            assert [arm.data.switches[switch] for arm in pair.scenarios] == [False, False]
            for changed, arm in zip(pair.scenarios, silence.pair.scenarios, strict=True):
                assert list(changed.differences_from(arm)) == [f"switches.{switch}"]

    def test_a_stated_value_needs_one_arm(self, file: HypothesisFile) -> None:
        impact = file.hypotheses[1]
        assert impact.pair.reference == 0
        assert len(impact.pair.scenarios) == 1

    def test_what_a_comparison_sets_is_the_same_in_every_assumption_set(self, file: HypothesisFile) -> None:
        """Not so without ``held``: the range of initial trust would be sampled around 0.3 and 0.8 alike."""
        for arm, value in zip(file.hypotheses[0].pair.scenarios, (0.3, 0.8), strict=True):
            names = [number.name for number in uncertain_numbers(arm)]
            sampled = sample_assumptions(arm, 5).values
            assert set(sampled[:, names.index("uncertainties.initial_trust")]) == {value}
            assert len(set(sampled[:, names.index("uncertainties.harmony")])) == 5

    def test_held_numbers_keep_a_range_of_their_own(self) -> None:
        assert held({"uncertainties.harmony": 2}) == {f"uncertainties.harmony.{part}": 2 for part in ("value", "low", "high")}
        own = {"uncertainties.harmony": {"value": 2, "low": 1, "high": 3}}
        assert held(own) == {"uncertainties.harmony.value": 2, "uncertainties.harmony.low": 1, "uncertainties.harmony.high": 3}
        assert held({"levers.grant.multiplier": 0.5, "nonsense": 1}) == {"levers.grant.multiplier": 0.5, "nonsense": 1}
        assert held({"levers.grant": {"path": {"2011-04": 1}}}) == {"levers.grant.path.2011-04": 1}


@pytest.fixture(scope="module")
def shipped() -> HypothesisFile:
    return load_hypotheses("thesis-hypotheses")


class TestTheShippedFile:
    def test_has_at_least_twenty_hypotheses_with_all_they_need(self, shipped: HypothesisFile) -> None:
        assert len(shipped.hypotheses) >= 20
        for one in shipped.hypotheses:
            assert one.stated.statement.endswith((".", "?")), one.name
            assert one.stated.rival.endswith("."), one.name
        assert {one.stated.strength for one in shipped.hypotheses} == set("ABCD")
        assert len({one.stated.statement for one in shipped.hypotheses}) == len(shipped.hypotheses)
        assert sum(one.without is not None for one in shipped.hypotheses) >= 0.75 * len(shipped.hypotheses)
        assert sum(one.null is not None for one in shipped.hypotheses) >= 20

    def test_the_thesis_and_the_stylised_facts_are_in_it(self, shipped: HypothesisFile) -> None:
        patterns = {one.stated.pattern for one in shipped.hypotheses}
        facts = {1, 5, 6, 7, 8, 9, 11, 12, 14, 15, 16, 17, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28}
        assert patterns >= {f"SF{number}" for number in facts}
        recommended = [one for one in shipped.hypotheses if "recommendation" in one.stated.source]
        assert len(recommended) >= 7

    def test_enough_sets_to_say_that_something_is_built_in(self, shipped: HypothesisFile) -> None:
        """With every set in favour the interval starts at 99 %."""
        assert 0.025 ** (1 / shipped.data.assumption_sets) >= 0.99
        assert shipped.data.false_positives == 1000

    def test_no_claim_is_made_easier_than_the_register_has_it(self, shipped: HypothesisFile) -> None:
        """A smallest effect may be larger than the register's; a margin of sameness may not, unless the evidence has one."""
        for one in shipped.hypotheses:
            entry, stated = OUTCOMES[one.stated.outcome], one.stated
            same = stated.direction == "same"
            assert stated.smallest_is == entry.smallest_is, one.name
            if same and stated.pattern != "SF1":  # whose margins are the evidence's: 0.10, 0.06, 0.05
                assert stated.smallest_effect == entry.smallest, one.name
            assert same or stated.smallest_effect >= entry.smallest, one.name


def test_rival_rules_may_stand_in_changes() -> None:
    """What a scenario does not know is passed on for the scenario to accept or refuse."""
    assert held({"rules.intend_challenges": "mine.py:challenge_items"}) == {"rules.intend_challenges": "mine.py:challenge_items"}


def test_scenarios_beside_the_file_are_found(tmp_path: Path) -> None:
    path = write_hypotheses(tmp_path, MONEY)
    (arm,) = {arm.data.title for arm in load_hypotheses(path).hypotheses[0].pair if isinstance(arm, Scenario)}
    assert arm == "Tiny world"
