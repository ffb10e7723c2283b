"""Estimates on a disk: bit for bit what they were, whatever happens to the file."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from estimators import weights
from estimators.analysis.accuracy.protocol import Window
from estimators.errors import InputError
from estimators.registry import get
from estimators.types import Estimate, EstimatorOptions, PoseSet, Timings
from estimators.workflows.evaluate import keys
from estimators.workflows.evaluate.keys import machine_digest, model_key
from estimators.workflows.evaluate.records import (
    SUFFIX,
    Records,
    forget,
)
from tests.unit.evaluate_stand import LIGHTNING, MULTI, UPRIGHT, found
from tests.unit.small_disk import small_disk

SPEC, OPTIONS = get(MULTI), EstimatorOptions()
WINDOW: Window = (1, 2, 30, 40)


def answer(seed: int = 0) -> Estimate:
    noise = np.random.default_rng(seed).normal(0, 1, (2, 17, 2))
    poses = found(MULTI, *(UPRIGHT + noise))
    xy = poses.xy.copy()
    xy[0, 3] = np.nan
    return Estimate(replace(poses, xy=xy), Timings(1.25, 2.5, 0.1))


def same(a: PoseSet, b: PoseSet) -> bool:
    names = ("xy", "score", "pose_score", "box_xyxy")
    pairs = [(getattr(a, n), getattr(b, n)) for n in names]
    return all(x is y or np.array_equal(x, y, equal_nan=True) for x, y in pairs)


@pytest.mark.parametrize("window", [None, WINDOW])
def test_an_answer_comes_back_bit_by_bit(tmp_path: Path, window: Window | None) -> None:
    with Records(tmp_path / "new", SPEC, OPTIONS) as records:
        records.put("aa", window, answer(), busy=True)
        assert records.get("aa", window) is None  # this run knows it already
    with Records(tmp_path / "new", SPEC, OPTIONS) as records:
        kept = records.get("aa", window)
        assert records.get("aa", (0, 0, 1, 1)) is None
        assert records.get("bb", window) is None
    assert kept is not None
    assert same(kept.estimate.poses, answer().poses)
    assert kept.estimate.timings_ms == answer().timings_ms
    assert kept.busy
    assert kept.machine == machine_digest()
    assert records.damaged == 0


def test_nobody_is_an_answer_too(tmp_path: Path) -> None:
    nobody = Estimate(PoseSet.empty(SPEC.skeleton), Timings(1, 2, 3))
    with Records(tmp_path, SPEC, OPTIONS) as records:
        records.put("aa", None, nobody, busy=False)
    with Records(tmp_path, SPEC, OPTIONS) as records:
        kept = records.get("aa", None)
    assert kept is not None
    assert len(kept.estimate.poses) == 0


def filled(folder: Path, answers: int = 3) -> Path:
    with Records(folder, SPEC, OPTIONS) as records:
        for i in range(answers):
            records.put(f"picture {i}", None, answer(i), busy=False)
        return records.path


def known(folder: Path) -> tuple[list[int], int]:
    """Which answers are there, and how many lines were damaged."""
    with Records(folder, SPEC, OPTIONS) as records:
        there = [i for i in range(9) if (kept := records.get(f"picture {i}", None)) is not None]
        for i in there:
            kept = records.get(f"picture {i}", None)
            assert kept is not None
            assert same(kept.estimate.poses, answer(i).poses)
        return there, records.damaged


@pytest.mark.parametrize(("cut", "left"), [(1, [0, 1, 2]), (40, [0, 1]), (400, [0, 1])])
def test_a_torn_last_line_costs_one_answer_and_no_later_one(
    tmp_path: Path, cut: int, left: list[int]
) -> None:
    path = filled(tmp_path)
    os.truncate(path, path.stat().st_size - cut)
    assert known(tmp_path) == (left, 3 - len(left))
    with Records(tmp_path, SPEC, OPTIONS) as records:
        records.put("picture 4", None, answer(4), busy=False)
    assert known(tmp_path)[0] == [*left, 4]


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_damaged_line_costs_its_answer_alone(tmp_path: Path, line: int) -> None:
    path = filled(tmp_path)
    lines = path.read_bytes().split(b"\n")
    middle = len(lines[line]) // 2
    changed = bytes([lines[line][middle] ^ 1])
    lines[line] = lines[line][:middle] + changed + lines[line][middle + 1 :]
    path.write_bytes(b"\n".join(lines))
    assert known(tmp_path) == ([i for i in range(3) if i != line - 1], 1)


def test_a_file_of_something_else_is_damaged_and_no_error(tmp_path: Path) -> None:
    path = filled(tmp_path)
    path.write_bytes(b"\xff\x00 nonsense\n[]\n{}\n")
    assert known(tmp_path) == ([], 3)


def test_files_joined_behind_each_other_are_one(tmp_path: Path) -> None:
    """Parts of two machines: the later line counts where both have an answer."""
    first = filled(tmp_path / "a", 2)
    with Records(tmp_path / "b", SPEC, OPTIONS) as records:
        records.put("picture 5", None, answer(5), busy=False)
    first.write_bytes(first.read_bytes() + records.path.read_bytes())
    assert known(tmp_path / "a") == ([0, 1, 5], 0)


def test_other_weights_options_or_code_are_another_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path)
    with Records(tmp_path, SPEC, EstimatorOptions(max_people=2)) as records:
        assert records.get("picture 0", None) is None
    key = model_key(SPEC, OPTIONS)
    assert model_key(get(LIGHTNING), OPTIONS) != key
    with monkeypatch.context() as patched:
        patched.setattr("estimators.workflows.evaluate.keys.versions", lambda: {"numpy": "0"})
        assert model_key(SPEC, OPTIONS) != key
    with monkeypatch.context() as patched:
        entry = replace(weights.entry(SPEC.weights), sha256="0")
        patched.setattr("estimators.weights.entry", lambda name: entry)
        with Records(tmp_path, SPEC, OPTIONS) as records:
            assert records.get("picture 0", None) is None


def test_only_one_run_writes_at_a_time(tmp_path: Path) -> None:
    with Records(tmp_path, SPEC, OPTIONS):
        with pytest.raises(InputError, match="Another run"):
            Records(tmp_path, SPEC, OPTIONS)
        done = [tmp_path / f"{name}{SUFFIX}" for name in ("a", "z")]  # models it is through with
        for file in done:
            file.write_text("kept")
        with pytest.raises(InputError, match="Another run"):
            forget(tmp_path)
        assert all(file.exists() for file in done)
    assert known(tmp_path) == ([], 0)


def test_a_full_disk_ends_the_keeping_not_the_run(tmp_path: Path) -> None:
    path = filled(tmp_path, 1)
    with Records(tmp_path, SPEC, OPTIONS) as records:
        with small_disk(path.stat().st_size + 100):
            records.put("picture 1", None, answer(1), busy=False)
        records.put("picture 2", None, answer(2), busy=False)
        assert "not kept any more" in records.unkept
    assert known(tmp_path)[0] == [0]


def test_a_new_start_forgets_estimates_and_nothing_else(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    forget(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]
    forget(tmp_path / "not there")
    nothing = Records(None, SPEC, OPTIONS)
    nothing.put("aa", None, answer(), busy=False)
    assert nothing.get("aa", None) is None


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(InputError, match="cannot be used for estimates"):
        Records(tmp_path / "file", SPEC, OPTIONS)


def test_another_device_is_another_question_and_is_in_the_files_name(tmp_path: Path) -> None:
    filled(tmp_path)
    on_gpu = replace(OPTIONS, device="cuda:1")
    with Records(tmp_path, SPEC, on_gpu) as records:
        assert records.placement.kind == "cuda"
        assert records.get("picture 0", None) is None
        assert records.path.name.startswith(f"{SPEC.key}-cuda-")
    with Records(tmp_path, SPEC, replace(OPTIONS, device="cpu")) as records:
        assert records.get("picture 0", None) is not None
    assert model_key(SPEC, on_gpu) == model_key(SPEC, replace(OPTIONS, device="cuda:0"))
    assert "device" not in model_key(SPEC, on_gpu)["options"]


def test_an_answer_is_known_by_the_code_that_resized_its_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").mkdir()
    resizing, adapter = tmp_path / "geometry.py", tmp_path / "models" / "movenet.py"
    monkeypatch.setattr(keys, "_ESTIMATORS", tmp_path)
    seen = set()
    for first, second in (("a", "b"), ("c", "b"), ("c", "d")):
        resizing.write_text(first)
        adapter.write_text(second)
        keys._code.cache_clear()
        seen.add(model_key(SPEC, OPTIONS)["code"])
    keys._code.cache_clear()
    assert len(seen) == 3
