"""The errors that reach a person: each says what is wrong and what to do about it."""


def first_line(error: object, most: int = 300) -> str:
    """What another library's error says, on one line; its name where it says nothing."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:most]


class PoseError(Exception):
    """Base of all expected failures.

    `message` says what happened; `advice` says what the person can do. `str()` gives both.
    """

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message, advice)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".strip()


class InputError(PoseError):
    """A picture, clip, file or option that a person gave cannot be used."""


class TryAgainError(InputError):
    """Not the fault of what was given: another attempt may well succeed, so this is not kept."""


class WeightsError(PoseError):
    """The weights of one model are absent, damaged or could not be fetched.

    `steps` are what the person can do, one after the other, where there are several ways; then
    `advice` is all of them.  What the libraries said is in `__cause__`.
    """

    def __init__(self, message: str, advice: str = "", steps: tuple[str, ...] = ()) -> None:
        super().__init__(message, advice or " ".join(steps))
        self.steps = steps


class ModelError(PoseError):
    """One model failed; the others are not affected.

    `retry_after_s` is above 0 where the model was not even tried, because it failed just before:
    it will be tried again after so many seconds.
    """

    retry_after_s = 0.0


class ModelLoadError(ModelError):
    """The model's process could not load its framework or its weights."""


class ModelCrashedError(ModelError):
    """The model's process ended while it was loading or working.

    `exit_code` is negative for a signal and None where it is not known.
    """

    exit_code: int | None = None


class PutAsideError(ModelCrashedError):
    """The model's process was lost too often in a row; it is tried again after `retry_after_s`."""


class ModelTimeoutError(ModelError):
    """The model's process did not answer in time and was ended."""


# What ends a model's process.
LOST = (ModelCrashedError, ModelTimeoutError)


class MemoryBudgetError(ModelError):
    """The model does not fit into the memory budget (`POSE_MEMORY_MB`)."""
