"""The one table of `make bench`: what was found, its limit, and whether it is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import _all, _limits


def test_each_benchmark_adds_its_rows_to_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "table"
    monkeypatch.delenv(_limits.FILE, raising=False)
    _limits.say("by itself", 1.0, most=2.0)
    monkeypatch.setenv(_limits.FILE, str(file))
    _limits.say("transport", 0.5, most=1.0, unit="ms")
    _limits.say("speed", 2.4, least=2.5)
    header, transport, speed = _limits.told(file.read_text()).splitlines()
    assert header.split()[:2] == ["BENCHMARK", "VALUE"]
    assert transport.split() == ["transport", "0.50", "at", "most", "1", "ms", "kept"]
    assert speed.split() == ["speed", "2.40", "at", "least", "2.5", "NOT", "KEPT"]


def test_a_limit_is_kept_up_to_itself_and_what_is_unknown_keeps_none() -> None:
    assert _limits.kept(1.0, most=1.0)
    assert _limits.kept(1.0, least=1.0)
    assert not _limits.kept(1.01, most=1.0)
    assert not _limits.kept(0.99, least=1.0)
    assert not _limits.kept(float("nan"), most=1.0)


def test_every_benchmark_is_run_or_said_to_be_run_by_hand() -> None:
    modules = {path.stem for path in Path(_all.__file__).parent.glob("[a-z]*.py")}
    assert sorted(modules) == sorted([*_all.PLAN, *_all.BY_HAND])


def test_what_fails_is_told_and_the_table_comes_all_the_same(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Done:
        returncode = 0

    def run(command: list[str], **_: object) -> Done:
        if "benchmarks.clip" in command:
            done = Done()
            done.returncode = 3
            return done
        _limits.say("a ratio", 1.0, most=2.0)
        return Done()

    monkeypatch.setattr(_all.subprocess, "run", run)
    monkeypatch.setenv(_limits.FILE, "")  # put back afterwards
    assert _all.main(["clip", "transport"]) == 1
    said = capfd.readouterr()
    assert "a ratio" in said.out
    assert "clip ended with an error" in said.err
    assert _all.main(["transport"]) == 0
