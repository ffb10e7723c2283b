"""What a person should know beside the figures of a benchmark, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from estimators.devices import CPU, CPU_ONLY
from estimators.registry import MODELS
from estimators.workflows.benchmark.progress import in_words
from estimators.workflows.benchmark.result import Benchmark, Machine, Measured


def machine_text(machine: Machine) -> str:
    """The machine in a line: "AMD EPYC, 2 of 2 cores, avx2 fma; 25 GB; Linux x86_64"."""
    parts = [
        f"{machine.processor}, {machine.cores_available} of {machine.cores_total} cores",
        f"{machine.memory_gb:g} GB",
        f"{machine.system}, Python {machine.python}",
    ]
    if machine.instruction_sets:
        parts.insert(1, " ".join(machine.instruction_sets))
    if machine.governor:
        parts.append(f"power governor {machine.governor}")
    return "; ".join(parts)


def notes(benchmark: Benchmark) -> Iterator[str]:
    """Whole sentences; none where all is as it should be."""
    every = benchmark.measured
    if beside := _titles(m for m in every if not m.alone):
        yield (
            f"Other work of this app ran beside {beside}: figures of the moment, not of the model."
        )
    used = max((m.other_cores or 0.0 for m in every if benchmark.busy(m) and m.alone), default=0.0)
    if used:
        yield (
            f"Other programs used up to {used:.1f} of the machine's {benchmark.machine.cores_total}"
            " cores meanwhile; what is marked busy is slower than the model alone."
        )
    if failed := _failed(benchmark):
        yield f"Could not be measured: {failed}."
    yield from _placements(every)
    if restless := _titles(m for m in every if not m.settled):
        yield f"{restless} had not settled when the time for warming up was over."
    if held := _titles(m for m in every if m.held_by == "cores"):
        yield (
            f"{held} has no setting for its threads: its process was kept to as many cores instead."
        )
    if free := _titles(m for m in every if m.held_by == "nothing"):
        yield f"{free} has no setting for its threads and chose their number itself."
    if len({(m.pass_number, m.group) for m in every}) > len({m.pass_number for m in every}):
        yield (
            "Not all models fit into memory together (POSE_MEMORY_MB): those that did took turns; "
            "ratios are told among them alone."
        )
    if benchmark.machine.governor == "powersave":
        yield "The power governor is powersave: the clock may have been low."


def _failed(benchmark: Benchmark) -> str:
    called = [MODELS[f.model].title if f.model in MODELS else f.model for f in benchmark.failed]
    threads = [in_words(failed.threads) for failed in benchmark.failed]
    return ", ".join(f"{name} with {n}" for name, n in zip(called, threads, strict=True))


def _placements(every: Sequence[Measured]) -> Iterator[str]:
    """Where models computed and why; those that know the CPU alone only beside one on a GPU."""
    known = [m.where for m in every if m.where is not None]
    gpu = any(where.kind != CPU for where in known)
    for where in dict.fromkeys(known):
        if gpu or where.reason != CPU_ONLY:
            yield f"{_titles(m for m in every if m.where == where)}: {where.sentence}"


def _titles(every: Iterable[Measured]) -> str:
    return ", ".join(dict.fromkeys(measured.title for measured in every))
