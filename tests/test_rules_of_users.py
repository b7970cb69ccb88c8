"""Rules of users write into the state and nothing else, and leave it within its limits; whoever does not is stopped by name."""

import ast
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner
from worlds import write_tiny_world

import cspsim.model.month
from cspsim.basics.errors import CspsimError, ScenarioError
from cspsim.cli import app
from cspsim.mesa_model.partnership_model import PartnershipModel
from cspsim.model.compiled import INTERPRETED, PACKAGE
from cspsim.model.state import axes_of_state, new_state
from cspsim.model.structures import fields_behind, packed, read_only
from cspsim.model.world import sizes
from cspsim.one_run.run import Run
from cspsim.running.rival_guards import arrays_to_hold, unchanged
from cspsim.running.rival_reach import names_changed
from cspsim.running.simulation import simulate
from cspsim.scenario import rival_rules
from cspsim.scenario.rival_rules import SLOTS, Rival
from cspsim.scenario.rival_writes import written_into
from cspsim.scenario.scenario import Scenario, load_scenario
from cspsim.scenario.world_building import build_world
from cspsim.sweep.reading import load_experiment
from cspsim.sweep.sweeping import run_sweep

RULE = "import numpy as np\n\n\ndef fade(world, state, luck, month):\n    {body}\n"
TOO_HIGH = "if month == 30:\n        state.trust[1, 0, 1] = 7"


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the tiny world and a scenario that names a rule of trust; also the working directory."""
    write_tiny_world(tmp_path)
    (tmp_path / "own.toml").write_text('extends = "tiny"\n[rules]\nupdate_trust = "theory.py:fade"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "250")
    return tmp_path


def under(body: str) -> Scenario:
    """The tiny world under this rule of trust."""
    Path("theory.py").write_text(RULE.format(body=body))
    return load_scenario("own.toml", allow_rules=True)


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody sees from a rule's source where it writes: what is left is the compiler, or NumPy, and the comparison."""
    monkeypatch.setattr(rival_rules, "written_into", lambda tree, function: {})


# name of the world's array -> bodies that write into it
WRITES = {
    "world.reach": [
        "world.reach[0] = 1",
        "world.reach[:] += 1",
        "world.reach.fill(1)",
        "world.reach.sort()",
        "x = world.reach\n    x[0] = 1",
        "x = world.reach\n    x += 1",
        "x, y = world.reach, 2\n    x[0] = y",
        "for x in (world.reach, state.trust):\n        x[0] = 1",
        "np.add(world.reach, 1, world.reach)",
        "np.exp(world.reach, out=world.reach)",
        "np.copyto(world.reach, 1)",
        "np.asarray(world.reach)[0] = 1",
        "world.reach.ravel()[0] = 1",
        "world.reach.flat[0] = 1",
        "[x.fill(1) for x in (world.reach,)]",
        "if (x := world.reach)[0] > 0:\n        x[0] = 1",
        "fill(world.reach)\n\n\ndef fill(there):\n    there[0] = 1",
        "fill(there=world.reach)\n\n\ndef fill(there):\n    deeper(1, there)\n\n\ndef deeper(value, there):\n    there[0] = value",
        "given(world)[0] = 1\n\n\ndef given(world):\n    return world.reach",
        "x = state.posts\n    if month > 3:\n        x = world.reach\n    x[0] = 1",
        "x = state.posts\n    for k in range(3):\n        x[0] = 1\n        x = world.reach",
        "def inner():\n        world.reach[0] = 1\n    inner()",
        "def inner(x):\n        x[0] = 1\n    inner(world.reach)",
    ],
    "world.member": ["for row in world.member:\n        row[0, 0] = 1", "for k, row in enumerate(world.member):\n        row[k] = 1"],
    "world.neighbours": ["np.fill_diagonal(world.neighbours, 5)"],
    "world.levers.grant": ["world.levers.grant[month] = 1", "levers = world.levers\n    levers.grant[month] *= 2"],
    "luck.replicates": ["luck.replicates[3] = 1"],
}
READS = [
    "x = world.reach.copy()\n    x[0] = 1",
    "x = world.reach + 1\n    x[0] = 1",
    "x = world.reach[0]\n    x += 1",
    "x = world.own_reach\n    x *= 2",
    "x = world.reach\n    x = x * 2\n    x[0] = 1",
    "x = np.zeros(3)\n    x[:2] = world.reach[:2]",
    "state.posts[0] = min(1.0, world.reach[0])",
    "state.trust[:] *= world.uncertainties.harmony",
    "x = np.sort(world.reach)\n    x[0] = 1",
    "x = shared(world.reach)\n    x[0] = 1\n\n\ndef shared(x):\n    return x / 2",
    "x = np.zeros(3)\n    fill(x, world.reach)\n\n\ndef fill(x, y):\n    x[0] = y[0]",
    "np.exp(state.posts, state.posts)\n    np.minimum(state.posts, 1, state.posts)",
]


class TestWhatIsOnlyRead:
    @pytest.mark.parametrize(("named", "body"), [(named, body) for named, bodies in WRITES.items() for body in bodies])
    def test_a_write_is_seen_in_the_source(self, named: str, body: str) -> None:
        text = RULE.format(body=body)
        found = written_into(ast.parse(text), "fade")
        assert set(found.values()) == {named}
        assert all("world" not in text.splitlines()[line - 1] or named.split(".")[-1] in text for line in found)

    @pytest.mark.parametrize("body", READS)
    def test_what_only_reads_is_let_be(self, body: str) -> None:
        assert written_into(ast.parse(RULE.format(body=body)), "fade") == {}

    def test_the_refusal_names_line_and_array_before_anything_runs(self, study: Path) -> None:
        with pytest.raises(ScenarioError) as caught:
            under("x = world.reach\n    x[0] = 1")
        assert f"{study / 'theory.py'}:6: writes into world.reach; a rule may read the world and luck" in str(caught.value)
        result = CliRunner().invoke(app, ["check", "own.toml"])
        assert result.exit_code == 2
        assert "theory.py:6: writes into world.reach" in result.stderr

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("state.trust = state.trust * 2", "theory.py:5: sets state.trust itself; write into an array of the state"),
            ("world.uncertainties.harmony = 1", "sets world.uncertainties.harmony itself"),
            ("np.zeros = 1", "sets np.zeros itself"),
            ("np.lib.stride_tricks.as_strided(state.trust)[9] = 1", "uses .stride_tricks"),
            ("getattr(state, 'trust')[:] = 7", "uses getattr"),
            ("state.trust.__array_interface__", "uses .__array_interface__"),
            ("pass\n\n\nKEPT = np.r_[0.0, 1.0]", "theory.py:8: may keep something from run to run; name single numbers here"),
            ("pass\n\n\ndef other(x, kept=np.r_[0.0, 1.0]):\n    pass", "theory.py:8: may keep something from run to run"),
        ],
    )
    def test_ways_around_are_refused(self, study: Path, body: str, said: str) -> None:
        with pytest.raises(ScenarioError) as caught:
            under(body)
        assert said in str(caught.value)

    @pytest.mark.parametrize("body", ["world.reach[0] = 1", "row = world.member[0]\n    row *= 2", "world.levers.grant[month] = 2"])
    def test_what_the_source_does_not_show_the_compiler_refuses(self, study: Path, unread: None, body: str) -> None:
        """Interpreted, NumPy does."""
        with pytest.raises(CspsimError, match="read-only" if INTERPRETED else "fade writes into the world or into luck") as caught:
            simulate(under(body), 1)
        assert str(study / "theory.py") in str(caught.value)

    def test_what_the_compiler_lets_pass_is_noticed_afterwards(self, study: Path, unread: None) -> None:
        """So that no result depends on the number of threads, whatever Numba overlooks. On every way to run a rule."""
        scenario = under("np.fill_diagonal(world.neighbours, 5)")
        for attempt in (
            lambda: simulate(scenario, 20, threads=1),
            lambda: simulate(scenario, 20, threads=2),
            lambda: Run(scenario).advance(),
            lambda: PartnershipModel(scenario),
        ):
            with pytest.raises(CspsimError, match="read-only" if INTERPRETED else r"theory\.py: fade: wrote into world\.neighbours: "):
                attempt()

    @pytest.mark.parametrize(
        ("write", "named", "blamed"),
        [
            (lambda world, luck: world.reach.fill(9), "world.reach", "one.py: fade"),
            (lambda world, luck: world.levers.grant.fill(9), "world.levers.grant", "two.py: fade"),
            (lambda world, luck: luck.fill(9), "luck.replicates", "two.py: fade"),
            (lambda world, luck: world.bid_skill.fill(9), "", ""),
        ],
    )
    def test_only_the_rules_that_can_have_written_are_named(self, study: Path, write: Callable, named: str, blamed: str) -> None:
        texts = {"one.py": "world.reach[0]", "two.py": "world.levers.grant[0] + luck.replicates[0]"}
        rivals = [Rival("update_trust", Path(name), "fade", RULE.format(body=body)) for name, body in texts.items()]
        world, luck = build_world(load_scenario("tiny.toml").data), np.zeros(8, dtype=np.uint64)
        with pytest.raises(CspsimError) if named else nullcontext() as caught, unchanged(rivals, packed(world), luck):
            write(world, luck)
        assert named == "" or str(caught.value).startswith(f"{blamed}: wrote into {named}: ")

    def test_what_is_packed_is_what_is_compared(self, study: Path) -> None:
        world = build_world(load_scenario("tiny.toml").data)
        behind = fields_behind(packed(world))
        assert np.shares_memory(behind.reach, world.reach)
        assert np.shares_memory(fields_behind(behind.levers).grant, world.levers.grant)
        with pytest.raises(ValueError, match="read-only"):
            read_only(world).levers.grant[0] = 1
        world.reach[0] = world.reach[0]


class TestLimits:
    SAID = "theory.py: fade: left state.trust[1, 0, 1] at 7 in month 31 of the run, warm-up included: expected a number from 0 to 1 (share)"

    def test_on_every_way_to_run_a_rule(self, study: Path) -> None:
        scenario = under(TOO_HIGH)

        def by_months() -> None:
            run = Run(scenario)
            while not run.finished:
                run.advance()

        def in_a_sweep() -> None:
            rule = '[policies.own]\nchanges = { "rules.update_trust" = "theory.py:fade" }\n[luck]\nreplicates = 2\n'
            Path("own-sweep.toml").write_text(f'title = "T"\nquestion = "Q?"\nbaseline = "tiny"\noutcomes = ["mean_trust"]\n{rule}')
            results = run_sweep(load_experiment("own-sweep.toml", allow_rules=True), study / "results")
            raise CspsimError(" ".join(map(str, results.failures.error)))

        ways: dict[str, Callable[[], object]] = {
            "simulate": lambda: simulate(scenario, 20, threads=2),
            "run": by_months,
            "model": lambda: PartnershipModel(scenario).run_model(),
            "sweep": in_a_sweep,
        }
        for name, way in ways.items():
            with pytest.raises(CspsimError) as caught:
                way()
            assert self.SAID in str(caught.value), name

    def test_the_command_ends_with_a_sentence(self, study: Path) -> None:
        under(TOO_HIGH)
        result = CliRunner().invoke(app, ["run", "own.toml", "--replicates", "2", "--allow-rules"])
        assert result.exit_code == 2
        assert self.SAID in " ".join(result.stderr.split())


class TestWhatARuleReaches:
    def rival(self, body: str) -> Rival:
        return Rival("update_trust", Path("theory.py"), "fade", RULE.format(body=body))

    @pytest.mark.parametrize(
        ("body", "held"),
        [
            ("state.trust[0, 1, 0] = state.belief[0, 1, 0]", ["trust"]),
            ("x = state.belief.shape\n    state.posts[0] += state.trust[0, 0, 0]", ["posts"]),
            ("x = state.belief[0]", ["belief"]),
            ("x = state.belief[0, 0, :]", ["belief"]),
            ("x = state.belief\n    state.posts[0] = 1", ["posts", "belief"]),
            ("k = None\n    x = state.belief[0, k, 0]", ["belief"]),
            ("helper(state)\n\n\ndef helper(s):\n    s.posts[0] = 1\n\n\ndef unused(s):\n    s.trust[:] = 1", ["posts"]),
        ],
    )
    def test_it_is_held_to_what_it_can_have_changed(self, body: str, held: list[str]) -> None:
        assert arrays_to_hold(self.rival(body)) == held

    @pytest.mark.parametrize("module", ["arithmetic", "rule_parts"])
    def test_functions_of_the_package_are_followed(self, module: str) -> None:
        """Also where they are only passed on."""
        text = f"from cspsim.model.{module} import learn\n" + RULE.format(body="learn(world, state, 0, 0, 0, 0.0, 1.0, month)")
        assert names_changed(Rival("update_trust", Path("theory.py"), "fade", text)) >= {"belief", "belief_variance"}

    def test_all_of_a_buffer_is_held_where_it_is_named(self) -> None:
        assert "sponsor" in arrays_to_hold(self.rival("state.counters[:] = 1"))
        assert {"trust", "tallies"} <= set(arrays_to_hold(self.rival("state.numbers[:] = 1")))
        assert not {"trust"} & set(arrays_to_hold(self.rival("state.counters[:] = 1")))

    def test_every_array_the_package_s_rules_change_is_among_those_a_copy_is_held_to(self, study: Path) -> None:
        """Run each rule by itself: what differs afterwards must have been expected to."""
        world = build_world(load_scenario("tiny.toml").data)
        run = Run("tiny.toml", seed=5)
        changed_at_all = set()
        for _ in range(14):
            state = new_state(*sizes(world))
            state.numbers[:], state.counters[:] = run.state.numbers, run.state.counters
            for name, arguments in SLOTS.items():
                rule = getattr(cspsim.model.month, name)
                given = {"world": packed(world), "state": packed(state), "luck": run.luck, "month": run.month}
                before = {array: getattr(state, array).copy() for array in axes_of_state()}
                rule(*(given[argument] for argument in arguments))
                changed = {array for array, old in before.items() if not np.array_equal(old, getattr(state, array), equal_nan=True)}
                path = Path(getattr(rule, "py_func", rule).__code__.co_filename)
                assert changed <= set(arrays_to_hold(Rival(name, path, name, path.read_text(encoding="utf-8")))), name
                changed_at_all |= changed
            run.advance()
        assert len(changed_at_all) > 30


HIGH_AT_FIRST = "def meet(world, state, luck):\n    state.trust[:] = 2\n"
FADES = "def wane(world, state, luck, month):\n    state.trust[:] *= 0.9\n"
SAID_UNCOMPILED = {
    TOO_HIGH: [TestLimits.SAID],
    "state.trust[0, 1, 0] = np.nan": ["fade: left state.trust[0, 1, 0] at nan in month 1 of the run"],
    "state.sponsor[1, 1] = -2": [
        "left state.sponsor[1, 1] at -2 in month 1 of the run, warm-up included: expected a number of at least -1"
    ],
    "state.score[0, 0, 0] = np.nan": ["expected a number (believed benefit per £ to this authority)"],
    "row = state.trust[0]\n    row[0, 1] = 2": ["left state.trust[0, 0, 1] at 2"],
    "state.numbers[:] = 3": ["fade: left state."],
    "deep(state)\n\n\ndef deep(all):\n    all.posts[0] = -1": ["left state.posts[0] at -1"],
    "np.fill_diagonal(world.neighbours, 5)": ["theory.py:5: ValueError", "read-only"],
    "luck.replicates[0] = 1": ["fade: wrote into luck.replicates"],
}
RUN_UNCOMPILED = """
import cspsim
from cspsim.scenario import rival_rules

def attempt(way):
    try:
        way()
    except cspsim.CspsimError as error:
        print(error)

rival_rules.written_into = lambda tree, function: {{}}
for body in {bodies!r}:
    with open("theory.py", "w") as file:
        file.write({rule!r}.format(body=body))
    attempt(lambda: cspsim.simulate(cspsim.load_scenario("own.toml", allow_rules=True), 1))
own = cspsim.load_scenario("own.toml", allow_rules=True)
both = own.with_changes({{"rules.replace_representatives": "other.py:wane"}}, allow_rules=True)
with open("theory.py", "w") as file:
    file.write({rule!r}.format(body="state.trust[0, 1, 0] = 7"))
several = both.with_changes({{"rules.update_trust": "theory.py:fade"}}, allow_rules=True)
attempt(lambda: cspsim.simulate(several, 1))
attempt(lambda: cspsim.simulate(several.with_changes({{"rules.first_impressions": "first.py:meet"}}, allow_rules=True), 1))
run = cspsim.Run(both.with_changes({{"rules.update_trust": "other.py:wane"}}, allow_rules=True))
run.advance()
attempt(lambda: run.advance(lambda point: run.state.trust.fill(9)))
"""


def test_interpreted_rules_are_held_too_and_of_several_the_right_one_is_named(study: Path) -> None:
    """With NUMBA_DISABLE_JIT=1 the same source says the same, and NumPy refuses what may only be read."""
    (study / "other.py").write_text(FADES)
    (study / "first.py").write_text(HIGH_AT_FIRST)
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(PACKAGE.parents[1])}
    script = RUN_UNCOMPILED.format(bodies=list(SAID_UNCOMPILED), rule=RULE)
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    *single, of_two, of_three, decided = done.stdout.splitlines()
    assert len(single) == len(SAID_UNCOMPILED)
    for line, (body, parts) in zip(single, SAID_UNCOMPILED.items(), strict=True):
        assert all(part in line for part in parts), (body, line)
    assert "theory.py: fade: left state.trust[0, 1, 0]" in of_two
    assert "other.py" not in of_two
    assert "first.py: meet: left state.trust[0, 0, 0] at 2 before the first month" in of_three
    assert "theory.py" not in of_three
    assert "other.py: wane or " in decided
    assert "state.trust[0, 0, 0] was 9 in month 2 of the run, warm-up included, before wane began" in decided
