"""Disks that are full at different places of a sweep: real ones, a file system in memory of so many kilobytes each. Needs root on Linux.

python tools/soak/full_disk.py
"""

import subprocess
import tempfile
from pathlib import Path

from small_sweeps import NAMED, content, prepared, report

from cspsim.basics.errors import CspsimError
from cspsim.sweep.stored_results import load_results
from cspsim.sweep.sweeping import run_sweep

PLACES = 20


def main() -> None:
    """Run the campaign and keep its figures."""
    faults: list[str] = []
    kept: list[int] = []
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        experiment = prepared(place)
        run_sweep(experiment, place / "whole", said=NAMED)
        whole = content(place / "whole")
        needed = sum(-(-path.stat().st_size // 4096) * 4 + 4 for path in (place / "whole").rglob("*"))
        disk = place / "disk"
        disk.mkdir()
        for number in range(PLACES):
            size = 16 + (2 * needed - 16) * number // PLACES
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", disk], check=True)
            try:
                try:
                    run_sweep(experiment, disk / "results", threads=2, said=NAMED)
                    faults.append(f"{size} kB: large enough: the campaign needs smaller disks")
                except CspsimError as error:
                    if "No space left" not in str(error):
                        faults.append(f"{size} kB: {error}")
                except Exception as error:
                    faults.append(f"{size} kB: {type(error).__name__}: {error}")
                kept.append(kept_runs(disk / "results", f"{size} kB", faults))
                subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
                run_sweep(experiment, disk / "results", resume=True, said=NAMED)
                if content(disk / "results") != whole:
                    faults.append(f"{size} kB: not the bytes of an uninterrupted sweep")
            finally:
                subprocess.run(["umount", disk], check=True)
    report("full_disk", {"places": PLACES, "runs_kept_at_each": kept, "faults": faults})


def kept_runs(folder: Path, where: str, faults: list[str]) -> int:
    """Runs that are there after the disk was full; the status must say that the sweep is not at work."""
    try:
        results = load_results(folder)
    except CspsimError:  # full before there was a manifest
        return 0
    if results.manifest["status"] not in ("paused", "interrupted"):
        faults.append(f"{where}: the status says {results.manifest['status']}")
    return int(results.manifest["counts"]["runs"])


if __name__ == "__main__":
    main()
