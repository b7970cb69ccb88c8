"""``tools/regenerate.py`` says what changed, and a check leaves everything as it was."""

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_docs import ROOT, _tool

SCRIPT = """
import sys
from pathlib import Path
from PIL import Image
docs = Path(__file__).resolve().parents[1] / "docs"
(docs / "page.md").write_text("one\\nTWO\\nthree\\nfour\\n")
(docs / "new.md").write_text("new\\n")
picture = Image.new("RGB", (10, 10))
picture.putpixel((0, 0), (255, 0, 0))
picture.save(docs / "picture.png")
sys.exit(int(sys.argv[1]) if sys.argv[1:] else 0)
"""
BEFORE = "one\ntwo\nthree\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with one script that writes a page, a new page and a picture."""
    for folder in ("tools", "docs"):
        (tmp_path / folder).mkdir()
    (tmp_path / "tools" / "write.py").write_text(SCRIPT)
    (tmp_path / "docs" / "page.md").write_text(BEFORE)
    Image.fromarray(np.zeros((10, 10, 3), dtype=np.uint8)).save(tmp_path / "docs" / "picture.png")
    return tmp_path


def parts(*arguments: str) -> dict:
    tool = _tool("regenerate")
    return {"pages": tool.Made(("write.py", *arguments), ("docs/*.md", "docs/*.png"), "pages")}


def test_it_says_by_file_what_changed(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tool = _tool("regenerate")
    assert tool.run_parts(["pages"], check=False, parts=parts(), root=tree) == 0
    told = capsys.readouterr().out
    assert "pages: docs/page.md: changed: 1 line gone, 2 lines new" in told
    assert "pages: docs/new.md: new" in told
    assert "pages: docs/picture.png: changed: 1 % of its pixels" in told
    assert "CHANGELOG.md" in told
    assert tool.run_parts(["pages"], check=True, parts=parts(), root=tree) == 0, "everything is in step now"
    assert "nothing changed" in capsys.readouterr().out


def test_a_check_puts_everything_back_and_says_what_to_run(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tool = _tool("regenerate")
    before = tool.contents(tree, ("docs/*",))
    assert tool.run_parts(["pages"], check=True, parts=parts(), root=tree) == 1
    assert tool.contents(tree, ("docs/*",)) == before
    assert "python tools/regenerate.py --only pages" in capsys.readouterr().out


def test_a_script_that_fails_is_named(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tool = _tool("regenerate")
    assert tool.run_parts(["pages"], check=False, parts=parts("3"), root=tree) == 1
    assert "pages: tools/write.py 3 ended with code 3" in capsys.readouterr().err


def test_every_part_names_a_script_and_files_that_are_there() -> None:
    for name, made in _tool("regenerate").PARTS.items():
        assert (ROOT / "tools" / made.script[0]).is_file(), name
        for pattern in made.files:
            assert list(ROOT.glob(pattern)), f"{name}: nothing is called {pattern}"


def test_only_and_check_are_options_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    tool = _tool("regenerate")
    asked: list[tuple[list[str], bool]] = []
    monkeypatch.setattr(tool, "run_parts", lambda names, check: asked.append((list(names), check)) or 0)
    for arguments in (["--only", "model", "levers"], ["--check"], []):
        monkeypatch.setattr(sys, "argv", ["regenerate.py", *arguments])
        assert tool.main() == 0
    every = list(tool.PARTS)
    assert asked == [(["model", "levers"], False), ([name for name in every if name not in tool.PICTURES], True), (every, False)]
