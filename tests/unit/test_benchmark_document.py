"""A benchmark's file says the same when it is read, and a bad one says what is wrong with it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from estimators.cli import benchmark_summary
from estimators.devices import Placement
from estimators.errors import InputError
from estimators.workflows.benchmark.document import read_benchmark, write_benchmark
from estimators.workflows.benchmark.notes import notes
from estimators.workflows.benchmark.result import Benchmark, Failed
from tests.unit.benchmark_stand import benchmark, calls, measured

WHOLE = benchmark(
    measured(),
    measured("blazepose-full", held_by="cores", calls=calls([20.0] * 10), pss_mb=None),
)


def written(of: Benchmark = WHOLE) -> bytes:
    sink = io.BytesIO()
    write_benchmark(of, sink)
    return sink.getvalue()


def test_what_is_written_is_read_again() -> None:
    assert read_benchmark(written(), "a.json") == WHOLE
    where = Placement("cuda:0", "a trial on it worked", "NVIDIA A100", "float16, last layers", 8)
    on_gpu = benchmark(measured(device="cuda:0", where=where))
    assert read_benchmark(written(on_gpu), "a.json") == on_gpu
    assert "cuda:0, float16" in benchmark_summary.text(on_gpu)
    again = read_benchmark(written(read_benchmark(written(), "a.json")), "b.json")
    assert again == WHOLE


def test_the_summary_is_for_people_and_is_computed_anew() -> None:
    document = json.loads(written())
    assert document["summary"][0]["latency_median_ms"] == 10.0
    assert document["summary"][0]["stages_ms"]["inference"] == 8.0
    document["summary"][0]["latency_median_ms"] = 0.001
    assert read_benchmark(json.dumps(document).encode(), "a.json") == WHOLE


def _changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    document = json.loads(written())
    change(document)
    return json.dumps(document).encode()


_COLUMNS = ("round", "preprocess_ms", "inference_ms", "postprocess_ms", "transport_ms")
BAD: dict[str, tuple[bytes, str]] = {
    "no JSON": (b"\x89PNG", "no JSON file"),
    "deep": (b"[" * 100_000, "no JSON file"),
    "other JSON": (b'{"images": []}', "no benchmark"),
    "a list": (b"[1]", "no benchmark"),
    "later version": (_changed(lambda d: d.update(format="pose-benchmark/9")), "another version"),
    "missing": (_changed(lambda d: d["machine"].pop("processor")), "missing"),
    "unknown": (_changed(lambda d: d.update(more=1)), "unknown"),
    "text for number": (_changed(lambda d: d["measured"][0].update(load_s="1")), "load_s"),
    "negative": (_changed(lambda d: d["measured"][0].update(load_s=-1)), "negative"),
    "negative other": (_changed(lambda d: d["measured"][0].update(other_cores=-1)), "negative"),
    "beyond all": (_changed(lambda d: d["machine"].update(cores_total=10**400)), "over 1e"),
    "no time": (
        _changed(lambda d: [d["measured"][0]["calls"][c].__setitem__(3, 0) for c in _COLUMNS[1:4]]),
        "some time",
    ),
    "failed without threads": (
        _changed(lambda d: d["failed"].append({"model": "x", "threads": 0, "error": ""})),
        "negative",
    ),
    "nothing measured": (_changed(lambda d: d.update(measured=[])), "no model's figures"),
    "one title": (
        _changed(lambda d: d["measured"][1].update(title=d["measured"][0]["title"])),
        "title stands twice",
    ),
    "uneven": (_changed(lambda d: d["measured"][0]["calls"]["round"].pop()), "as many"),
    "no calls": (
        _changed(lambda d: d["measured"][0].update(calls={k: [] for k in _COLUMNS})),
        "at least one",
    ),
    "twice": (_changed(lambda d: d["measured"].append(d["measured"][0])), "model stands twice"),
    "versions": (_changed(lambda d: d["versions"].update(numpy=[1])), "texts"),
    "not a number": (written().replace(b'"load_s": 0.5', b'"load_s": NaN'), "NaN"),
    "huge": (written().replace(b'"load_s": 0.5', b'"load_s": 1e999'), "finite"),
    "long text": (_changed(lambda d: d["media"].update(name="x" * 10_000)), "letters"),
    "half a letter": (_changed(lambda d: d["media"].update(name="\ud800")), "surrogates"),
    "long governor": (_changed(lambda d: d["machine"].update(governor="x" * 301)), "letters"),
    "too large": (b" " * 20_000_001, "too large"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_says_what_is_wrong(case: str) -> None:
    data, why = BAD[case]
    with pytest.raises(InputError, match=why) as caught:
        read_benchmark(data, "their.json")
    assert "their.json" in str(caught.value)
    assert len(str(caught.value)) < 600


def test_the_table_names_machine_interval_and_ratio() -> None:
    text = benchmark_summary.text(WHOLE)
    assert "A processor, 2 of 2 cores; avx2; 8 GB" in text
    uneven = calls([10.0, 10.0, 10.0, 10.0, 30.0, 50.0, 60.0, 70.0], rest_ms=2.0)
    told = benchmark_summary.text(benchmark(measured(calls=uneven))).splitlines()
    rows = [line.split() for line in told if line.startswith("movenet-lightning")]
    assert rows[0][-3:] == ["66.50", "22.00", "8"], "p95 and the median whole, as on the page"
    assert rows[1][-1] == "27.00", "stages add up to the mean of the middle half"
    row = next(line for line in text.splitlines() if line.startswith("blazepose-full  movenet"))
    assert row.split() == ["blazepose-full", "movenet-lightning", "2", "2.00", "2.00", "to", "2.00"]
    assert "kept to as many cores" in text
    assert "(busy)" not in text


def test_what_could_not_be_measured_is_told_of_other_machines_too() -> None:
    failed = (Failed("posenet", 2, "It is tired."), Failed("their-model", 1, "No."))
    found = read_benchmark(written(replace(WHOLE, failed=failed)), "a.json")
    told = "Could not be measured: PoseNet with 2 threads, their-model with 1 thread."
    assert told in notes(found)
    assert not any("Could not" in note for note in notes(WHOLE))


def test_a_low_clock_is_told_and_a_usual_one_is_not() -> None:
    governed = [
        replace(WHOLE, machine=replace(WHOLE.machine, governor=name))
        for name in ("powersave", "performance")
    ]
    assert [any("clock" in note for note in notes(each)) for each in governed] == [True, False]


def test_no_ratio_of_models_that_did_not_take_turns() -> None:
    apart = benchmark(measured(), measured("blazepose-full", group=1))
    assert "OVER THAT OF" not in benchmark_summary.text(apart)
    assert any("took turns" in note for note in notes(apart))


@pytest.mark.parametrize("changes", [{"alone": False}, {"other_cores": 0.5}])
def test_figures_taken_beside_other_work_are_marked(changes: dict[str, object]) -> None:
    busy = benchmark(measured(**changes))
    assert "cpu (busy)" in benchmark_summary.text(busy)
    assert any("beside" in note or "Other programs" in note for note in notes(busy))
    both = benchmark(measured(alone=False, other_cores=1.5))
    assert [note[:10] for note in notes(both)] == ["Other work"], "which may be those very cores"
    # A tenth of the two cores is the limit.
    assert not busy.busy(measured(other_cores=0.19))
    assert busy.busy(measured(other_cores=0.21))
