"""What is built and installed is whole: wheel and source archive hold every file, and a clean environment runs from them.

Nothing is downloaded: the build runs in this process, and the clean environment borrows the installed dependencies of this one.
"""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("cspsim", "scenarios", "experiments")
OF_THE_MACHINE = {"__pycache__", "cspsim-results"}
KINDS = {".css", ".csv", ".html", ".json", ".py", ".toml", ".typed", ".vue"}
"""Kinds of file that a user's installation cannot do without; each occurs, so that none can be lost without notice."""


def shipped_files() -> set[str]:
    """Every file of the package and its data, by the name it has once installed."""
    found = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and not OF_THE_MACHINE & set(path.parts) and path.suffix != ".pyc":
                name = path.relative_to(ROOT).as_posix()
                found.add(name if folder == "cspsim" else f"cspsim/{name}")
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The source archive, and the wheel built from what the archive holds, as an index builds it."""
    folder = tmp_path_factory.mktemp("built")
    archive = Path(next(SdistBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])))
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    unpacked = folder / archive.name.removesuffix(".tar.gz")
    wheel = Path(next(WheelBuilder(str(unpacked)).build(directory=str(folder), versions=["standard"])))
    return archive, wheel


def test_the_wheel_holds_every_file_of_the_package_with_scenarios_and_experiments(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[1]) as wheel:
        inside = {name for name in wheel.namelist() if ".dist-info/" not in name}
        information = wheel.read(next(name for name in wheel.namelist() if name.endswith("METADATA"))).decode("utf-8")
    assert shipped_files() - inside == set(), "missing from the wheel"
    assert inside - shipped_files() == set(), "in the wheel without being part of the package"
    assert {Path(name).suffix for name in inside} >= KINDS
    assert "cspsim/py.typed" in inside
    assert "# Contributing" not in information
    assert "Community Safety Partnership" in information


def test_the_source_archive_holds_what_a_developer_needs(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    here = {name if name.startswith("cspsim/") and (ROOT / name).exists() else name.removeprefix("cspsim/") for name in shipped_files()}
    assert here - inside == set(), "missing from the source archive"
    wanted = (
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "constraints.txt",
        "docs/model.md",
        "tools/write_docs.py",
        "tests/conftest.py",
    )
    assert set(wanted) - inside == set()


@pytest.fixture(scope="module")
def installed(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of a clean environment with the wheel in it; dependencies are found where this Python has them."""
    home = tmp_path_factory.mktemp("clean")
    venv.create(home, with_pip=False)
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / f"python{sysconfig.get_config_var('EXE') or ''}"
    command = ["-m", "pip", "--python", str(python), "install", "-q", "--no-deps", "--no-index", "--no-compile", str(built[1])]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0, done.stderr
    own = Path(_ask(python, "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    # a path listed in a .pth file is searched last, and .pth files within it are not read: not those of an editable cspsim either
    (own / "dependencies.pth").write_text("\n".join(path for path in sys.path if path.endswith("-packages")) + "\n", encoding="utf-8")
    return python


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PYTHONIOENCODING": "utf-8"}


def _ask(python: Path, code: str) -> str:
    done = subprocess.run(
        [python, "-c", code], capture_output=True, text=True, encoding="utf-8", env=_environment(), cwd=python.parent, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_clean_environment_runs_the_installed_package_and_not_this_folder(installed: Path, tmp_path: Path) -> None:
    program = installed.with_name(f"cspsim{sysconfig.get_config_var('EXE') or ''}")

    def told(*arguments: str) -> str:
        done = subprocess.run(
            [program, *arguments], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", env=_environment(), timeout=120
        )
        assert done.returncode == 0, f"cspsim {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    where = Path(_ask(installed, "import cspsim; print(cspsim.__file__)").strip())
    assert installed.parent.parent in where.parents
    listed = told("list")
    lacking = [path.stem for path in (ROOT / "scenarios").glob("*.toml") if path.stem not in listed]
    assert lacking == [], "shipped, and not listed"
    told("kit", "--out", "kit.html")
    assert "role card" in (tmp_path / "kit.html").read_text(encoding="utf-8").lower()
