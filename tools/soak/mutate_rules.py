"""Does some test notice when one token of a rule is wrong? Each mutation is one token changed in a copy of the package.

    python tools/soak/mutate_rules.py --each 4            # four mutations of every rule file, drawn by --seed
    python tools/soak/mutate_rules.py --rule decision --each 1000   # every mutation of one rule

The rules stay interpreted, so that a mutation costs seconds. The rule's own tests are asked first, then all tests of rules.
What survived is printed and written to ``mutate_rules.json`` beside this script: either a test is missing, or the two ways of
writing give the same results (a reader decides which, and says so under "the_same_either_way").
"""

import argparse
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import tokenize
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
RULES = Path("cspsim", "model", "rules")
FIGURES = Path(__file__).with_suffix(".json")
NEEDED = ("cspsim", "tests", "scenarios", "experiments", "pyproject.toml")
OTHER = {
    **{">": ">=", ">=": ">", "<": "<=", "<=": "<", "==": "!=", "!=": "=="},
    **{"+": "-", "-": "+", "*": "/", "/": "*", "+=": "-=", "-=": "+=", "*=": "/="},
    **{"and": "or", "or": "and", "max": "min", "min": "max", "continue": "break", "0": "1", "1": "0", "12": "11"},
}
"""Token -> what it becomes."""
HANGS_AFTER = 120
"""Seconds after which a mutated rule that does not end counts as noticed."""


class Mutation(NamedTuple):
    """One token of one rule file, and what it becomes."""

    rule: str
    line: int
    column: int
    before: str
    after: str

    def applied_to(self, source: str) -> str:
        """The source with this one token changed."""
        lines = source.splitlines(keepends=True)
        line = lines[self.line - 1]
        lines[self.line - 1] = line[: self.column] + self.after + line[self.column + len(self.before) :]
        return "".join(lines)

    def __str__(self) -> str:
        return f"{self.rule}.py:{self.line}:{self.column} {self.before} -> {self.after}"


def mutations_of(rule: str, source: str) -> list[Mutation]:
    """Every mutation of one file, in the order of the text."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    kinds = (tokenize.OP, tokenize.NAME, tokenize.NUMBER)
    found = [token for token in tokens if token.type in kinds and token.string in OTHER]
    return [Mutation(rule, *token.start, token.string, OTHER[token.string]) for token in found]


def is_noticed(tree: Path, mutation: Mutation) -> bool:
    """Whether a test of the rules fails, or never ends, with this mutation in the tree; the tree is left as it was."""
    file = tree / RULES / f"{mutation.rule}.py"
    source = file.read_text(encoding="utf-8")
    file.write_text(mutation.applied_to(source), encoding="utf-8")
    try:
        own = tree / "tests" / "rules" / f"test_{mutation.rule}.py"
        return any(_fails(tree, tests) for tests in ([own] if own.exists() else []) + [tree / "tests" / "rules"])
    finally:
        file.write_text(source, encoding="utf-8")


def _fails(tree: Path, tests: Path) -> bool:
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join([str(tree), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(tests)]
    try:
        return subprocess.run(command, cwd=tree, env=environment, capture_output=True, timeout=HANGS_AFTER).returncode != 0
    except subprocess.TimeoutExpired:
        return True


def main() -> int:
    """Draw mutations, run them, and write what survived; 1 if something survived that is not explained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=4, help="mutations of every rule file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rule", help="only this rule file, such as decision")
    asked = parser.parse_args()
    explained = json.loads(FIGURES.read_text(encoding="utf-8"))["the_same_either_way"] if FIGURES.exists() else {}
    survived, tried = [], 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in NEEDED:
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tree / name)
        if _fails(tree, tree / "tests" / "rules"):
            print("the tests of the rules fail without any mutation: mend them first", file=sys.stderr)
            return 1
        for file in sorted((tree / RULES).glob("*.py")):
            if file.stem == "__init__" or asked.rule not in (None, file.stem):
                continue
            every = mutations_of(file.stem, file.read_text(encoding="utf-8"))
            for mutation in random.Random(asked.seed).sample(every, min(asked.each, len(every))):
                tried += 1
                noticed = is_noticed(tree, mutation)
                print(f"{'noticed ' if noticed else 'SURVIVED'} {mutation}", flush=True)
                if not noticed:
                    survived.append(_in_words(mutation))
    unexplained = [words for words in survived if words not in explained]
    print(f"{tried} mutations, {len(survived)} survived, {len(unexplained)} of them unexplained")
    if asked.rule is None:
        figures = {"seed": asked.seed, "tried": tried, "survived": survived, "unexplained": unexplained, "the_same_either_way": explained}
        FIGURES.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if unexplained else 0


def _in_words(mutation: Mutation) -> str:
    """The mutation by the text of its line, which stays when lines above it move."""
    line = (ROOT / RULES / f"{mutation.rule}.py").read_text(encoding="utf-8").splitlines()[mutation.line - 1].strip()
    return f"{mutation.rule}: {line}: {mutation.before} -> {mutation.after} at {mutation.column}"


if __name__ == "__main__":
    sys.exit(main())
