"""Who has to leave when memory is short: the rules alone, on tenants without processes."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from estimators.errors import MemoryBudgetError
from estimators.runtime import budget
from estimators.runtime.budget import MemoryBudget


@dataclass(eq=False)
class Variant:
    """Takes `mb` while it is loaded; retires at once, once waited for (`in_call`), or never."""

    title: str
    mb: float = 0.0
    used_s: float = 0.0
    expected_mb: float = 100.0
    stream: bool = False
    in_call: bool = False
    stays: bool = False
    on_gpu: bool = False
    lacks: bool = False
    asked: list[float] = field(default_factory=list)

    @property
    def where(self) -> Variant:
        return self

    def lacks_gpu(self) -> bool:
        return self.lacks

    def memory_mb(self) -> float:
        return self.mb

    def reserve(self) -> None:
        self.mb = self.expected_mb

    def streaming(self) -> bool:
        return self.stream

    def retire(self, viewer: str, timeout_s: float) -> bool:
        self.asked.append(timeout_s)
        if self.stays or (self.in_call and timeout_s == 0):
            return False
        self.mb = 0.0
        return True


def budget_of(total_mb: int, *variants: Variant, patience_s: float = 5.0) -> MemoryBudget:
    made = MemoryBudget(total_mb, patience_s)
    for variant in variants:
        made.add(variant)
    return made


def test_what_fits_exactly_stays() -> None:
    a, new = Variant("a", 100), Variant("new")
    budget_of(200, a, new).make_room(new)
    assert (a.mb, new.mb) == (100, 100)
    assert a.asked == []


def test_the_least_recently_used_goes_and_no_more_than_needed() -> None:
    a, b, c = (Variant(name, 100, used) for name, used in (("a", 3), ("b", 1), ("c", 2)))
    unloaded, new = Variant("unloaded"), Variant("new")
    budget_of(320, a, b, c, unloaded, new).make_room(new)
    assert [v.mb for v in (a, b, c, new)] == [100, 0, 100, 100]
    assert unloaded.asked == []


def test_the_next_goes_where_one_is_not_enough() -> None:
    a, b, c = (Variant(name, 100, used) for name, used in (("a", 3), ("b", 1), ("c", 2)))
    new = Variant("new", expected_mb=150)
    budget_of(270, a, b, c, new).make_room(new)
    assert [v.mb for v in (a, b, c, new)] == [100, 0, 0, 150]


def test_a_stream_stays_and_an_older_one_goes_in_its_place() -> None:
    old, newer, new = Variant("old", 100, 1, stream=True), Variant("newer", 100, 2), Variant("new")
    budget_of(200, old, newer, new).make_room(new)
    assert (old.mb, newer.mb, new.mb) == (100, 0, 100)
    assert old.asked == []


def test_one_in_a_call_is_waited_for_as_long_as_patience_lasts() -> None:
    busy, new = Variant("busy", 100, in_call=True), Variant("new")
    budget_of(150, busy, new).make_room(new)
    assert (busy.mb, new.mb) == (0, 100)
    assert busy.asked[0] == 0
    assert 4 < busy.asked[1] <= 5


@pytest.mark.parametrize(
    ("other", "patience_s", "asked"),
    [
        (Variant("Stream", 130, stream=True), 5.0, 0),
        (Variant("Slow", 130, stays=True), 5.0, 2),
        (Variant("Busy", 130, in_call=True), 0.0, 1),
    ],
)
def test_what_stays_is_told_with_its_size(other: Variant, patience_s: float, asked: int) -> None:
    new = Variant("New", expected_mb=120)
    with pytest.raises(MemoryBudgetError) as caught:
        budget_of(200, other, new, patience_s=patience_s).make_room(new)
    assert caught.value.message == (
        "New needs about 120 MB, which does not fit into 200 MB "
        f"beside {other.title} (130 MB), in use now."
    )
    assert (new.mb, other.mb, len(other.asked)) == (0, 130, asked)


def test_one_that_does_not_fit_runs_alone() -> None:
    other, new = Variant("other", 50), Variant("new", expected_mb=900)
    budget_of(200, other, new).make_room(new)
    assert (other.mb, new.mb) == (0, 900)


def test_after_a_call_idle_ones_go_until_the_rest_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr(budget.time, "monotonic", lambda: now_s[0])
    stream = Variant("stream", 100, 0, stream=True)
    old, new = Variant("old", 100, 1), Variant("new", 100, 2)
    caller = Variant("caller", 100, 3)
    small = budget_of(300, stream, old, new, caller)
    small.check(caller)
    assert [v.mb for v in (stream, old, new, caller)] == [100, 0, 100, 100]  # 300 fit

    caller.mb = 150
    now_s[0] += 4.9  # not looked at again so soon
    small.check(caller)
    assert new.mb == 100
    now_s[0] += 0.2
    small.check(caller)
    assert [v.mb for v in (stream, new, caller)] == [100, 0, 150]
    assert (stream.asked, caller.asked) == ([], [])


def test_one_in_a_call_is_passed_over_after_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget.time, "monotonic", lambda: 100.0)
    busy, idle = Variant("busy", 100, 1, in_call=True), Variant("idle", 100, 2)
    caller = Variant("caller", 100, 3)
    budget_of(250, busy, idle, caller).check(caller)
    assert [v.mb for v in (busy, idle, caller)] == [100, 0, 100]
    assert busy.asked == [0]


def test_what_takes_1_mb_has_to_go_as_well() -> None:
    small, new = Variant("small", 1), Variant("new")
    budget_of(100, small, new).make_room(new)
    assert (small.mb, new.mb) == (0, 100)


def test_patience_is_used_up_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget.time, "monotonic", lambda: 100.0)
    busy, new = Variant("busy", 100, in_call=True), Variant("new")
    with pytest.raises(MemoryBudgetError):
        budget_of(150, busy, new, patience_s=0.0).make_room(new)
    assert busy.asked == [0]
    budget_of(150, busy, new, patience_s=0.5).make_room(new)
    assert busy.asked == [0, 0, 0.5]


def test_the_first_call_after_the_machine_started_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budget.time, "monotonic", lambda: 3.0)
    idle, caller = Variant("idle", 100), Variant("caller", 100)
    budget_of(150, idle, caller).check(caller)
    assert (idle.mb, caller.mb) == (0, 100)


def test_on_a_full_gpu_those_that_compute_there_make_room() -> None:
    on_cpu, on_gpu = Variant("cpu", 100, 1), Variant("gpu", 100, 2, on_gpu=True)
    new = Variant("new", lacks=True)
    budget_of(1000, on_cpu, on_gpu, new).make_room(new)
    assert (on_cpu.mb, on_gpu.mb, new.mb) == (100, 0, 100)


@pytest.mark.parametrize("stuck", [{"stream": True}, {"stays": True}])
def test_what_cannot_leave_a_full_gpu_keeps_nobody_from_trying(stuck: dict[str, bool]) -> None:
    on_gpu = Variant("gpu", 100, on_gpu=True, **stuck)  # type: ignore[arg-type]
    new = Variant("new", lacks=True)
    budget_of(1000, on_gpu, new, patience_s=0.0).make_room(new)
    assert (on_gpu.mb, new.mb) == (100, 100)


def test_with_room_on_the_gpu_nobody_leaves() -> None:
    on_gpu, new = Variant("gpu", 100, on_gpu=True), Variant("new")
    budget_of(1000, on_gpu, new).make_room(new)
    assert (on_gpu.mb, new.mb) == (100, 100)
