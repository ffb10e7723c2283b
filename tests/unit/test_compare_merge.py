"""Parts of `compare` that name what no shard would: refused before anything is written."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from estimators.cli.compare_merge import _annotations, _items
from estimators.errors import InputError
from estimators.remote import Remote
from estimators.workflows.clip.shard import FILE, DoneClips, is_plain
from estimators.workflows.lines import LineFile
from estimators.workflows.shards import Shard, ShardRun, find_parts

ELSEWHERE = ["", ".", "..", "../away", "/etc/away", "in/side", "a/", "nul\0"]
CLIP: dict[str, Any] = {"place": 1, "name": "a.mp4", "path": "a.mp4", "kind": "clip", "folder": "a"}


def parts(folder: Path, item: Any) -> Any:
    run = ShardRun(Shard(1, 1), "compare", {}, ("compare",), items=(item,))
    (folder / run.shard.folder).mkdir()
    run.write(folder / run.shard.folder)
    return find_parts([folder])


def test_a_clip_has_a_folder_by_its_name(tmp_path: Path) -> None:
    assert _items(parts(tmp_path, CLIP)) == [CLIP]


@pytest.mark.parametrize(
    "item",
    [
        *({**CLIP, "folder": name} for name in ELSEWHERE),
        {**CLIP, "folder": None},
        {**CLIP, "place": "1"},
        {**CLIP, "kind": "other"},
        {"place": 1},
        "a.mp4",
    ],
)
def test_a_folder_outside_the_output_is_a_damaged_part(tmp_path: Path, item: Any) -> None:
    with pytest.raises(InputError, match=r"shard-1-of-1/shard\.json is damaged"):
        _items(parts(tmp_path, item))


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_file_outside_its_folder_is_a_damaged_line(tmp_path: Path, name: str) -> None:
    assert not is_plain(name)
    good = {"of": "key", "clip": "a.mp4", "sha256": "", "folder": "a", "files": {"a.csv": "0"}}
    lines = LineFile(tmp_path / FILE, lambda _: None, {"format": "pose-clips/1"})
    for number, entry in enumerate(
        ({**good, "files": {name: "0"}}, {**good, "folder": name}, {**good, "files": [name]})
    ):
        lines.append({**entry, "clip": f"{number}.mp4"})
    lines.append(good)
    lines.close()
    done = DoneClips("key")
    assert done.read(tmp_path) == 3
    assert list(done.clips) == ["a.mp4"]


def test_annotations_at_an_address_are_refused_in_words() -> None:
    with pytest.raises(InputError, match=r"s3://bucket/annotations\.json"):
        _annotations(argparse.Namespace(annotations=Remote("s3://bucket/annotations.json")))
