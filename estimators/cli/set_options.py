"""Options on where pictures and annotations are, and of working in parts."""

from __future__ import annotations

import argparse
from typing import Any

from estimators.cli.benchmark_options import add_benchmark_file
from estimators.cli.values import Whole, folder, share
from estimators.remote import place


def add_shard_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--shard",
        metavar="I/N",
        help="only the I-th of N parts of the pictures and clips, into a folder of its own in DIR; "
        "`merge` makes the one report of all. What is there is taken, what is missing computed",
    )


def add_cluster_options(command: argparse.ArgumentParser) -> None:
    """Where else than here the work is done."""
    cluster = command.add_argument_group("on many machines")
    cluster.add_argument(
        "--on",
        metavar="auto|ray://…|http://…",
        help="a Ray cluster: auto is the one of this machine or job (else one is started here), "
        "ray://head:10001 one elsewhere; http://head:8265 submits a job that outlives the terminal",
    )
    cluster.add_argument(
        "--workers",
        type=Whole(1, 10_000),
        metavar="N",
        help="models at once (default: as many as there is room for)",
    )
    cluster.add_argument(
        "--cpus-per-model",
        type=Whole(1, 256),
        default=1,
        metavar="N",
        help="cores, and so threads, of each (default: 1)",
    )
    cluster.add_argument(
        "--gpus-per-model",
        type=share,
        default=0.0,
        metavar="X",
        help="GPUs that each keeps for itself, such as 0.25; 0: all on the CPU (default: 0)",
    )
    cluster.add_argument(
        "--detach", action="store_true", help="submit the job and do not wait for it"
    )


def add_job(commands: Any) -> None:
    """The command `job`."""
    job = commands.add_parser("job", help="come back to a job that was submitted, or end it")
    job.add_argument("--on", metavar="http://…", required=True, help="where it was submitted to")
    what = job.add_mutually_exclusive_group(required=True)
    what.add_argument("--attach", metavar="ID", help="tell what it tells, until it ends")
    what.add_argument("--cancel", metavar="ID", help="end it; what is done is kept")
    job.set_defaults(module="estimators.cli.submitted")


def add_merge(commands: Any) -> None:
    merge = commands.add_parser(
        "merge",
        help="make the one report from the parts that --shard left",
        description="Puts the parts of all shards together: what comes out is what one machine "
        "would have written, without its times. Says which part is missing or damaged.",
    )
    merge.add_argument("folders", nargs="+", type=folder, metavar="DIR", help="with the parts")
    merge.add_argument(
        "--output", type=folder, metavar="DIR", required=True, help="folder for the report"
    )
    add_set_options(merge, required=False)
    add_benchmark_file(merge)
    merge.set_defaults(module="estimators.cli.merge")


def add_set_options(evaluate: argparse.ArgumentParser, required: bool = True) -> None:
    evaluate.add_argument(
        "--images",
        type=place,
        metavar="DIR|ZIP",
        required=required,
        help="where the pictures are; also an address (s3://…, gs://…)",
    )
    evaluate.add_argument(
        "--annotations",
        type=place,
        metavar="FILE",
        required=required,
        help="COCO keypoints JSON, data.yaml of YOLO-pose, or MPII's .mat or JSON",
    )
