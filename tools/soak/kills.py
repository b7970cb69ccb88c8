"""Processes killed at random moments (kill -9): sweeps, rooms of a game, workers of a cluster. Is anything lost or doubled?

python tools/soak/kills.py        # 40 sweeps, 10 rooms, 5 workers; needs fork, so Linux or macOS
"""

import multiprocessing
import os
import random
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from cspsim.web.play.store import Limits
from small_sweeps import NAMED, content, prepared, report

from cspsim.sweep.stored_results import load_results
from cspsim.sweep.sweeping import run_sweep

SWEEPS, ROOMS, WORKERS = 40, 10, 5
PLENTY = Limits(rooms=10_000, rooms_each=10_000)
FORK: Any = multiprocessing.get_context("fork")
moments = random.Random(20261201)


def killed(work: Any, *arguments: Any, begun: Any, within: float) -> bool:
    """Start work in a process, kill it a moment after it has begun; whether it was still at it."""
    process = FORK.Process(target=work, args=arguments)
    process.start()
    while not begun() and process.is_alive():
        time.sleep(0.001)
    time.sleep(moments.random() * within)
    at_work = process.is_alive()
    process.kill()
    process.join()
    return bool(at_work)


# ------------------------------------------------------------------------------------------------------------- sweeps


def sweep_slowly(experiment: Any, folder: Path, resume: bool) -> None:
    """A sweep that takes a little longer than it needs."""
    run_sweep(experiment, folder, resume=resume, threads=2, progress=lambda runs: time.sleep(0.01), said=NAMED)


def kill_sweeps(place: Path, faults: list[str]) -> dict[str, int]:
    """Each sweep is killed up to three times, then gone on with to the end."""
    experiment = prepared(place)
    run_sweep(experiment, place / "whole", said=NAMED)
    whole = content(place / "whole")
    kills = sweeps = 0
    while kills < SWEEPS:
        sweeps += 1
        folder = place / f"sweep-{sweeps}"
        for attempt in range(3):
            lock = folder / "sweep.lock"
            kills += killed(sweep_slowly, experiment, folder, attempt > 0, begun=lock.is_file, within=0.5)
            if (folder / "manifest.json").is_file():
                status = load_results(folder).manifest["status"]
                if status not in ("interrupted", "paused", "complete"):
                    faults.append(f"sweep {sweeps}: nobody is at work and the status says {status}")
        run_sweep(experiment, folder, resume=True, said=NAMED)
        if content(folder) != whole:
            faults.append(f"sweep {sweeps}: not the bytes of an uninterrupted sweep")
    return {"kills_of_sweeps": kills, "sweeps_byte_identical": sweeps}


# -------------------------------------------------------------------------------------------------------------- rooms


def play(path: Path, told: Path) -> None:
    """Rooms that are opened, joined and played, each change written down elsewhere once it was acknowledged."""
    from test_play_rooms import FACILITATOR, SEATS, new_rooms, opened, submit
    from worlds import write_tiny_world

    from cspsim.scenario.scenario import load_scenario

    rooms = new_rooms(load_scenario(write_tiny_world(path.parent)), path, limits=PLENTY)
    with told.open("a") as file:
        while True:
            code = opened(rooms, SEATS)
            for name in SEATS:
                submit(rooms, code, name, {})
                view = rooms.view(code, FACILITATOR)
                file.write(f"{code} {view.quarter} {view.step} {len(view.handed_in or ())}\n")
                file.flush()


def kill_rooms(place: Path, faults: list[str]) -> dict[str, int]:
    """Whatever was acknowledged before the kill stands in the rooms that are read again."""
    from test_play_rooms import FACILITATOR, new_rooms
    from worlds import write_tiny_world

    from cspsim.scenario.scenario import load_scenario

    tiny = load_scenario(write_tiny_world(place))
    kills = acknowledged = 0
    for number in range(ROOMS):
        folder = place / f"rooms-{number}"
        folder.mkdir()
        told = folder / "told"
        told.touch()
        kills += killed(play, folder / "play.sqlite", told, begun=lambda told=told: told.stat().st_size, within=0.5)
        rooms = new_rooms(tiny, folder / "play.sqlite", limits=PLENTY)
        last: dict[str, tuple[int, int, int]] = {}
        for line in told.read_text().splitlines():
            code, quarter, step, handed_in = line.split()
            last[code] = (int(quarter), int(step), int(handed_in))
            acknowledged += 1
        for code, before in last.items():
            view = rooms.view(code, FACILITATOR)
            if (view.quarter, view.step, len(view.handed_in or ())) < before:
                faults.append(f"rooms {number}: {code} was at {before}, is at {(view.quarter, view.step, len(view.handed_in or ()))}")
        rooms.close()
    return {"kills_of_rooms": kills, "moves_acknowledged": acknowledged}


# ------------------------------------------------------------------------------------------------------------ workers


def kill_workers(place: Path, faults: list[str]) -> dict[str, int]:
    """A worker of each cluster, while it works; the sweep ends in the bytes of threads."""
    from distributed import Client, LocalCluster

    experiment = prepared(place)
    run_sweep(experiment, place / "threads", said=NAMED)
    kills = 0
    for number in range(WORKERS):
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=0) as cluster:
            with Client(cluster.scheduler_address) as client:
                victims = list(client.run(os.getpid).values())
            left = [moments.randrange(1, 8)]

            def progress(runs: int, left: list[int] = left, victims: list[int] = victims) -> None:
                nonlocal kills
                left[0] -= 1
                if left[0] == 0:
                    os.kill(moments.choice(victims), signal.SIGKILL)
                    kills += 1

            folder = place / f"dask-{number}"
            run_sweep(experiment, folder, dask=cluster.scheduler_address, progress=progress, said=NAMED)
            if content(folder) != content(place / "threads"):
                faults.append(f"worker {number}: not the bytes of threads")
    return {"kills_of_workers": kills}


def main() -> None:
    """Run the campaigns and keep their figures."""
    faults: list[str] = []
    figures: dict[str, Any] = {}
    for campaign in (kill_sweeps, kill_rooms, kill_workers):
        with tempfile.TemporaryDirectory() as name:
            figures |= campaign(Path(name), faults)
    report("kills", {**figures, "faults": faults})


if __name__ == "__main__":
    main()
