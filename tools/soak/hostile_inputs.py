"""Hostile inputs to every command: none may end in a traceback, take over a minute or 2 GB, or pretend to have worked.

    python tools/soak/hostile_inputs.py [--count 500] [--seed 1]

Draws inputs from a seeded generator, gives each to ``cspsim`` in a process of its own and writes what came of them to
``hostile_inputs.json`` beside this file. ``tests/test_hostile_inputs.py`` runs a sample of the same cases.
"""

import argparse
import importlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

SECONDS, MEMORY = 60.0, 2e9  # of the processor, and bytes
WAITING = 600.0  # seconds by the clock after which a process is taken to wait for something that never comes
PRELOADED = (
    "cspsim.cli",
    "cspsim.reports.report",
    "cspsim.comparing.comparison",
    "cspsim.sweep.exporting",
    "cspsim.sweep.sandbox",
    "pandas",
)
RESULT = Path(__file__).with_suffix(".json")
REFUSED = frozenset({2})
EITHER_WAY = frozenset({0, 2})  # what was drawn may happen to be in order


class Case(NamedTuple):
    """One input: what kind, the words after ``cspsim``, and the exit codes that are right."""

    kind: str
    words: list[str]
    codes: frozenset[int] = REFUSED


class Ended(NamedTuple):
    """What came of a case."""

    case: Case
    code: int | None  # None: killed for taking too long or too much
    seconds: float
    memory: int
    output: str

    @property
    def fault(self) -> str:
        """What is wrong with how it ended; empty if nothing is."""
        if self.code is None:
            return "took too much time or memory"
        if "Traceback" in self.output:
            return "traceback"
        if any(mark in self.output for mark in ("\x1b[3", "\u202e", "\x07")):
            return "control characters printed"
        if self.code == 2 and not self.output.strip():
            return "no word of why"
        return "" if self.code in self.case.codes else f"exit code {self.code}"


# ------------------------------------------------------------------------------------------------------ what is prepared

HEAD = 'title = "T"\nquestion = "Q?"\n'
CHILD = 'extends = "baseline"\n' + HEAD
EXPERIMENT = HEAD + '[policies.half]\nchanges = { "levers.grant.multiplier" = 0.5 }\n[luck]\nreplicates = 2\n'
EVIL = r"\u001b[31mred\u001b[0m\u202e\u0007"

TEXTS: dict[str, str | bytes] = {
    "empty": "",
    "binary": bytes(range(256)) * 40,
    "nul": "title = \x00\n",
    "utf16": CHILD.encode("utf-16"),
    "latin1": 'title = "caf\xe9"\n'.encode("latin-1"),
    "brackets": "x = " + "[" * 100_000,
    "lists": "x = " + "[" * 400 + "]" * 400,
    "tables": "x = " + "{a=" * 200 + "1" + "}" * 200,
    "dotted": ".".join(["a"] * 3000) + " = 1\n",
    "header": "[" + ".".join(["levers"] * 900) + "]\n",
    "long-line": HEAD + "context = '" + "x" * 1_500_000,
    "long-key": HEAD + "y" * 1_000_000 + " = 1\n",
    "unknown-keys": "\n".join(f"k{n} = {n}" for n in range(120_000)),
    "unknown-tables": "\n".join(f"[interventions.i{n}]" for n in range(60_000)),
    "unknown-levers": "\n".join(f"[levers.l{n}]\nmultiplier = 1.0" for n in range(40_000)),
    "escape": f'title = "{EVIL}"\nquestion = "{EVIL}"\n',
    "escaped-key": f'["{EVIL}"]\n"{EVIL}" = "{EVIL}"\n',
    "numbers": CHILD + "[levers.grant]\nmultiplier = 1e400\n",
    "not-a-number": CHILD + "[levers.grant]\nmultiplier = nan\nshift = inf\n",
    "whole-number": CHILD + "seed = " + "9" * 5000 + "\n[levers.grant]\nmultiplier = " + "9" * 400 + "\n",
    "year-9999": CHILD + '[time]\nlast_month = "9999-12"\n',
    "year-0000": CHILD + '[time]\nfirst_month = "0000-01"\n',
    "year-0001": CHILD + '[time]\nfirst_month = "0001-01"\nwarm_up_months = 240\n',
    "month-13": CHILD + '[time]\nfirst_month = "2008-13"\nlast_month = "-001-04"\n',
    "warm-up": CHILD + "[time]\nwarm_up_months = 99999999999999999999\n",
    "dates": CHILD + "[levers.grant.path]\n9999-12-31 = 1\n",
    "types": "title = 1\nquestion = [1]\n[time]\nfirst_month = true\nlast_month = 1979-05-27T07:32:00Z\n[levers]\ngrant = []\n",
    "list-for-table": "title = 'x'\n[[levers]]\ngrant = 1\n[[policies]]\nname = 'x'\n[[hypotheses]]\n",
    "twice": "title = 'x'\ntitle = 'y'\n",
    "self": 'extends = "self"\n' + HEAD,
    "circle": 'extends = "circle-too"\n',
    "circle-too": 'extends = "circle"\n',
    "device": 'extends = "/dev/zero"\n',
    "device-toml": 'extends = "zero.toml"\n',
    "extends-nul": 'extends = "a\\u0000b"\n',
    "extends-escape": f'extends = "{EVIL}"\n',
    "extends-long": f'extends = "{"x" * 5000}"\n',
    "extends-types": "extends = [1, [2], {a = 3}]\n",
    "rules": CHILD + '[rules]\nupdate_trust = "../../../etc/passwd.py:f"\nintend_challenges = "rule.py:nothing"\nhear_challenges = 7\n',
    "many-policies": HEAD + "\n".join(f"[policies.p{n}]\nscenario = 'nowhere'" for n in range(300)),
    "factorial": EXPERIMENT
    + "[levers]\nlevels = 100\n[levers.vary]\n"
    + "\n".join(f"{lever} = {{ low = 0.5, high = 1.0 }}" for lever in ("grant", "mainstream", "assertiveness")),
    "points": EXPERIMENT
    + "[levers]\ndesign = 'sobol'\npoints = 1000000\n[levers.vary]\ngrant = { low = 0.5, high = 1.0 }\n"
    + "[uncertainties]\ndesign = 'latin-hypercube'\npoints = 1000000\n",
    "first-replicate": EXPERIMENT + "first_replicate = 99999999999999999999999999\n",
    "most": EXPERIMENT + "precision = 1e-9\nmost = 99999999999999999999\n",
    "sets-of-device": EXPERIMENT + "[uncertainties]\ndesign = 'file'\nfrom = '/dev/zero'\n",
    "sets-of-folder": EXPERIMENT + "[uncertainties]\ndesign = 'file'\nfrom = 'folder'\n",
    "sets-of-binary": EXPERIMENT + "[uncertainties]\ndesign = 'file'\nfrom = 'binary.csv'\n",
    "observed-device": 'title = "T"\nquestion = "Q"\nscenario = "baseline"\nobserved = "/dev/zero"\n'
    '[fit]\nfrom = "2011-04"\nto = "2014-03"\n[uncertainties.vary]\ntrust_gain = {}\n',
    "observed-binary": 'title = "T"\nquestion = "Q"\nscenario = "baseline"\nobserved = "binary.csv"\n'
    '[fit]\nfrom = "9999-04"\nto = "0001-03"\n[uncertainties.vary]\ntrust_gain = {}\n',
}
"""Name of a file without its suffix -> what is in it: each is wrong for every command that reads a file."""

TABLES: dict[str, str | bytes] = {
    "binary": bytes(range(256)) * 100,
    "empty": "",
    "wide": ",".join(f"c{n}" for n in range(50_000)) + "\n" + ",".join("1" for _ in range(50_000)) + "\n",
    "names": "a,a,a\n1,2,3\n",
    "words": "uncertainties.trust_gain\nx\nnan\n1e400\n" + "y\n" * 100_000,
    "quotes": '"uncertainties.trust_gain\n' + '"' * 99_999,
    "escape": "\x1b[31mred,\u202eturned\n1,2\n",
}

RULES: dict[str, str | bytes] = {
    "binary": bytes(range(256)),
    "nested": "def f(world, state, luck, month):\n    x = " + "(" * 5000 + "1" + ")" * 5000 + "\n",
    "deep": "def f(world, state, luck, month):\n    x = " + "-" * 5000 + "1\n",
    "imports": "import os\nos.system('true')\ndef f(world, state, luck, month):\n    pass\n",
    "syntax": "def f(:\n",
    "empty": "",
}

MANIFESTS: dict[str, str | bytes] = {
    "empty": "",
    "binary": bytes(range(256)),
    "list": "[]",
    "deep": "[" * 100_000,
    "bare": '{"digest": "x", "settings": {}}',
    "types": '{"digest": 1, "settings": [], "counts": [], "status": {}, "experiment": null, "title": 3, "notes": 7, "file": [], '
    '"seed": {}, "primary_outcome": [], "outcomes": 4, "partnerships": 5, "designs": 6, "question": null, "context": null, "baseline": 1}',
    "numbers": '{"digest": "x", "settings": {}, "counts": {"runs": 1e999}, "seed": NaN}',
    "whole": '{"digest": "x", "settings": {}, "counts": {"runs": ' + "9" * 5000 + "}}",
}

QUERIES = [
    "SELECT * FROM runs a, runs b, runs c, runs d, runs e, runs f, runs g, runs h, runs i ORDER BY 1",
    "SELECT count(*) FROM range(1000000000000) a, range(1000000) b",
    "SELECT repeat('x', 100000000000)",
    "SELECT list(a.range) FROM range(4000000000) a",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t",
    "COPY runs TO 'stolen.csv'",
    "ATTACH 'x.db'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "INSTALL httpfs",
    "SET memory_limit = '100GB'",
    "PRAGMA database_list; DROP TABLE runs",
    "SELECT",
    "(" * 5000,
    "SELECT " + "+".join(["1"] * 20_000),
    "SELECT * FROM nowhere",
    "\x1b[31mSELECT",
    "SELECT \u202e FROM runs",
    ";",
    "   ",
    "SELECT * FROM runs WHERE " + "x" * 100_000,
    "SELECT getenv('HOME')",
]

NUMBERS = ["-1", "0.5", "1e9", "nan", "inf", "NaN", "", "0x10", "1" + "0" * 400, "9" * 25, "--", "one", "\u0663x", "1,000", "\x1b[31m"]
HUGE = ["100000000", "1000000000", "1000000000000", "999999999999999999"]
SETTINGS = [
    "levers.grant.multiplier=1e400", "levers.grant.multiplier=nan", "levers.grant.multiplier=" + "9" * 5000, "=", "a", "a=", "..=1",
    "levers.grant.multiplier=[[[[]]]]", "levers.grant.multiplier=" + "[" * 5000, "levers.grant=" + "{a=" * 300 + "1" + "}" * 300,
    'levers.grant.path={"9999-12"=1}', 'levers.grant.path={"-1"=1}', "time.last_month=9999-12", "time.first_month=0001-01",
    "time.warm_up_months=-5", f'title="{EVIL}"', "x" * 100_000 + "=1", "partnerships.nowhere.population=1", "switches=1",
    "rules.update_trust=folder", "rules.update_trust=/dev/zero:f", "rules.update_trust=zero.py:f", "rules.update_trust=folder.py:f",
    "rules.update_trust=loop.py:f", "rules.update_trust=pipe.py:f", "rules.trust=pipe.py:f",
    *(f"rules.update_trust=rule-{name}.py:f" for name in RULES),
]  # fmt: skip


def prepare(folder: Path) -> None:
    """Write every file that cases speak of, strange ones included, and a sound folder of results to be asked."""
    for name, text in TEXTS.items():
        _write(folder / f"{name}.toml", text)
    for name, text in TABLES.items():
        _write(folder / f"{name}.csv", text)
    for name, text in RULES.items():
        _write(folder / f"rule-{name}.py", text)
    for name, text in MANIFESTS.items():
        (folder / f"results-{name}").mkdir()
        _write(folder / f"results-{name}" / "manifest.json", text)
    for number in range(1500):
        _write(folder / f"chain{number}.toml", f'extends = "chain{number + 1}"\n' if number < 1499 else CHILD)
    for layer in range(30):
        below = [f"layer{layer + 1}-{k}" for k in range(3)] if layer < 29 else ["baseline"]
        for k in range(3):
            _write(folder / f"layer{layer}-{k}.toml", f"extends = {json.dumps(below)}\ntitle = 'x'\nunknown = 1\n")
    _write(folder / "diamonds.toml", 'extends = ["layer0-0", "layer0-1", "layer0-2"]\n')
    for name in ("large.toml", "large.csv", "large.py"):
        with (folder / name).open("wb") as file:
            file.truncate(80_000_000)
    for suffix in ("toml", "csv", "py"):
        (folder / f"folder.{suffix}").mkdir()
        (folder / f"zero.{suffix}").symlink_to("/dev/zero")
        (folder / f"loop.{suffix}").symlink_to(f"loop.{suffix}")
        os.mkfifo(folder / f"pipe.{suffix}")
    (folder / "folder").mkdir()
    _write(folder / "folder" / "letter.txt", "mine")
    _write(folder / "fine.toml", CHILD)
    _write(folder / "experiment.toml", EXPERIMENT)
    for kind, make in (("zero", lambda path: path.symlink_to("/dev/zero")), ("pipe", os.mkfifo), ("folder", Path.mkdir)):
        (folder / f"results-{kind}").mkdir()
        make(folder / f"results-{kind}" / "manifest.json")


def _write(path: Path, text: str | bytes) -> None:
    path.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)


# -------------------------------------------------------------------------------------------------------------- drawing

READ_BY: list[Callable[[str], list[str]]] = [
    lambda file: ["check", file],
    lambda file: ["show", file],
    lambda file: ["run", file, "--replicates", "2"],
    lambda file: ["explain", file],
    lambda file: ["compare", file, "baseline", "--replicates", "2", "--assumption-sets", "0", "--no-report"],
    lambda file: ["compare", "baseline", file, "--no-report", "--json"],
    lambda file: ["describe", "levers", "--scenario", file],
    lambda file: ["kit", "--scenario", file],
    lambda file: ["new", "made", "--extends", file],
    lambda file: ["sweep", file],
    lambda file: ["sweep", file, "--dry-run", "--json"],
    lambda file: ["optimise", file],
    lambda file: ["hypotheses", file],
    lambda file: ["calibrate", file],
    lambda file: ["view", "--no-open", "--port", "0", "--scenario", file],
]
NAMES = [
    "", ".", "..", "-", "--", "/", "/dev/zero", "/dev/null", "~nosuchuser/x.toml", "folder", "folder.toml", "zero.toml", "loop.toml",
    "pipe.toml", "large.toml", "x" * 5000, "x" * 5000 + ".toml", "a/" * 2500 + "x.toml", "nowhere.toml", "new\nline.toml",
    "\x1b[31mred.toml",
    "\udcff\udcfe.toml", "fine+", "+", "fine+fine+nowhere", "fine.toml/x.toml", "s3://nowhere/x.toml", "$(true).toml", "-x.toml",
    "chain0.toml", "diamonds.toml",
]  # fmt: skip
PLACES = ["folder", "fine.toml", "/dev/null/x", "/proc/nowhere/x", "x" * 5000, "loop.toml", "loop.toml/x", "pipe.toml", "zero.toml", ""]


def drawn(seed: int, count: int) -> list[Case]:
    """So many cases of every kind in turn, the same for the same seed."""
    draw = random.Random(seed)
    kinds = [_of_text, _of_name, _of_number, _of_setting, _of_place, _of_query, _of_folder, _of_table, _of_change]
    found: dict[tuple[str, ...], Case] = {}
    turn = 0
    while len(found) < count:
        case = kinds[turn % len(kinds)](draw)
        found.setdefault(tuple(case.words), case)
        turn += 1
    return list(found.values())


def _of_text(draw: random.Random) -> Case:
    return Case("content of a file", draw.choice(READ_BY)(f"{draw.choice(list(TEXTS))}.toml"))


def _of_name(draw: random.Random) -> Case:
    name = draw.choice(NAMES)
    others = [["new", "made", "--place", name], ["new", "made", "--force", name], ["country", "--force", name, "--out", "made"],
              ["places", f"no such {name}"], ["rooms", "--rooms", name]]  # fmt: skip
    return Case("name of a file", draw.choice([*(way(name) for way in READ_BY), *others]))


def _of_number(draw: random.Random) -> Case:
    bad = draw.choice(NUMBERS)
    return Case("number", draw.choice([
        ["run", "baseline", "--replicates", draw.choice(HUGE)],
        ["run", "baseline", "--months", "--replicates", draw.choice(HUGE)],
        ["run", "baseline", "--replicates", bad],
        ["run", "baseline", "--threads", draw.choice([bad, "0"])],
        ["run", "baseline", "--seed", bad],
        ["run", "baseline", "--time-limit", draw.choice(["", "1", "x", "-1h", "0s", "9" * 400 + "h", "1e9h", "1h1"]) or "?"],
        ["run", "baseline", "--memory-limit", draw.choice(["1", "GB", "-1GB", "0GB", "1EB"])],
        ["compare", "no-cuts", "baseline", "--no-report", "--replicates", draw.choice(HUGE)],
        ["compare", "no-cuts", "baseline", "--no-report", "--assumption-sets", draw.choice(HUGE)],
        ["compare", "no-cuts", "baseline", "--no-report", "--precision", draw.choice(["0", "-1", "2", "nan", bad])],
        ["compare", "no-cuts", *["baseline"] * 3000, "--no-report", "--replicates", "10000"],
        ["explain", "baseline", "--replicate", draw.choice([bad, "99999999999999999999999"])],
        ["explain", "baseline", "--year", draw.choice([bad, "999999999999", "-5"])],
        ["country", "--synthetic", "--areas", draw.choice(HUGE), "--out", "made"],
        ["country", "--run", "--set", "levers.grant.multiplier=0.5", "--replicates", draw.choice(HUGE)],
        ["country", "--synthetic", "--run", "--set", "levers.grant.multiplier=0.5", "--areas", draw.choice(["0", bad])],
        ["country", "--run", "--set", "levers.grant.multiplier=0.5", "--assumption-sets", draw.choice(HUGE)],
        ["optimise", "best-mix-under-budget", "--trials", draw.choice([*HUGE, bad])],
        ["hypotheses", "thesis-hypotheses", "--false-positives", draw.choice([*HUGE, bad])],
        ["sweep", "grant-and-evaluation", "--only", draw.choice([*HUGE, bad])],
        ["sweep", "experiment.toml", "--dask", draw.choice(["local:0", "local:-1", "local:x", "\x1b[31m", "nowhere.json", ""])],
        ["new", "made", "--place", "Leeds", "--years", draw.choice([*HUGE, bad, "0"])],
        ["new", "made", "--place", "Leeds", "--first-year", draw.choice([*HUGE, bad, "0"])],
        ["country", "--years", draw.choice([*HUGE, bad, "0"]), "--out", "made"],
        ["view", "--no-open", "--port", draw.choice(["-1", "65536", bad or "x"])],
    ]))  # fmt: skip


def _of_setting(draw: random.Random) -> Case:
    setting = draw.choice(SETTINGS)
    return Case("setting", draw.choice([
        ["run", "baseline", "--replicates", "2", "--set", setting],
        ["explain", "baseline", "--set", setting],
        ["compare", "baseline", "baseline", "--no-report", "--replicates", "2", "--set-everywhere", setting],
        ["country", "--synthetic", "--run", "--areas", "2", "--replicates", "2", "--set", setting],
    ]))  # fmt: skip


def _of_place(draw: random.Random) -> Case:
    place = draw.choice(PLACES)
    return Case("place to write", draw.choice([
        ["run", "baseline", "--replicates", "2", "--out", place],
        ["compare", "no-cuts", "baseline", "--replicates", "2", "--assumption-sets", "0", "--out", place],
        ["sweep", "experiment.toml", "--out", place],
        ["country", "--synthetic", "--areas", "2", "--out", place],
        ["kit", "--out", place if "loop" not in place else "folder"],  # a link is replaced by the file, wherever it led
        ["hypotheses", "thesis-hypotheses", "--out", place],
        ["optimise", "best-mix-under-budget", "--out", place],
        ["calibrate", "calibrate-recorded-crime", "--out", place],
        ["analyse", "sound", "--out", place],
        ["results", "sound", "--export", f"{place}.csv" if place else place, "--table", "nowhere"],
        ["results", "sound", "--export", draw.choice(["fine.toml/x.xlsx", "a.pdf", "folder", "/dev/null"])],
        ["new", "a+b" if place.split(".")[0] in ("folder", "fine", "zero", "pipe", "loop") else place or "/", "--overwrite"],
    ]))  # fmt: skip


def _of_query(draw: random.Random) -> Case:
    query = draw.choice(QUERIES)
    return Case("query", ["results", "sound", "--sql", query, *draw.choice([[], ["--json"], ["--csv"], ["--export", "answer.csv"]]),
                          "--time-limit", "5s"])  # fmt: skip


def _of_folder(draw: random.Random) -> Case:
    folder = draw.choice([f"results-{name}" for name in (*MANIFESTS, "zero", "pipe", "folder")] + NAMES)
    ways = (
        ["results", folder],
        ["results", folder, "--json"],
        ["verify", folder],
        ["analyse", folder],
        ["results", folder, "--export", "made"],
    )
    return Case("folder of results", draw.choice([*ways, ["results", folder, "--sql", "SELECT 1"]]))


def _of_table(draw: random.Random) -> Case:
    file = draw.choice([*(f"{name}.csv" for name in (*TABLES, "large", "zero", "loop", "pipe", "folder")), "/dev/zero", "x" * 5000, ""])
    return Case("table", ["compare", "no-cuts", "baseline", "--replicates", "2", "--no-report", "--assumptions", file])


def _of_change(draw: random.Random) -> Case:
    """A sound file in which some characters are put in the place of others."""
    text = list(EXPERIMENT if draw.random() < 0.5 else CHILD + '[levers.grant]\nmultiplier = 0.5\npath = { "2011-04" = 0.8 }\n')
    for _ in range(draw.randint(1, 12)):
        text[draw.randrange(len(text))] = draw.choice(['"', "[", "]", "{", "}", "=", ".", "\n", "9", "-", "\\", "\x00", "\u202e", "e", "#"])
    words = ["sweep", "{}", "--dry-run"] if "policies" in "".join(text) else ["check", "{}"]
    return Case("changed characters", [word.replace("{}", "changed:" + "".join(text)) for word in words], EITHER_WAY)


def settled(case: Case, folder: Path, number: int) -> list[str]:
    """The words of a case, with what stands in the command itself written to a file."""
    words = []
    for word in case.words:
        if word.startswith("changed:"):
            name = f"changed{number}.toml"
            _write(folder / name, word.removeprefix("changed:"))
            words.append(name)
        else:
            words.append(word)
    return words


# -------------------------------------------------------------------------------------------------------------- running


class Running:
    """A case in a process of its own: a copy of this one, which has read the package already, so that none waits for imports."""

    def __init__(self, case: Case, folder: Path, number: int) -> None:
        self.case = case
        self.words = settled(case, folder, number)
        self.told = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it has been read
        self.started, self.largest, self.spent = time.monotonic(), 0, 0.0
        self.process = os.fork()
        if self.process == 0:
            _be_cspsim(self.words, folder, self.told.fileno())

    def ended(self) -> Ended | None:
        """What came of it; None while it goes on. Ends it when it has taken too much.

        Time is that of the processor, so that other work on the machine does not count; waiting for something is told by the clock.
        """
        found, status, usage = os.wait4(self.process, os.WNOHANG)
        if found:
            self.largest = max(self.largest, usage.ru_maxrss * 1024)
            self.spent = usage.ru_utime + usage.ru_stime
            return self._told(os.waitstatus_to_exitcode(status))
        self.largest, self.spent = max(self.largest, _resident(self.process)), _spent(self.process)
        if self.spent <= SECONDS and self.largest <= MEMORY and time.monotonic() - self.started <= WAITING:
            return None
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        return self._told(None)

    def _told(self, code: int | None) -> Ended:
        too_much = self.largest > MEMORY or self.spent > SECONDS
        with self.told:
            self.told.seek(0)
            output = self.told.read().decode("utf-8", "replace")
        return Ended(self.case, None if too_much else code, self.spent, self.largest, output)


def _be_cspsim(words: list[str], folder: Path, told: int) -> None:
    """Become the command line; never returns."""
    code = 70
    try:
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(told, 1)
        os.dup2(told, 2)
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode) for number, mode in enumerate("rww"))
        sys.argv = ["cspsim", *words]
        from cspsim.cli import main as command_line

        command_line()
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 0 if left.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _resident(process: int) -> int:
    """Bytes of memory a process has now."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def _spent(process: int) -> float:
    """Seconds of the processor a process has used."""
    try:
        parts = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError):
        return 0.0


def run_all(cases: list[Case], folder: Path) -> list[Ended]:
    """Every case, two at a time."""
    for module in PRELOADED:
        importlib.import_module(module)
    waiting = list(enumerate(cases))[::-1]
    under_way: list[Running] = []
    done: list[Ended] = []
    while waiting or under_way:
        while waiting and len(under_way) < 2:
            number, case = waiting.pop()
            under_way.append(Running(case, folder, number))
        for one in list(under_way):
            ended = one.ended()
            if ended is not None:
                under_way.remove(one)
                done.append(ended)
                if len(done) % 50 == 0:
                    print(f"{len(done)} of {len(cases)}", flush=True)
                if ended.fault:
                    print(_about(ended), flush=True)
        time.sleep(0.02)
    return done


def _about(one: Ended) -> str:
    return f"--- {one.fault} ({one.seconds:.0f} s, {one.memory / 1e6:.0f} MB): {str(one.case.words)[:300]}\n{one.output[-700:]}"


def main() -> None:
    """Run the campaign, say what is wrong, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", default="", help="only cases of this kind")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        folder = Path(name)
        prepare(folder)
        made = subprocess.run(
            [sys.executable, "-m", "cspsim.cli", "sweep", "experiment.toml", "--out", "sound"], cwd=folder, capture_output=True, check=False
        )
        assert made.returncode == 0, made.stderr.decode()
        cases = [case for case in drawn(asked.seed, asked.count) if asked.kind in case.kind]
        done = run_all(cases, folder)
    figures = {
        "inputs": len(done),
        "seed": asked.seed,
        "by kind": dict(sorted(Counter(one.case.kind for one in done).items())),
        "by command": dict(sorted(Counter(one.case.words[0] for one in done).items())),
        "exit codes": dict(sorted(Counter(str(one.code) for one in done).items())),
        "faults": dict(Counter(one.fault for one in done if one.fault)),
        "longest, seconds of the processor": round(max(one.seconds for one in done), 1),
        "largest, MB": round(max(one.memory for one in done) / 1e6),
    }
    print(json.dumps(figures, indent=2))
    if not asked.kind:
        RESULT.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    sys.exit(1 if figures["faults"] else 0)


if __name__ == "__main__":
    main()
