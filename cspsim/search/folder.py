"""The folder of a search: what was asked, and the trials so far; refused if it holds another search."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from cspsim.basics.errors import CspsimError
from cspsim.basics.exports import MANIFEST, as_json, check_target, damages, is_sealed, sealed, write_checksums, write_whole
from cspsim.running.same_code import rules_hash
from cspsim.search.search_file import Search, trial_settings
from cspsim.search.trials import Archive

RUNNING, FINISHED = "running", "finished"
TRIALS, ANSWER = "trials.jsonl", "answer.json"


class SearchFolder:
    """One search on disk. A folder that is begun says so in its manifest until everything is written.

    Raises CspsimError for a folder of something else, of a search that asked something else, or of an unfinished one
    without ``resume``.
    """

    def __init__(self, target: Path, search: Search, trials: int | None = None, resume: bool = False) -> None:
        self.target = target
        self.trials = trials or search.data.trials
        self.settings = {**trial_settings(search), "rules of the model": rules_hash()}
        self.asked = search_digest(search, self.trials)
        check_target(target)
        before = self._manifest()
        if before is not None:
            self._check(before)
        self.archive = Archive(target / TRIALS, repair=resume)
        missing = any(len(self.archive.of(method)) < self.trials for method in search.data.methods)
        if before is not None and missing and not resume:
            done = sum(len(found) for found in self.archive.trials.values())
            wanted = self.trials * len(search.data.methods)
            raise CspsimError(f"{target} holds an unfinished search, {done:,} of {wanted:,} trials: go on with --resume")
        ended = before is not None and before["status"] == FINISHED and before["asked"] == self.asked and not missing
        damaged = damages(target) if ended else []
        if damaged and not resume:
            raise CspsimError("\n  ".join([f"{target} is damaged:", *damaged]) + "\n--resume makes it again.")
        self.finished = ended and not damaged

    def write_manifest(self, status: str, more: dict[str, Any] | None = None) -> None:
        """Write the manifest: what is asked, and how far the search has come."""
        content = {"kind": "search", "status": status, "asked": self.asked, "settings": self.settings, **(more or {})}
        if status == FINISHED:
            write_checksums(self.target, but=(MANIFEST, TRIALS))  # these two still change and carry their own seals
        write_whole(self.target / MANIFEST, as_json(sealed(content)) + "\n")

    def answer(self) -> dict[str, Any]:
        """The finished answer."""
        return dict(json.loads((self.target / ANSWER).read_text(encoding="utf-8")))

    def _manifest(self) -> dict[str, Any] | None:
        path = self.target / MANIFEST
        if not path.is_file():
            return None
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            found = None
        if not isinstance(found, dict) or found.get("kind") != "search":
            raise CspsimError(f"{self.target} holds results that are no search: choose a new folder with --out")
        if not is_sealed(found):
            raise CspsimError(f"{path} is not as it was written: choose a new folder with --out, or remove it to make it again")
        return found

    def _check(self, before: dict[str, Any]) -> None:
        was, now = before["settings"], json.loads(as_json(self.settings))
        changed = [
            f"  {key}: {was.get(key, 'not stated')} -> {now.get(key, 'not stated')}"
            for key in {**was, **now}
            if was.get(key) != now.get(key)
        ]
        if changed:
            lines = "\n".join(changed)
            raise CspsimError(f"{self.target} holds another search; since then this has changed:\n{lines}\nChoose a new folder with --out.")


def damages_of_search(target: Path) -> list[str]:
    """What has changed in the manifest and the trials of a search since they were written, a sentence each."""
    found = []
    try:
        if not is_sealed(json.loads((target / MANIFEST).read_text(encoding="utf-8"))):
            found.append(f"{target / MANIFEST} is not as it was written")
    except (OSError, ValueError):
        found.append(f"{target / MANIFEST} cannot be read")
    try:
        Archive(target / TRIALS, only_read=True)
    except CspsimError as error:
        found.append(str(error))
    return found


def search_digest(search: Search, trials: int) -> str:
    """A hash of everything the answer depends on, words included."""
    content = [
        search.data.model_dump(mode="json", by_alias=True), trials, trial_settings(search),
        {name: scenario.digest for name, scenario in search.references.items()}, rules_hash(), sys.modules["cspsim"].__version__,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:20]
