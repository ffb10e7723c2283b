"""Options on where pictures and annotations are, and of working in parts."""

from __future__ import annotations

import argparse
from typing import Any

from estimators.cli.values import folder
from estimators.remote import place


def add_shard_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--shard",
        metavar="I/N",
        help="only the I-th of N parts of the pictures and clips, into a folder of its own in DIR; "
        "`merge` makes the one report of all. What is there is taken, what is missing computed",
    )


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
