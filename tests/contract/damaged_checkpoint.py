"""`python -m tests.contract.damaged_checkpoint FOLDER`: how the adapter refuses each bad file."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from estimators import registry
from estimators.errors import ModelLoadError
from estimators.models.keypoint_rcnn_checkpoint import coco_network
from estimators.models.torch_import import torch

DAMAGES = ("absent", "empty", "text", "cut", "code", "list", "other", "shapes")


class Payload:
    """Pickled code: unpickling it leaves a file behind."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


def damaged(damage: str, folder: Path) -> Path:
    file = folder / "damaged.pth"
    if damage in ("empty", "text"):
        file.write_bytes(b"" if damage == "empty" else b"<html>404</html>" * 99)
    elif damage == "cut":
        torch.save({"weight": torch.zeros(1000)}, file)
        file.write_bytes(file.read_bytes()[:2000])
    elif damage == "code":
        torch.save({"weight": Payload(folder / "executed")}, file)
    elif damage == "list":
        torch.save([torch.zeros(3)], file)
    elif damage == "other":
        torch.save({"weight": torch.zeros(3)}, file)
    elif damage == "shapes":
        with torch.device("meta"):
            names = {name: tuple(t.shape) for name, t in coco_network({}).state_dict().items()}
        odd = "roi_heads.keypoint_predictor.kps_score_lowres.bias"
        tensors = {name: torch.zeros(1).expand(shape) for name, shape in names.items()}
        torch.save({**tensors, odd: torch.zeros(5)}, file)
    return file


def refusal(file: Path) -> str:
    try:
        registry.load(registry.get("keypointrcnn-reference"), file, 1)
    except ModelLoadError as error:
        return str(error)
    return ""


def main(folder: str) -> None:
    said = {}
    for damage in DAMAGES:
        place = Path(folder) / damage
        place.mkdir()
        said[damage] = refusal(damaged(damage, place))
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
