"""Where weights are looked for and kept on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import platformdirs

from estimators import settings


@dataclass(frozen=True)
class Places:
    """The folders of weights, and the manifest beside ours.

    Attributes:
        brought: a folder with weights that somebody already has (`POSE_WEIGHTS_DIR`).
        downloads: the folder for downloads; may not exist.
        tfhub: the folder in which tensorflow_hub keeps its modules.
        manifest: entries that replace or add to ours (`POSE_WEIGHTS_MANIFEST`).
    """

    brought: Path | None
    downloads: Path
    tfhub: Path
    manifest: Path | None


def places() -> Places:
    """As the settings of this process say.

    Asked for where a file is looked for: see docs/decisions/settings.md.

    Raises:
        InputError: one of the settings cannot be used.
    """
    chosen = settings.current()
    downloads = chosen.cache_dir or Path(platformdirs.user_cache_dir("pose-comparison", False))
    tfhub = chosen.tfhub_cache_dir or downloads / "tfhub"
    return Places(chosen.weights_dir, downloads, tfhub, chosen.weights_manifest)
