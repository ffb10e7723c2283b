"""Makes the embedded MoveNet files anew: `python -m estimators.maintenance.rebuild DIR`.

TensorFlow converts the official SavedModels of TF Hub to TFLite with float16 weights, in a child
process, and answers the same sample pictures as LiteRT does from the new file; a file whose joints
differ by more than a pixel, or that no joint could be compared for, is not kept.  The conversion is
deterministic: the same TensorFlow release gives the same bytes, so that anybody can check the
SHA-256 in the manifest.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from estimators import weights
from estimators.errors import InputError, WeightsError
from estimators.geometry import Letterbox, Size, best_canvas
from estimators.models.movenet import CANVASES
from estimators.weights import store
from estimators.weights.places import places

Pictures = Sequence[NDArray[np.uint8]]

_HUB_KEYS = {
    "movenet-lightning": "tfhub-movenet-singlepose-lightning",
    "movenet-thunder": "tfhub-movenet-singlepose-thunder",
    "movenet-multipose": "tfhub-movenet-multipose-lightning",
    "movenet-multipose-512": "tfhub-movenet-multipose-lightning",
}
_ROOT = Path(__file__).parents[2]
_TIMEOUT_S = 600
_LONG_SIDE = 512
_TOLERANCE_PX = 1.0
# Joints and people below these scores are guesses that no default threshold shows; rounding weights
# to float16 may move a guess from one place in the picture to another.
_JOINT_SCORE = 0.2
_PERSON_SCORE = 0.1


@dataclass(frozen=True)
class Rebuilt:
    """One file made anew.

    Attributes:
        key: its weights key.
        same_as_manifest: its SHA-256 is the one in the manifest; another TensorFlow release may
            give other bytes with the same answers.
        joints: how many joints both runtimes were compared on.
        worst_px: largest distance between the two runtimes, in pixels of a picture whose longer
            side is 512.
    """

    key: str
    path: Path
    sha256: str
    same_as_manifest: bool
    joints: int
    worst_px: float


def rebuild_movenet(
    output_dir: Path, progress: Callable[[str], None], pictures: Sequence[Path]
) -> tuple[Rebuilt, ...]:
    """Converts every MoveNet and compares each file with the SavedModel it was made from.

    Args:
        output_dir: where the files go, under their names in the manifest.
        progress: told what happens next, a line at a time.
        pictures: pictures of people to compare the runtimes on, at least one.

    Raises:
        InputError: there is no picture, or one cannot be read.
        WeightsError: TF Hub or the conversion failed or took too long, the runtimes disagree, or
            there was no joint to compare them on; files of models that were not reached are
            untouched.
    """
    if not pictures:
        raise InputError("There is no picture to compare the runtimes on.", "Give some of people.")
    frames = [_read(picture) for picture in pictures]
    output_dir.mkdir(parents=True, exist_ok=True)
    done = []
    for key in CANVASES:
        progress(f"{key}: converting {weights.entry(_HUB_KEYS[key]).url}")
        weights.fetch(_HUB_KEYS[key])
        with tempfile.TemporaryDirectory(dir=output_dir) as scratch:
            done.append(_rebuild(key, frames, Path(scratch), output_dir))
        progress(_summary(done[-1]))
    return tuple(done)


def _rebuild(key: str, frames: Pictures, scratch: Path, output_dir: Path) -> Rebuilt:
    entry = weights.entry(key)
    made, questions, answers = (scratch / n for n in ("made.tflite", "in.npz", "out.npz"))
    canvases = [_letterbox(key, frame).apply(frame) for frame in frames]
    np.savez(questions, *canvases)
    _convert(key, made, questions, answers)
    with np.load(answers) as reference:
        outputs = [reference[name] for name in reference.files]
    joints, worst_px = _compare(made, canvases, outputs)
    _require_agreement(key, joints, worst_px)
    path = output_dir / entry.file_name
    os.replace(made, path)
    sha256 = store.digest(path)
    return Rebuilt(key, path, sha256, sha256 == entry.sha256, joints, worst_px)


def _require_agreement(key: str, joints: int, worst_px: float) -> None:
    if not joints:
        raise WeightsError(
            f"{key}: the SavedModel found nobody in the pictures, so nothing could be compared.",
            "The file was not kept; give pictures of people.",
        )
    if not worst_px <= _TOLERANCE_PX:  # nor where it is not a number
        raise WeightsError(
            f"{key}: the new file and the SavedModel differ by {worst_px:.2f} pixels.",
            "The file was not kept; use the TensorFlow release in requirements.txt.",
        )


def _convert(key: str, made: Path, questions: Path, answers: Path) -> None:
    """Runs the child that owns TensorFlow."""
    sizes = [f"{height}x{width}" for height, width in CANVASES[key]]
    files = [str(file.resolve()) for file in (made, questions, answers)]
    command = [
        *(sys.executable, "-m", "estimators.maintenance.rebuild_child"),
        *(weights.entry(_HUB_KEYS[key]).url, *files, *sizes),
    ]
    try:
        child = subprocess.run(
            command,
            cwd=_ROOT,
            env={**os.environ, "TFHUB_CACHE_DIR": str(places().tfhub.resolve())},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise WeightsError(
            f"{key}: TensorFlow had not converted the SavedModel after {_TIMEOUT_S:.0f} seconds.",
            "It was stopped; try again when the machine has less to do.",
        ) from error
    if child.returncode != 0:
        words = child.stderr.strip().splitlines() or [f"exit code {child.returncode}"]
        raise WeightsError(
            f"{key}: TensorFlow could not convert the SavedModel: {words[-1]}",
            "Install tensorflow and tensorflow_hub as in requirements.txt.",
        )


def _compare(
    file: Path, canvases: Pictures, reference: Sequence[NDArray[np.float32]]
) -> tuple[int, float]:
    """How many joints were compared, and their largest distance in pixels (see `Rebuilt`)."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(file))
    runners = {}
    for name in interpreter.get_signature_list():
        runner = interpreter.get_signature_runner(name)
        runners[tuple(runner.get_input_details()["input"]["shape"][1:3])] = runner
    distances: list[float] = []
    for canvas, want in zip(canvases, reference, strict=True):
        (have,) = runners[canvas.shape[:2]](input=canvas[None].astype(np.int32)).values()
        distances.extend(_distances(have, want, canvas.shape[:2]))
    return len(distances), float(np.max(distances, initial=0.0))


def _distances(have: NDArray[np.float32], want: NDArray[np.float32], canvas: Size) -> list[float]:
    """Distances of the joints of [1, 1, 17, 3] or [1, 6, 56], scaled to a 512-pixel picture."""
    people, reference = (output.reshape(-1, output.shape[-1]) for output in (have, want))
    if reference.shape[-1] == 3:
        joints, seen = (people[None], reference[None]), np.array([True])
    else:
        joints = (people[:, :51].reshape(-1, 17, 3), reference[:, :51].reshape(-1, 17, 3))
        seen = reference[:, 55] >= _PERSON_SCORE
    shown = seen[:, None] & (joints[1][..., 2] >= _JOINT_SCORE)
    pixels = np.array(canvas) * (_LONG_SIDE / max(canvas))
    apart = np.linalg.norm((joints[0][..., :2] - joints[1][..., :2]) * pixels, axis=-1)
    return [float(distance) for distance in apart[shown]]


def _letterbox(key: str, frame: NDArray[np.uint8]) -> Letterbox:
    size = (frame.shape[0], frame.shape[1])
    return Letterbox.fit(size, best_canvas(size, CANVASES[key]))


def _read(picture: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(picture), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise InputError(f"{picture} is not a picture.", "Give JPEG or PNG files.")
    return np.asarray(image, np.uint8)


def _summary(rebuilt: Rebuilt) -> str:
    same = "the bytes of the manifest" if rebuilt.same_as_manifest else "NOT the manifest's bytes"
    return (
        f"{rebuilt.key}: SHA-256 {rebuilt.sha256}, {same}; {rebuilt.joints} joints within "
        f"{rebuilt.worst_px:.2f} px of the SavedModel at 512 px"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; 2 for failures with a message."""
    parser = argparse.ArgumentParser(prog="python -m estimators.maintenance.rebuild")
    parser.add_argument("output_dir", type=Path, help="folder for the .tflite files")
    parser.add_argument("pictures", type=Path, nargs="+", help="pictures of people to compare on")
    chosen = parser.parse_args(arguments)
    try:
        rebuild_movenet(chosen.output_dir, lambda line: print(line, flush=True), chosen.pictures)
    except (InputError, WeightsError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
