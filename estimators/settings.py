"""Every setting of this product: read from the environment once, checked, and told in one place."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from estimators import devices
from estimators import setting_readers as readers
from estimators.errors import InputError

PREFIX = "POSE_"
# Which browser the tests and benchmarks start: the shell that has it set may start the app, too.
_OF_THE_TESTS = frozenset({"POSE_BROWSER"})
# Spaces around these are a slip.
_STRIPPED = (readers.whole, readers.seconds, devices.wish)


def _about(
    name: str,
    meaning: str,
    unset: str = "",
    read: Callable[[str, str, str], Any] = readers.text,
    advice: str = "",
) -> dict[str, Any]:
    """What there is to say about a setting.

    Args:
        unset: the default in words, where its value does not say it.
        read: takes name, text and advice; makes the value or raises InputError.
        advice: what to give instead of a wrong value.
    """
    return {"name": name, "meaning": meaning, "unset": unset, "read": read, "advice": advice}


def _limit(name: str, meaning: str, usual: int, small: int) -> Any:
    """The field of a limit whose default is lower on a small machine (`limits.allowed`)."""
    about = _about(
        name,
        meaning,
        f"{usual}, on a machine with less than 2 GB {small}",
        readers.whole,
        f"Give a whole number, such as {usual}.",
    )
    return field(default=None, metadata={**about, "usual": usual, "small": small})


@dataclass(frozen=True)
class Settings:
    """What whoever runs the product has set.  An empty variable counts as one that is not set."""

    memory_mb: int = field(
        default=2000,
        metadata=_about(
            "POSE_MEMORY_MB",
            "memory for all loaded models together, in MB; the least recently used one is retired "
            "when it is reached",
            read=readers.whole,
            advice="Give the memory for the models in MB, such as 2000.",
        ),
    )
    device: str = field(
        default=devices.AUTO,
        metadata=_about(
            "POSE_DEVICE",
            "where models compute: `auto` (a GPU for those that can use one, where a trial works), "
            "`cpu`, `cuda` or `cuda:N`",
            devices.AUTO,
            devices.wish,
            devices.ADVICE,
        ),
    )
    decode_mb: int | None = _limit(
        "POSE_DECODE_MB",
        "memory in MB that decoding one picture or clip may take, in a process of its own",
        1000,
        600,
    )
    decode_s: float = field(
        default=120.0,
        metadata=_about(
            "POSE_DECODE_S",
            "longest time in seconds to decode a picture, to open a clip, or for its next frame, "
            "from 1 to 600; a whole annotated set may take five times as long",
            read=readers.seconds,
            advice="Give seconds from 1 to 600, for example 120.",
        ),
    )
    work_mb: int | None = _limit(
        "POSE_WORK_MB",
        "memory in MB for the decoded pictures of all running work together (clips, "
        "evaluations, benchmarks, videos that are made, live streams); who comes when it is "
        "taken waits in a queue",
        1500,
        500,
    )
    max_picture_mb: int | None = _limit(
        "POSE_MAX_PICTURE_MB", "largest picture file of a visitor, in MB", 50, 20
    )
    max_megapixels: int | None = _limit(
        "POSE_MAX_MEGAPIXELS", "most megapixels of a picture", 64, 32
    )
    max_clip_frames: int | None = _limit(
        "POSE_MAX_CLIP_FRAMES", "most frames of a clip", 250000, 100000
    )
    max_clip_s: int | None = _limit("POSE_MAX_CLIP_S", "longest clip, in seconds", 2678400, 86400)
    max_people: int | None = _limit(
        "POSE_MAX_PEOPLE", "most annotated people of a set", 500000, 100000
    )
    max_files: int | None = _limit("POSE_MAX_FILES", "most files in a ZIP", 100000, 20000)
    max_unpacked_mb: int | None = _limit(
        "POSE_MAX_UNPACKED_MB", "what a ZIP may hold when unpacked, in MB", 20000, 5000
    )
    weights_dir: Path | None = field(
        default=None,
        metadata=_about(
            "POSE_WEIGHTS_DIR",
            "a folder with weights that somebody already has; looked into before anything is "
            "downloaded",
            read=readers.path,
        ),
    )
    cache_dir: Path | None = field(
        default=None,
        metadata=_about(
            "POSE_CACHE_DIR", "where downloads are kept", "the user's cache folder", readers.path
        ),
    )
    weights_manifest: Path | None = field(
        default=None,
        metadata=_about(
            "POSE_WEIGHTS_MANIFEST",
            "another manifest whose entries replace or add to ours: an organisation's own mirror",
            read=readers.path,
        ),
    )
    results_dir: Path | None = field(
        default=None,
        metadata=_about(
            "POSE_RESULTS",
            "a folder whose runs the Evaluate page follows and opens, for every visitor: what "
            "`evaluate` writes into folders in it",
            read=readers.path,
        ),
    )
    tfhub_cache_dir: Path | None = field(
        default=None,
        metadata=_about(
            "TFHUB_CACHE_DIR",
            "where TF Hub SavedModels are kept",
            "`tfhub` in the folder for downloads",
            readers.path,
        ),
    )
    max_streams: int = field(
        default=4,
        metadata=_about(
            "POSE_MAX_STREAMS",
            "how many people may watch themselves on the Live page at once",
            read=readers.whole,
            advice="Give a whole number above 0, for example 4.",
        ),
    )
    live_record_s: float = field(
        default=30.0,
        metadata=_about(
            "POSE_LIVE_RECORD_S",
            "longest recording of the Live page in seconds, from 1 to 600",
            read=readers.seconds,
            advice="Give seconds from 1 to 600, for example 30.",
        ),
    )
    stun_urls: str | None = field(
        default=None,
        metadata=_about(
            "POSE_STUN_URLS",
            "STUN servers of the Live page, separated by commas; empty for none",
            "a public one",
        ),
    )
    turn_urls: str | None = field(
        default=None,
        metadata=_about(
            "POSE_TURN_URLS",
            "TURN servers, which carry the video where there is no direct way, as on most hosting "
            "services",
        ),
    )
    turn_username: str | None = field(
        default=None, metadata=_about("POSE_TURN_USERNAME", "user name for these TURN servers")
    )
    turn_credential: str | None = field(
        default=None, repr=False, metadata=_about("POSE_TURN_CREDENTIAL", "password for them")
    )
    twilio_account_sid: str | None = field(
        default=None,
        metadata=_about(
            "TWILIO_ACCOUNT_SID", "account at Twilio, whose TURN servers are then used"
        ),
    )
    twilio_auth_token: str | None = field(
        default=None, repr=False, metadata=_about("TWILIO_AUTH_TOKEN", "token of that account")
    )
    hf_token: str | None = field(
        default=None,
        repr=False,
        metadata=_about("HF_TOKEN", "token for Hugging Face's shared TURN servers"),
    )

    def limit(self, field_name: str, small: bool) -> int:
        """A limit as it is set, else its default on a machine of this size."""
        value = getattr(self, field_name)
        if value is None:
            about = next(e.metadata for e in fields(self) if e.name == field_name)
            value = about["small" if small else "usual"]
        return int(value)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """The settings in `environment`.

        Raises:
            InputError: a value cannot be used, or a name begins like ours and is none of them.
        """
        known = {entry.metadata["name"]: entry for entry in fields(cls)}
        for name in environment:
            if name.startswith(PREFIX) and name not in known and name not in _OF_THE_TESTS:
                raise _unknown(name, list(known))
        values = {}
        for name, entry in known.items():
            text, about = environment.get(name, ""), entry.metadata
            if text.strip():
                given = text.strip() if about["read"] in _STRIPPED else text
                values[entry.name] = about["read"](name, given, about["advice"])
        if "POSE_STUN_URLS" in environment:  # empty, it says that there shall be none
            values["stun_urls"] = environment["POSE_STUN_URLS"]
        return cls(**values)

    def given(self, names: Sequence[str]) -> dict[str, str]:
        """What was set of `names`, by name."""
        values = {entry.metadata["name"]: getattr(self, entry.name) for entry in fields(self)}
        return {name: str(values[name]) for name in names if values[name] is not None}


@cache
def current() -> Settings:
    """The settings of this process, read at the first call.

    Raises:
        InputError: see `Settings.from_environment`.
    """
    return Settings.from_environment(os.environ)


def with_secrets(secrets: Mapping[str, str]) -> Settings:
    """As `current`; `secrets` go before the environment."""
    return Settings.from_environment({**os.environ, **secrets}) if secrets else current()


def usable(without: Container[str]) -> Settings:
    """Those of the environment without some names, the defaults where they cannot be used."""
    rest = {name: value for name, value in os.environ.items() if name not in without}
    try:
        return Settings.from_environment(rest)
    except InputError:
        return Settings()


def table() -> list[tuple[str, str, str]]:
    """Name, default in words and meaning of every setting, as the README lists them."""
    rows = []
    for entry in fields(Settings):
        about, default = entry.metadata, entry.default
        in_words = about["unset"] or ("none" if default is None else f"{default:g}")
        rows.append((about["name"], in_words, about["meaning"]))
    return rows


def _unknown(name: str, known: Sequence[str]) -> InputError:
    near = difflib.get_close_matches(name, known, 1)
    shown = name[: 2 * readers.LONGEST_SHOWN]
    wanted = f"Did you mean {near[0]}? " if near else ""
    return InputError(f"{shown} is no setting.", f"{wanted}Correct or unset it: README, Settings.")
