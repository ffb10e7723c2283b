"""Commands, their options, and how a failure ends.

Exit codes: 0 all went well; 1 a model, a download or the annotated video failed, the rest went on;
2 the command or a file it was given cannot be used, or a file not be written (one line on stderr);
130 interrupted by Ctrl-C, SIGTERM or a closed terminal: what is done is kept.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from estimators import settings
from estimators.cli import elsewhere, streams, submitted
from estimators.cli.benchmark_options import add_benchmark, add_benchmark_file
from estimators.cli.codes import BAD_INPUT, FAILED, FORMATS, INTERRUPTED
from estimators.cli.interrupts import interrupt, on_interrupt
from estimators.cli.set_options import (
    add_cluster_options,
    add_job,
    add_merge,
    add_set_options,
    add_shard_option,
)
from estimators.cli.values import Whole, folder, seconds
from estimators.errors import InputError, PoseError
from estimators.remote import place

if TYPE_CHECKING:
    from typing import TypeAlias

    _Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"

MOST_THREADS, SMALLEST_SIDE = 256, 32
_LARGEST = 1_000_000
_DOCTOR = "estimators.cli.doctor"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code."""
    if not streams.prepare():
        streams.complain("error: There is no standard output. Redirect it to a file or /dev/null.")
        return BAD_INPUT
    try:
        with on_interrupt(interrupt):
            code = _run(arguments)
        sys.stdout.flush()
    except PoseError as error:
        streams.complain(f"error: {error}")
        code = BAD_INPUT if isinstance(error, InputError) else FAILED
    except KeyboardInterrupt:
        streams.complain("interrupted")
        code = INTERRUPTED
    except BrokenPipeError:
        code = 0  # whoever read our output has enough (`… | head`)
    except OSError as error:
        streams.complain(f"error: The output cannot be written: {error.strerror or error}.")
        code = BAD_INPUT
    streams.drop_unwritten()
    return code


def _run(arguments: Sequence[str] | None) -> int:
    try:
        options = _parser().parse_args(arguments)
        options.arguments = tuple(sys.argv[1:] if arguments is None else arguments)
    except SystemExit:  # after its help, or a line that says what is wrong
        sys.stdout.flush()
        raise
    if options.module != _DOCTOR:  # which tells it among the rest
        options.settings = settings.current()  # a wrong one is told before anything is done
    if options.module != submitted.__name__ and submitted.is_remote(options):
        return submitted.submit(options)
    with ExitStack() as stack:
        elsewhere.bring(options, stack)
        code: int = import_module(options.module).run(options)
    return code


class _Parser(argparse.ArgumentParser):
    """Tells a wrong option in one line, as every other bad input; options have one name only."""

    def __init__(self, **given: Any) -> None:
        # A job or a shard that is run again looks for its options by their names.
        super().__init__(**{**given, "allow_abbrev": False})

    def _print_message(self, message: str, file: Any = None) -> None:
        (file or sys.stdout).write(message)  # argparse says nothing where that fails

    def error(self, message: str) -> NoReturn:
        streams.complain(f"error: {message} (`{self.prog} --help` tells more)")
        self.exit(BAD_INPUT)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m estimators",
        description="Compare MoveNet, BlazePose and Keypoint R-CNN on your own pictures and clips.",
        epilog="Exit codes: 0 fine, 1 a model, a download or the annotated video failed (the rest "
        "went on), 2 the command or a file cannot be used, 130 interrupted (what is done is kept).",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_models(commands)
    _add_compare(commands)
    _add_evaluate(commands)
    add_merge(commands)
    add_job(commands)
    add_benchmark(commands)
    _add_weights(commands)
    _add_doctor(commands)
    return parser


def _add_doctor(commands: _Commands) -> None:
    doctor = commands.add_parser(
        "doctor",
        help="find out what is broken on this machine and how to repair it",
        description="Looks at Python, packages, libraries, codecs, weights, models, memory, disk, "
        "port and TURN. The exit code is 1 when something is broken.",
    )
    doctor.add_argument("--json", action="store_true", help="what was found, as JSON")
    doctor.set_defaults(module=_DOCTOR)


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
    compare.add_argument(
        "files",
        nargs="+",
        type=place,
        metavar="FILE",
        help="a picture or a clip, or a folder or ZIP of them; also at an address (s3://…)",
    )
    _add_model_options(compare)
    compare.add_argument(
        "--output",
        type=folder,
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
    _add_annotation_options(compare)
    _add_clip_options(compare)
    add_shard_option(compare)
    add_cluster_options(compare)
    compare.set_defaults(module="estimators.cli.compare")


def _add_annotation_options(compare: argparse.ArgumentParser) -> None:
    compare.add_argument(
        "--annotations",
        type=Path,
        metavar="FILE",
        help="COCO annotations that tell each picture's image_id by the end of its path",
    )
    compare.add_argument(
        "--truth",
        type=Path,
        metavar="FILE",
        help="what was marked on these files, as the page saves it: it decides the verdict",
    )


def _add_evaluate(commands: _Commands) -> None:
    evaluate = commands.add_parser(
        "evaluate",
        help="hold models against annotated pictures: accuracy, kinds of error, a report",
        description="Runs each model on annotated pictures and holds its answers against the "
        "annotations. AP and AR are those of pycocotools, over everything the model returned; a "
        "threshold decides only what counts as shown.",
    )
    add_set_options(evaluate)
    _add_model_options(evaluate)
    evaluate.add_argument(
        "--protocol",
        choices=("whole", "crop"),
        default="whole",
        help="whole: each model as it is, on whole pictures (default); crop: it sees one annotated "
        "person at a time, the box a quarter larger",
    )
    evaluate.add_argument(
        "--threshold",
        action="append",
        metavar="X",
        help="joints under this score are not shown, or MODEL=X for one model; separate by commas "
        "(default: each model's own)",
    )
    evaluate.add_argument(
        "--output", type=folder, metavar="DIR", required=True, help="folder for the report"
    )
    evaluate.add_argument(
        "--resume",
        action="store_true",
        help="take what an earlier run kept in DIR/.estimates; else it starts anew",
    )
    add_shard_option(evaluate)
    add_cluster_options(evaluate)
    add_benchmark_file(evaluate)
    evaluate.set_defaults(module="estimators.cli.evaluate")


def _add_model_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--models",
        metavar="A,B",
        help="variants by key, separated by commas (default: one each of MoveNet, BlazePose and "
        "Keypoint R-CNN; PoseNet for one whose weights are not here)",
    )
    command.add_argument(
        "--threads", type=Whole(1, MOST_THREADS), metavar="N", help="CPU threads of each model"
    )
    command.add_argument(
        "--people",
        action="append",
        metavar="N",
        help="most people to ask each model for, or MODEL=N for one of them; separate by commas "
        "(default: as many as it can find; BlazePose follows one in a clip)",
    )


def _add_clip_options(compare: argparse.ArgumentParser) -> None:
    clips = compare.add_argument_group("clips")
    clips.add_argument(
        "--start", type=seconds, metavar="S", help="begin at this second of the clip"
    )
    clips.add_argument("--end", type=seconds, metavar="S", help="stop at this second of the clip")
    clips.add_argument(
        "--stride",
        type=Whole(1, _LARGEST),
        default=1,
        metavar="N",
        help="take every N-th frame (default: 1)",
    )
    clips.add_argument(
        "--longest-side",
        type=Whole(SMALLEST_SIDE, _LARGEST),
        metavar="PX",
        help="make larger frames smaller before the models see them",
    )
    clips.add_argument("--no-video", action="store_true", help="write no annotated video")


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
