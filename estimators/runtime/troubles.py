"""What went wrong with one model, and what follows for whoever asks it next."""

from __future__ import annotations

from estimators.errors import ModelError
from estimators.runtime.aside import Aside
from estimators.runtime.backoff import Backoff
from estimators.runtime.losses import Losses
from estimators.types import Frame


class Troubles:
    """Failed loads, pictures and viewers that cost its process, and losses in a row."""

    def __init__(self, title: str) -> None:
        self.loading, self.losses, self.aside = Backoff(), Losses(), Aside(title)

    def check(self, frame: Frame, viewer: str) -> None:
        """Raises ModelError where the model is not to be asked about this frame now."""
        self.aside.check()
        self.losses.check(frame, viewer)

    def not_loaded(self, error: ModelError) -> None:
        """The model did not load."""
        self.loading.failed(error, loading=True)
        self.aside.lost(error)

    def answered(self) -> None:
        """The model has given an answer."""
        self.loading.clear()
        self.aside.forgive()

    def forgive(self) -> None:
        """Lets everybody try again; pictures that cost the process stay set aside."""
        self.answered()
        self.losses.forgive()
