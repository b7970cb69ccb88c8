"""Nothing that was claimed can be taken back unseen: receipts before runs, and alterations after results by name."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis_worlds import HEAD, IMPACT, MONEY, SILENCE, write_hypotheses

from cspsim.basics.errors import CspsimError
from cspsim.hypotheses.freezing import FileRecord, freeze, receipts_folder, record_run, text_hash
from cspsim.hypotheses.hypothesis_file import load_hypotheses
from cspsim.hypotheses.hypothesis_words import history_in_words


def at(hour: int) -> datetime:
    return datetime(2026, 11, 22, hour, 30, tzinfo=UTC)


class Desk:
    """A hypothesis file on a desk, frozen and run at given hours without any run being made."""

    def __init__(self, folder: Path) -> None:
        self.path = write_hypotheses(folder)
        self.folder = receipts_folder(folder / "results" / "claims")

    def freeze(self, hour: int) -> FileRecord:
        return freeze(load_hypotheses(self.path), self.folder, at(hour))

    def run(self, hour: int, seed: int = 1) -> FileRecord:
        history = self.freeze(hour)
        return record_run(history, f"{history.present.number}{seed}" + "0" * 20, seed, {"silence": "supported"}, at(hour + 1))

    def alter(self, old: str, new: str) -> None:
        text = self.path.read_text(encoding="utf-8")
        assert old in text
        self.path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_receipt_lies_beside_the_results_before_the_run(desk: Desk) -> None:
    history = desk.freeze(9)
    (path,) = desk.folder.iterdir()
    assert desk.folder.name == "claims.frozen"
    receipt = json.loads(path.read_text(encoding="utf-8"))
    assert receipt["sha256"] == text_hash(desk.path.read_text(encoding="utf-8")) == history.present.sha256
    assert receipt["date"] == "2026-11-22 09:30:00 UTC"
    assert receipt["text"] == desk.path.read_text(encoding="utf-8")
    assert history.alterations == []
    assert history.present.short in history_in_words(history)[0]


def test_the_hash_is_that_of_the_file(desk: Desk) -> None:
    """As any tool for SHA-256 gives it, and the same with the line ends of another system."""
    import hashlib

    assert text_hash(desk.path.read_text(encoding="utf-8")) == hashlib.sha256(desk.path.read_bytes()).hexdigest()
    first = desk.freeze(9)
    desk.path.write_bytes(desk.path.read_bytes().replace(b"\n", b"\r\n"))
    assert desk.freeze(10).present == first.present


def test_an_unaltered_file_keeps_its_receipt(desk: Desk) -> None:
    first = desk.run(9)
    before = {path: path.read_bytes() for path in desk.folder.iterdir()}
    again = desk.run(15)
    assert again.present == first.present
    assert again.alterations == []
    assert {path: path.read_bytes() for path in desk.folder.iterdir()} == before


def test_what_is_changed_before_any_result_is_no_alteration(desk: Desk) -> None:
    desk.freeze(9)
    desk.alter('"lower"', '"higher"')
    assert desk.run(11).alterations == []


def test_what_is_changed_after_results_is_told_by_name(desk: Desk) -> None:
    desk.run(9)
    desk.alter("smallest_effect = 0.0025", "smallest_effect = 0.001")
    desk.alter('changes = { "uncertainties.initial_trust" = 0.8 }', 'changes = { "uncertainties.initial_trust" = 0.7 }')
    desk.alter("significance = 0.05", "significance = 0.1")
    desk.alter("[hypotheses.money]", "[hypotheses.cash]")
    history = desk.run(11)
    (alteration,) = history.alterations
    assert alteration.receipt.number == 1
    assert alteration.first_results == "2026-11-22 10:30:00 UTC"
    assert alteration.changes == (
        "significance: 0.05 became 0.1",
        "money: taken out",
        "cash: added",
        "silence: treatment.changes.uncertainties.initial_trust: 0.8 became 0.7",
        "impact: smallest_effect: 0.0025 became 0.001",
    )
    (line,) = [line for line in history_in_words(history) if line.startswith("ALTERED")]
    assert alteration.receipt.short in line
    assert "impact: smallest_effect" in line


def test_every_earlier_version_with_results_is_told(desk: Desk) -> None:
    for hour, (old, new) in enumerate((("Trust silences.", "Trust mutes."), ("Trust mutes.", "Trust hushes.")), 1):
        desk.run(2 * hour)
        desk.alter(old, new)
    assert [one.receipt.number for one in desk.freeze(9).alterations] == [1, 2]


def test_going_back_is_the_first_version_again(desk: Desk) -> None:
    desk.run(9)
    desk.alter('"lower"', '"higher"')
    desk.run(11)
    desk.alter('"higher"\nsmallest_effect = 0.02', '"lower"\nsmallest_effect = 0.02')
    desk.path.write_text(HEAD + SILENCE + IMPACT + MONEY, encoding="utf-8")
    history = desk.freeze(13)
    assert history.present.number == 1
    assert history.alterations == []


def test_comments_are_no_hypothesis(desk: Desk) -> None:
    desk.run(9)
    desk.alter('title = "Tiny hypotheses"', '# a remark\ntitle = "Other words"')
    (alteration,) = desk.run(11).alterations
    assert alteration.changes == ("no hypothesis: only comments, titles or layout",)


def test_a_scenario_changed_behind_a_hypothesis_is_told(desk: Desk) -> None:
    desk.run(9)
    world = desk.path.parent / "tiny.toml"
    world.write_text(world.read_text(encoding="utf-8").replace("match_funds = 20000", "match_funds = 30000"), encoding="utf-8")
    (alteration,) = desk.run(11).alterations
    assert alteration.changes == tuple(f"{name}: a scenario behind it was changed" for name in ("silence", "impact", "money"))


def test_a_choice_among_seeds_is_told(desk: Desk) -> None:
    desk.run(9)
    assert not any("seeds" in line for line in history_in_words(desk.run(10)))
    assert any("2 seeds: 1, 7" in line for line in history_in_words(desk.run(11, seed=7)))


def test_a_receipt_that_was_tampered_with_is_refused(desk: Desk) -> None:
    desk.freeze(9)
    (path,) = desk.folder.iterdir()
    path.write_text(path.read_text(encoding="utf-8").replace("Trust silences", "Trust never silences"), encoding="utf-8")
    with pytest.raises(CspsimError, match="does not have the hash it states"):
        desk.freeze(10)
    path.write_text('{"text": "something"}', encoding="utf-8")
    with pytest.raises(CspsimError, match="not a receipt"):
        desk.freeze(10)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(CspsimError, match="cannot be read"):
        desk.freeze(10)


def test_nothing_is_written_over(desk: Desk) -> None:
    history = desk.freeze(9)
    record_run(history, "a" * 64, 1, {}, at(10))
    with pytest.raises(CspsimError, match="on record already"):
        record_run(history, "a" * 64, 2, {}, at(11))
    assert not list(desk.folder.glob(".*"))
