"""A sweep from start to end: begin or resume, hand out jobs, write what comes back, report the outcome."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from warnings import warn

from cspsim.basics.errors import CspsimError, needs
from cspsim.basics.exports import CHECKSUMS
from cspsim.sweep.designing import make_plan
from cspsim.sweep.executor import Job, Tables, in_own_process, on_threads
from cspsim.sweep.experiment import Experiment
from cspsim.sweep.folders import Folder, LocalFolder, folder_at
from cspsim.sweep.jobs import RUNS
from cspsim.sweep.locking import LOCK, locked
from cspsim.sweep.manifest import DamagedManifest
from cspsim.sweep.plan import Plan
from cspsim.sweep.precision import enough
from cspsim.sweep.store import COMPACTING, COMPLETE, PAUSED, SweepStore
from cspsim.sweep.stored_results import DESIGN_TABLES, INTERRUPTED, SweepResults, damaged_in_words, load_results

Progress = Callable[[int], None]
Tell = Callable[[str], None]

PATIENCE_WITH_A_JOB = 3  # deaths with the same job under way before it is tried in a process of its own


def run_sweep(
    experiment: Experiment,
    folder: str | Path,
    resume: bool = False,
    threads: int | None = None,
    dask: str | None = None,
    progress: Progress | None = None,
    said: str | None = None,
    tell: Tell = warn,
) -> SweepResults:
    """Run an experiment into a folder, or what is still missing of it.

    Args:
        experiment: what to run.
        folder: a new or unfinished folder, or an address such as ``s3://bucket/name``. Finished identical work is not run again.
        resume: go on where an earlier attempt stopped; the results are those of an uninterrupted sweep.
        threads: None uses every processor; not used with dask.
        dask: address of a scheduler, or ``local:N``.
        progress: called with the number of runs just finished, those found done first.
        said: how the user named the experiment, for commands that are shown.
        tell: called with a sentence about what a reader of the results should know at once, such as a worker that is left out.

    Raises:
        CspsimError: the folder holds something else, another design, what other code began, or what is unfinished or
            damaged without ``resume``; or the disk, the memory or the cluster gave out. Finished jobs are kept.
        KeyboardInterrupt: Ctrl-C; finished jobs are kept and the manifest says "paused".
    """
    plan = make_plan(experiment)
    place = folder_at(folder)
    with locked(place):
        store = SweepStore(place, plan)
        if _is_finished(store, resume):
            found = load_results(folder)
            found.was_finished = True
            return found
        store.open(said or str(experiment.path))
        try:
            notes = _rounds(store, threads, dask, progress or (lambda runs: None), tell)
            store.write_manifest(COMPACTING, notes)
            store.compact()
            _forget_all(place)
            store.finish(notes)
        except BaseException as error:
            with suppress(CspsimError):  # where nothing can be written any more, the lock that is gone says that nobody is at work
                store.write_manifest(PAUSED)
            if isinstance(error, MemoryError):
                raise CspsimError("there is not enough memory: use fewer --threads; finished jobs are kept, --resume goes on") from None
            raise
    return load_results(folder)


def _is_finished(store: SweepStore, resume: bool) -> bool:
    """Whether all is done already. Raises CspsimError where a folder must not be written to."""
    try:
        manifest = store.manifest()
    except DamagedManifest as error:
        if resume:
            return False
        raise CspsimError(f"{error}; --resume makes it again") from None
    if manifest is None:
        _check_strangers(store, resume)
        return False
    if manifest["digest"] != store.plan.digest:
        changes = "\n".join(f"  {line}" for line in settings_changes(manifest["settings"], store.plan.settings))
        raise CspsimError(f"{store.folder} holds another sweep; since then this has changed:\n{changes}\nChoose a new folder with --out.")
    if manifest["status"] == COMPLETE:
        damages = store.damages()
        if not damages:
            return True
        if not resume:
            raise CspsimError(damaged_in_words(damages))
    elif not resume:
        how_far = PAUSED if manifest["status"] == PAUSED else INTERRUPTED
        raise CspsimError(f"{store.folder} holds an unfinished sweep of this experiment ({how_far}): go on with --resume")
    store.check_code(manifest)
    return False


def _check_strangers(store: SweepStore, resume: bool) -> None:
    """Raises CspsimError where a folder without a manifest holds other files, or runs while ``resume`` was not asked for."""
    ours = {LOCK, CHECKSUMS, *(f"{name}.parquet" for name in DESIGN_TABLES)}
    strangers = [name for name in store.folder.names() if name not in ours]
    if strangers:
        raise CspsimError(f"{store.folder} holds files that are no sweep ({strangers[0]}): choose a new folder with --out")
    if not resume and store.folder.names(RUNS):
        raise CspsimError(f"{store.folder} holds runs and no manifest: --resume goes on with them")


def settings_changes(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What differs between the settings of two sweeps, a line each."""
    import json

    now = json.loads(json.dumps(now, default=str))
    lines = []
    for key in sorted({*before, *now}):
        if before.get(key) != now.get(key):
            if key.startswith("scenario of ") or key in ("rules of the model", "sets of the file"):
                lines.append(f"{key}: not the same content")
            else:
                lines.append(f"{key}: was {_shown(before.get(key))}, is {_shown(now.get(key))}")
    return lines


def _shown(value: Any) -> str:
    return "not there" if value is None else str(value)[:80]


def _rounds(store: SweepStore, threads: int | None, dask: str | None, progress: Progress, tell: Tell) -> list[str]:
    """Every round that is needed; one, unless a precision is to be reached. Returns what a reader has to know."""
    plan = store.plan
    notes: list[str] = []
    with _hands(plan, threads, dask, store, tell) as work:
        for number in range(len(plan.rounds)):
            done = store.done()
            missing = [job for job in plan.jobs(number) if not any(first <= job[0] and job[1] <= last for first, last in done)]
            progress(sum(last - first for first, last in plan.jobs(number)) - sum(last - first for first, last in missing))
            for job, tables in work(missing):
                store.write_part(*job, tables)
                _forget(store.folder, job)
                progress(job[1] - job[0])
            if plan.experiment.data.luck.precision is not None:
                reached, note = enough(store, number)
                if reached or number == len(plan.rounds) - 1:
                    return [note]
    return notes


class _hands:
    """Who does the jobs: a context that gives a function from jobs to finished jobs."""

    def __init__(self, plan: Plan, threads: int | None, dask: str | None, store: SweepStore, tell: Tell) -> None:
        self.plan, self.threads, self.dask, self.store, self.tell = plan, threads, dask, store, tell
        self._client: Any = None

    def __enter__(self) -> Callable[[list[Job]], Iterator[tuple[Job, Tables]]]:
        if self.dask is None:
            return self._locally
        try:
            from cspsim.sweep.dask_executor import dask_client, on_dask
        except ModuleNotFoundError:
            raise needs("--dask", "dask.distributed", "cluster") from None
        self._client = dask_client(self.dask)
        client = self._client.__enter__()
        return lambda jobs: on_dask(self.plan, jobs, client, self.tell)

    def __exit__(self, *error: Any) -> None:
        if self._client is not None:
            self._client.__exit__(*error)

    def _locally(self, jobs: list[Job]) -> Iterator[tuple[Job, Tables]]:
        """Jobs that were under way when this program died, and died again, go last and alone."""
        deadly = [job for job in jobs if _attempts(self.store.folder, job) >= PATIENCE_WITH_A_JOB]
        harmless = [job for job in jobs if job not in deadly]
        yield from on_threads(self.plan, harmless, self.threads, lambda job: _remember(self.store.folder, job))
        for job in deadly:
            yield job, in_own_process(self.plan, job)


def _mark(folder: LocalFolder, job: Job) -> Path:
    return folder.path / "attempts" / f"{job[0]:09d}-{job[1]:09d}"


def _attempts(folder: Folder, job: Job) -> int:
    """How often this job was begun and not finished."""
    if not isinstance(folder, LocalFolder):
        return 0
    try:
        return _mark(folder, job).stat().st_size
    except OSError:
        return 0


def _remember(folder: Folder, job: Job) -> None:
    if isinstance(folder, LocalFolder):
        mark = _mark(folder, job)
        with suppress(OSError):  # a full disk is told when results are written, not when patience is counted
            mark.parent.mkdir(exist_ok=True)
            with mark.open("a") as file:
                file.write(".")


def _forget(folder: Folder, job: Job) -> None:
    if isinstance(folder, LocalFolder):
        with suppress(OSError):
            _mark(folder, job).unlink(missing_ok=True)


def _forget_all(folder: Folder) -> None:
    folder.remove_folder("attempts")
