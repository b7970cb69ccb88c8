"""Single bits turned over in the files of sweeps, finished and stopped: is each that changes a value noticed, and in words?

python tools/soak/bit_flips.py            # 2,000 flips
python tools/soak/bit_flips.py --flips 50
"""

import argparse
import random
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from small_sweeps import NAMED, content, prepared, report

from cspsim.basics.errors import CspsimError
from cspsim.sweep.stored_results import RUN_TABLES, SweepResults, load_results
from cspsim.sweep.sweeping import run_sweep

RESUMED_EVERY = 100  # flips; making everything again takes longer than noticing


def tables_of(results: SweepResults) -> list[object]:
    """Everything a reader can see, to be compared."""
    frames = [results.policies, results.assumptions, *(getattr(results, name) for name in RUN_TABLES)]
    return [results.manifest, *(frame.to_csv() for frame in frames)]


def main() -> None:
    """Run the campaign and keep its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flips", type=int, default=2000)
    flips = parser.parse_args().flips
    draw = random.Random(20261201)
    noticed = harmless = made_again = 0
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        experiment = prepared(place)
        run_sweep(experiment, place / "whole", said=NAMED)
        with suppress(KeyboardInterrupt):
            run_sweep(experiment, place / "half", threads=1, said=NAMED, progress=stop_after(9))
        was = {folder: tables_of(load_results(place / folder)) for folder in ("whole", "half")}
        for number in range(flips):
            folder = place / ("whole" if number % 2 else "half")
            path = draw.choice([path for path in sorted(folder.rglob("*")) if path.is_file()])
            before = path.read_bytes()
            bit = draw.randrange(8 * len(before))
            path.write_bytes(before[: bit // 8] + bytes([before[bit // 8] ^ 1 << bit % 8]) + before[bit // 8 + 1 :])
            where = f"bit {bit} of {path.relative_to(place)}"
            try:
                seen = tables_of(load_results(folder))
            except CspsimError:
                noticed += 1
            except Exception as error:
                faults.append(f"{where}: {type(error).__name__}: {error}")
            else:
                if seen == was[folder.name]:
                    harmless += 1
                else:
                    faults.append(f"{where}: not noticed")
            if number % RESUMED_EVERY == 0:
                copy = place / "again"
                shutil.copytree(folder, copy)
                run_sweep(experiment, copy, resume=True, said=NAMED)
                made_again += 1
                if content(copy) != content(place / "whole"):
                    faults.append(f"{where}: not made again byte for byte")
                shutil.rmtree(copy)
            path.write_bytes(before)
    report("bit_flips", {"flips": flips, "noticed": noticed, "changed_no_value": harmless, "made_again": made_again, "faults": faults})


def stop_after(jobs: int) -> object:
    """Progress that stops a sweep after so many jobs."""
    left = [jobs]

    def progress(runs: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt

    return progress


if __name__ == "__main__":
    main()
