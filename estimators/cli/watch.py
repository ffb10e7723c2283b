"""A job on the terminal: how far each model is, and a way to stop it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from tqdm import tqdm

from estimators.cli.interrupts import on_interrupt
from estimators.cli.streams import complain
from estimators.cluster.job import ClusterJob
from estimators.errors import PoseError
from estimators.registry import ModelSpec
from estimators.runtime.api import Runner
from estimators.workflows.evaluate.job import EvaluateJob
from estimators.workflows.evaluate.progress import ModelProgress

_LOOK_S = 0.2
LINE_S = 30.0  # between lines of a log
_PATIENCE_S = 5.0

PartsJob = EvaluateJob | ClusterJob


def work(job: PartsJob, specs: Sequence[ModelSpec], runner: Runner | None = None) -> None:
    """Runs the job, showing how far it is; Ctrl-C stops it and keeps what is done.

    Args:
        runner: whose models nobody else uses; None where they are elsewhere.
    """

    def stop() -> None:
        job.cancel()
        if runner is None:
            return
        # A model that loads or hangs is not waited for.
        ending = threading.Timer(_PATIENCE_S, runner.close)
        ending.daemon = True
        ending.start()

    with on_interrupt(stop):
        job.start()
        for number, spec in enumerate(specs):
            _watch(job, number, spec)
            if runner is not None and not job.finished:
                with suppress(PoseError):  # Ctrl-C may just have closed the runner
                    runner.retire(spec.key)  # nobody else uses it here; on a page others may
        while not job.finished:
            job.join(_LOOK_S)
    if job.state == "failed":
        complain(f"error: {job.error}")


def _watch(job: PartsJob, number: int, spec: ModelSpec) -> None:
    """A bar of one model, and a line when it ends."""
    while (model := job.progress.models[number]).state == "waiting" and not job.finished:
        job.join(_LOOK_S)
    told_s = time.monotonic()
    with tqdm(total=model.total, desc=spec.key, unit="ask", leave=False, disable=None) as bar:
        while not job.finished and (model := job.progress.models[number]).state == "running":
            bar.update(model.done - bar.n)
            bar.set_postfix(failed=model.failed, refresh=False)
            if bar.disable and time.monotonic() - told_s > LINE_S:  # the log of a job
                told_s = time.monotonic()
                complain(progress_text(model))
            job.join(_LOOK_S)
    model = job.progress.models[number]
    if model.done:
        complain(progress_text(model))


def progress_text(model: ModelProgress, what: str = "pictures and crops") -> str:
    """How far one model is, in a line."""
    done = f"{model.done:,} of {model.total:,} {what}"
    parts = [f"{model.model}: {done}", f"{model.failed:,} failed"]
    if model.known:
        parts.append(f"{model.known} known from an earlier run")
    if model.failed < model.done - model.known:
        parts.append(f"{model.rate:.1f} a second")
    if model.state == "running" and model.left_s is not None:
        parts.append(f"{duration(model.left_s)} left")
    return ", ".join(parts) + (f"; error: {model.error}" if model.error else "")


def duration(seconds: float) -> str:
    """`"42 s"`, `"7 min"` or `"3.5 h"`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
