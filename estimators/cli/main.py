"""Commands, their options, and how a failure ends.

Exit codes: 0 all went well; 1 a model or a download failed, the others went on; 2 the command or a
file it was given cannot be used (one line on stderr); 130 interrupted.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from estimators.errors import InputError, PoseError

if TYPE_CHECKING:
    from typing import TypeAlias

    _Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
FORMATS = ("json", "csv", "coco", "parquet")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A name may have what this terminal's encoding has not, or be no text at all.
        sys.stdout.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        code: int = import_module(options.module).run(options)
        sys.stdout.flush()
        return code
    except PoseError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return BAD_INPUT if isinstance(error, InputError) else FAILED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has enough (`… | head`); Python would complain again on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


class _Parser(argparse.ArgumentParser):
    """Tells a wrong option in one line, as every other bad input."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"error: {message} (`{self.prog} --help` tells more)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m estimators",
        description="Compare MoveNet, BlazePose and Keypoint R-CNN on your own pictures and clips.",
        epilog="Exit codes: 0 fine, 1 a model or a download failed (the others went on), "
        "2 the command or a file cannot be used.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_models(commands)
    _add_compare(commands)
    _add_weights(commands)
    return parser


def _add_models(commands: _Commands) -> None:
    models = commands.add_parser(
        "models", help="list the variants and whether their weights are here"
    )
    models.add_argument("--json", action="store_true", help="everything known, as JSON")
    models.set_defaults(module="estimators.cli.models")


def _add_compare(commands: _Commands) -> None:
    compare = commands.add_parser(
        "compare",
        help="run models on pictures and clips, compare what they say, write it to files",
        description="Runs each model on each picture, and on each frame of each clip. The tables "
        "count people and joints over the model's default thresholds; files hold everything the "
        "model returned. A clip also leaves an annotated video, side by side.",
    )
    compare.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a picture or a clip")
    compare.add_argument(
        "--models",
        metavar="A,B",
        help="variants by key, separated by commas (default: one of each family, of those whose "
        "weights are here)",
    )
    compare.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="folder for the files; a clip among several files gets one of its own in there",
    )
    compare.add_argument(
        "--format",
        action="append",
        metavar="FORMAT",
        help=f"{', '.join(FORMATS)}; repeat it or separate by commas (default: json; all of them "
        "for a clip)",
    )
    compare.add_argument(
        "--annotations",
        type=Path,
        metavar="FILE",
        help="COCO annotations that tell each picture's image_id by its file name",
    )
    compare.add_argument("--threads", type=int, metavar="N", help="CPU threads of each model")
    _add_clip_options(compare)
    compare.set_defaults(module="estimators.cli.compare")


def _add_clip_options(compare: argparse.ArgumentParser) -> None:
    clips = compare.add_argument_group("clips")
    clips.add_argument(
        "--start", type=_seconds, metavar="S", help="begin at this second of the clip"
    )
    clips.add_argument("--end", type=_seconds, metavar="S", help="stop at this second of the clip")
    clips.add_argument(
        "--stride", type=int, default=1, metavar="N", help="take every N-th frame (default: 1)"
    )
    clips.add_argument(
        "--longest-side",
        type=int,
        metavar="PX",
        help="make larger frames smaller before the models see them",
    )
    clips.add_argument("--no-video", action="store_true", help="write no annotated video")


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 <= (seconds := float(text)) < math.inf:
            return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is not a time: give seconds, 0 or more")


def _add_weights(commands: _Commands) -> None:
    weights = commands.add_parser("weights", help="list, fetch or re-make weights")
    actions = weights.add_subparsers(
        title="actions", required=True, metavar="ACTION", dest="action"
    )
    actions.add_parser("list", help="where every file of weights is or comes from")
    fetch = actions.add_parser("fetch", help="download weights and verify them")
    fetch.add_argument("keys", nargs="+", metavar="KEY", help="of weights or of a variant")
    rebuild = actions.add_parser(
        "rebuild-movenet",
        help="make the MoveNet files anew from TF Hub and verify that both runtimes agree",
    )
    rebuild.add_argument(
        "--output",
        type=Path,
        default=Path("output", "weights"),
        metavar="DIR",
        help="folder for the new files (default: %(default)s)",
    )
    weights.set_defaults(module="estimators.cli.weights")
