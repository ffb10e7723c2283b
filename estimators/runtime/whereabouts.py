"""Where one model is to compute, and where it does."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from estimators.devices import AUTO, CPU, Placement, gpu_seen, settled
from estimators.errors import ModelError
from estimators.registry import ModelSpec
from estimators.runtime import gpus

# CUDA's own share, the weights, and what a large picture takes while it is worked on.
_EXPECTED_GPU_MB = 2000.0


def canonical(spec: ModelSpec, wanted: str) -> str:
    """Of the wishes that come to the same, one: a model runs there once."""
    if wanted == AUTO and not spec.cuda:
        return CPU
    if wanted == CPU and spec.cuda and not gpu_seen():
        return AUTO
    return wanted


class Whereabouts:
    """The wish for one model, and what became of it.

    Args:
        wanted: a wish of `devices`.

    Attributes:
        placement: where it computes, or will as far as that is certain; None where that shows only
            when it is loaded, or the wish cannot be met.
    """

    def __init__(self, spec: ModelSpec, wanted: str) -> None:
        self.wanted = wanted
        self._spec = spec
        self._lost = ""
        self._gpu_mb = _EXPECTED_GPU_MB
        self.placement: Placement | None = None
        with suppress(ModelError):  # told by `spec`, to whoever wants to load it
            self.placement = self._certain()

    def spec(self) -> ModelSpec:
        """What the adapter is told to load, the device among its settings.

        Raises:
            ModelLoadError: the wish cannot be met.
        """
        certain = self._certain()
        if not self._spec.cuda:
            return self._spec
        device = self.wanted if certain is None else certain.device
        return replace(self._spec, settings={**self._spec.settings, "device": device})

    @property
    def now(self) -> Placement:
        """Where it computes, once it is loaded."""
        return self.placement or Placement()

    def loaded(self, placement: Placement) -> None:
        """What the model itself says of where it is."""
        certain = self._certain()
        reason = placement.reason if certain is None else certain.reason
        self.placement = replace(placement, reason=reason)

    def lost(self, error: ModelError) -> bool:
        """Its process was lost while it loaded; whether that calls for another try on the CPU."""
        if self.wanted != AUTO or self._certain() is not None:
            return False
        self._lost = f"a trial on the GPU ended its process: {error.message.rstrip('.')}"
        return True

    def meets(self, wanted: str) -> bool:
        """Whether it is known to be where another wish wants it."""
        where = self.placement
        return where is not None and wanted in (where.device, where.kind)

    @property
    def on_gpu(self) -> bool:
        """Whether it computes on a GPU when it is loaded, as far as that is known."""
        return self.placement is not None and self.placement.kind != CPU

    def gpu_mb(self, pid: int | None) -> float | None:
        """What its process holds of GPUs now; None for nothing, and where it is not told."""
        held = gpus.held_mb(pid) if pid is not None and self.on_gpu else None
        self._gpu_mb = held or self._gpu_mb
        return held

    def lacks_gpu(self) -> bool:
        """Whether a GPU that it would go to has too little memory free for it."""
        if self.placement is not None and not self.on_gpu:
            return False
        free_mb = gpus.free_mb(self.wanted)
        return free_mb is not None and free_mb < self._gpu_mb

    def forgive(self) -> None:
        """Lets a trial that ended its process be made again."""
        self._lost = ""

    def _certain(self) -> Placement | None:
        if self._lost:
            return Placement(CPU, self._lost)
        return settled(self._spec.title, self._spec.cuda, self.wanted, gpu_seen())
