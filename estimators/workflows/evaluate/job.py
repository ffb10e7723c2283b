"""An evaluation: models over an annotated set, how far it is, and a way to stop it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path

from estimators.annotated import AnnotatedImage, AnnotatedSet
from estimators.registry import ModelSpec, get
from estimators.runtime.api import Runner, memory_by_model
from estimators.workflows.background import BackgroundJob, RunState
from estimators.workflows.evaluate.answers import Evaluated
from estimators.workflows.evaluate.asks import EvaluateSettings, Plan
from estimators.workflows.evaluate.outcome import AskedModel, outcome
from estimators.workflows.evaluate.pictures import PictureFacts, SetPictures, needs_mb
from estimators.workflows.evaluate.progress import EvaluateProgress, ModelWork
from estimators.workflows.evaluate.records import Records
from estimators.workflows.evaluate.run import Answer, ModelRun, answers
from estimators.workflows.evaluate.seen import SeenPictures
from estimators.workflows.lasting import Lasting, expected_s, measured
from estimators.workflows.placing import held
from estimators.workflows.together import QUIET, Pace, exhaust, groups, room_mb, side_by_side


class _Model(AskedModel):
    """One model while the job runs."""

    def __init__(self, spec: ModelSpec, total: int) -> None:
        super().__init__(spec)
        self.work = ModelWork(spec.key, total)

    def take(self, answer: Answer) -> None:
        super().take(answer)
        work = self.work
        work.done, work.error = len(self.answers), self.error
        work.known += answer.known
        work.unreadable += answer.unreadable
        work.failed += answer.estimate is None and not answer.unreadable


class EvaluateJob(BackgroundJob):
    """Models over an annotated set: the first few pictures one by one, the rest all at once.

    As many models as fit into memory together go through the set side by side; others come after
    them.

    `start` and `join` run it in the background; `run` does so in the calling thread.  When it has
    stopped, however it did, `outcome` has what is there.

    Args:
        runner: hosts the models.
        annotated: the pictures and the people marked in them.
        settings: what to run.
        folder: where estimates are kept, and taken from where they are known; None for nowhere.
        wanted: asked between pictures; when it says no, the job stops as if cancelled (a viewer who
            closed the page cannot press Cancel any more).

    Attributes:
        state: `waiting`, `running`, `done`, `cancelled` or `failed`.
        folder: where estimates are kept.
        pictures: those that were read, as far as they are kept.
        outcome: None until it has stopped, and where nothing could be evaluated.

    Raises:
        InputError: an unknown model, no models, or no pictures.
    """

    def __init__(
        self,
        runner: Runner,
        annotated: AnnotatedSet,
        settings: EvaluateSettings,
        folder: Path | None = None,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._plan = Plan.of(annotated, settings)
        super().__init__("evaluate-job", wanted, needs_mb(annotated.images, len(settings.models)))
        self.annotated, self.settings = self._plan.annotated, settings
        self.outcome: Evaluated | None = None
        self._models = [_Model(get(key), len(self._plan.asks)) for key in settings.models]
        self._runner, self.folder = runner, folder
        self._seen: SeenPictures | None = None
        self._lasting: dict[str, Lasting] = {}
        self.pictures = SetPictures(note=self._note_picture)
        self._notes: list[str] = []

    @property
    def progress(self) -> EvaluateProgress:
        """How far it is; from any thread."""
        models = tuple(model.work.progress for model in self._models)
        return EvaluateProgress(self.state, models, self.error)

    def run(self) -> None:
        """Does the work.

        Raises:
            PoseError: it could not go on; what is done is in `outcome`.
        """
        with self._running():
            self._seen = None if self.folder is None else SeenPictures(self.folder)
            keys = [model.spec.key for model in self._models]
            specs = [model.spec for model in self._models]
            left = deque(self._models)
            for group in groups(specs, room_mb(self._runner, keys), self._runner):
                self._run_together([left.popleft() for _ in group])

    def start(self) -> None:
        self._lasting = measured(self._runner)
        super().start()

    def _left_s(self) -> float | None:
        """Of the models that answer now the slowest, and after it all that have not begun."""
        models = [m for m in self.progress.models if m.state in ("waiting", "running")]
        rates = {m.model: Lasting(0.0, 1 / m.rate) for m in models if m.rate > 0}
        left = {m.model: m.total - m.done for m in models if m.model not in rates}
        after = expected_s(left, self._lasting | rates) if left else 0.0
        if after is None:
            return None
        return max((m.left_s or 0.0 for m in models), default=0.0) + after

    def _left(self) -> bool:
        return any(model.work.done < model.work.total for model in self._models)

    def _run_together(self, models: Sequence[_Model]) -> None:
        broken = threading.Event()
        pace = Pace(model.spec.key for model in models)

        def stopped() -> bool:
            return broken.is_set() or self._stopped()

        with ExitStack() as stack:
            paused = []
            for model in models:
                asking = stack.enter_context(closing(self._asking(model, pace, stopped)))
                if not stopped() and next(asking, False) is None:
                    paused.append((model.spec, partial(exhaust, asking)))
            side_by_side(self._runner, paused, broken.set)

    def _asking(self, model: _Model, pace: Pace, stopped: Callable[[], bool]) -> Generator[None]:
        """Asks the model everything; gives None once others may work beside it."""
        key, work = model.spec.key, model.work
        work.begin()
        options = held(self._runner, key, self.settings.options(key))
        run = ModelRun(self._runner, key, options, self.pictures, stopped, near=pace.wait)
        asked = 0
        try:
            with (
                Records(self.folder, model.spec, options) as records,
                closing(answers(run, self._plan.asks, records)) as given,
            ):
                for answer in given:
                    model.take(answer)
                    pace.reached(key, work.done)
                    asked += not answer.known
                    if asked == QUIET and work.done < work.total:
                        yield None
                self._note(model.spec, records)
                model.memory_mb = self._measured(key, records)
        finally:
            pace.left(key)
            work.pause()
        if work.done == work.total:
            work.end()

    def _measured(self, key: str, records: Records) -> float | None:
        """What the model's process holds, or held in the run that started it last."""
        held = memory_by_model(self._runner.status()).get(key)
        if held is None:
            return records.memory_mb
        records.put_memory(held)
        return held

    def _note_picture(self, image: AnnotatedImage, facts: PictureFacts) -> None:
        if self._seen is not None:
            self._seen.note(image, facts)

    def _note(self, spec: ModelSpec, records: Records) -> None:
        if records.damaged:
            lines = "record was" if records.damaged == 1 else "records were"
            self._notes.append(
                f"{spec.title}: {records.damaged} kept {lines} damaged; what was in there was "
                "computed again."
            )
        if records.unkept:
            self._notes.append(f"{spec.title}: {records.unkept}")

    def _ended(self, state: RunState) -> None:
        for model in self._models:
            model.work.cut_off(state)
        if self._seen is not None:
            self._seen.close()
        self.pictures.let_go()
        self.outcome = outcome(
            self._plan, self._models, self.pictures.unreadable, tuple(self._notes)
        )
