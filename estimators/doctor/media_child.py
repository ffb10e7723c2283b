"""Child process: what PyAV, Pillow, OpenCV and PyTorch can do here, printed as JSON by name.

What is wrong begins with "-".
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from estimators.devices import AUTO, CPU, CUDA, Devices
from estimators.errors import PoseError

DECODERS = ("h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mjpeg", "gif", "aac", "opus")
ENCODERS = ("libx264", "aac")
PICTURES = {"jpg": "JPEG", "zlib": "PNG", "webp": "WebP", "libtiff": "TIFF", "littlecms2": "ICC"}


def clips() -> str:
    """The decoders and encoders of FFmpeg that are used."""
    from av.codec import Codec

    absent = []
    for mode, names in (("r", DECODERS), ("w", ENCODERS)):
        for name in names:
            try:
                Codec(name, "r" if mode == "r" else "w")
            except ValueError:  # PyAV's UnknownCodecError is one
                absent.append(name if mode == "r" else f"{name} (to write)")
    if absent:
        return f"-FFmpeg in PyAV lacks {', '.join(absent)}"
    return f"reads {', '.join(DECODERS)}; writes {', '.join(ENCODERS)}"


def pictures() -> str:
    """What Pillow was built with."""
    from PIL import features

    absent = [title for feature, title in PICTURES.items() if not features.check(feature)]
    return f"-Pillow lacks {', '.join(absent)}" if absent else ", ".join(PICTURES.values())


def fonts() -> str:
    """Whether OpenCV draws text: its own font, no file of the system's."""
    import numpy as np

    from estimators.render.text import put_text, text_width

    image = np.zeros((40, 200, 3), np.uint8)
    put_text(image, "Pose", (4, 30), 24, (255, 255, 255))
    drawn = text_width("Pose", 24) > 0 and image.any()
    return "OpenCV's own" if drawn else "-OpenCV draws no text: install the version that is pinned"


def device() -> str:
    """What PyTorch finds to compute on, held against what is wished."""
    from estimators import settings
    from estimators.models.torch_devices import TorchDevices

    return devices_told(settings.current().device, TorchDevices())


def devices_told(wanted: str, layer: Devices) -> str:
    """The GPUs by number, or why there is only the CPU; a fault where a wish is not there."""
    gpus = {f"{CUDA}:{number}": name for number, name in enumerate(layer.names())}
    told = ", ".join(map(" ".join, gpus.items())) or f"CPU: {layer.absence()}"
    there = {AUTO, CPU, *gpus} | ({CUDA} if gpus else set())
    return f"{'' if wanted in there else '-'}{told}; POSE_DEVICE is {wanted}"


def found() -> dict[str, str]:
    """What each of the four says; why where one cannot be asked."""
    checks: tuple[Callable[[], str], ...] = (clips, pictures, fonts, device)
    words = {}
    for check in checks:
        try:
            words[check.__name__] = check()
        except PoseError as error:
            words[check.__name__] = f"-{error}"
        except Exception as error:  # noqa: BLE001 - packages raise whatever they meet
            words[check.__name__] = f"-{type(error).__name__}: {error}"
    return words


if __name__ == "__main__":
    print("\n" + json.dumps(found()), flush=True)
    os._exit(0)  # frameworks may crash while they are torn down
