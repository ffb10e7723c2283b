"""What is set in the environment: read once, checked there, and never half understood."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from estimators import settings
from estimators.errors import InputError
from estimators.settings import Settings, current

ROOT = Path(__file__).resolve().parents[2]


def test_nothing_set_is_what_the_table_says() -> None:
    default = Settings.from_environment({"PATH": "/bin", "POSE_BROWSER": "chromium"})
    assert default == Settings()
    told = {name: unset for name, unset, _ in settings.table()}
    assert told["POSE_MEMORY_MB"] == str(default.memory_mb) == "2000"
    assert told["POSE_MAX_STREAMS"] == str(default.max_streams) == "4"
    assert (told["POSE_LIVE_RECORD_S"], default.live_record_s) == ("30", 30)


def test_every_setting_is_read() -> None:
    numbers = {"POSE_MEMORY_MB": " 700 ", "POSE_MAX_STREAMS": "7", "POSE_LIVE_RECORD_S": "1.5"}
    limits = {name: "12" for name, _, _ in settings.table() if name.startswith("POSE_MAX_")}
    numbers = {**limits, **numbers, "POSE_DECODE_MB": "800", "POSE_DECODE_S": "30"}
    numbers |= {"POSE_DEVICE": " cuda:1 ", "POSE_WORK_MB": "900"}
    texts = {name: f"of {name}" for name, _, _ in settings.table() if name not in numbers}
    given = Settings.from_environment(numbers | texts)
    assert (given.memory_mb, given.max_streams, given.live_record_s) == (700, 7, 1.5)
    assert (given.decode_mb, given.decode_s, given.work_mb) == (800, 30, 900)
    assert given.device == "cuda:1"
    assert given.given(list(texts)) == texts
    assert given.weights_dir == Path("of POSE_WEIGHTS_DIR")
    secret = {"POSE_TURN_CREDENTIAL", "TWILIO_AUTH_TOKEN", "HF_TOKEN"}
    assert {name for name in texts if f"of {name}" not in repr(given)} == secret


def test_empty_is_not_set() -> None:
    empty = Settings.from_environment({name: "" for name, _, _ in settings.table()})
    assert empty == Settings(stun_urls="")  # which says that there shall be none
    assert empty.given(["POSE_STUN_URLS", "HF_TOKEN"]) == {"POSE_STUN_URLS": ""}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("POSE_MEMORY_MB", v) for v in ("much", "-5", "0", "1e9", "2000.5", "2 GB", "9" * 5000)),
        *(("POSE_MAX_STREAMS", v) for v in ("0", "-1", "many", "1.5")),
        *(("POSE_LIVE_RECORD_S", v) for v in ("0", "0.9", "600.1", "long", "nan", "inf", "-3")),
    ],
)
def test_what_is_no_possible_number_is_told(name: str, value: str) -> None:
    with pytest.raises(InputError) as caught:
        Settings.from_environment({name: value})
    assert caught.value.message.startswith(f"{name} is '{value[:40]}")
    assert "for example" in caught.value.advice or "such as" in caught.value.advice
    assert len(str(caught.value)) < 200


def test_the_limits_themselves_are_taken() -> None:
    for text, seconds in (("1", 1.0), ("600", 600.0)):
        assert Settings.from_environment({"POSE_LIVE_RECORD_S": text}).live_record_s == seconds
    assert Settings.from_environment({"POSE_MEMORY_MB": "1"}).memory_mb == 1


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("POSE_MEMORY", "Did you mean POSE_MEMORY_MB?"),
        ("POSE_WEIGHT_DIR", "Did you mean POSE_WEIGHTS_DIR?"),
        ("POSE_XYZZY_1", "Correct or unset it"),
    ],
)
def test_a_name_that_is_none_of_ours_is_told(name: str, told: str) -> None:
    with pytest.raises(InputError, match=f"^{name} is no setting") as caught:
        Settings.from_environment({name: "1"})
    assert told in caught.value.advice
    assert ("Did you mean" in caught.value.advice) == ("Did" in told)


def test_the_environment_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    current.cache_clear()
    monkeypatch.setenv("POSE_MEMORY_MB", "700")
    assert current().memory_mb == 700
    monkeypatch.setenv("POSE_MEMORY_MB", "800")
    assert current().memory_mb == 700
    current.cache_clear()


def test_a_secret_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSE_MAX_STREAMS", "7")
    monkeypatch.setenv("POSE_MEMORY_MB", "800")
    assert settings.with_secrets({}).max_streams == 7
    both = settings.with_secrets({"POSE_MAX_STREAMS": "2"})
    assert (both.max_streams, both.memory_mb) == (2, 800)
    with pytest.raises(InputError, match="POSE_MAX_STREAMS is 'x'"):
        settings.with_secrets({"POSE_MAX_STREAMS": "x"})


def test_settings_are_asked_for_at_the_entrances_and_passed_down() -> None:
    """Beside them two places ask: where weights lie, and how large a file may be."""
    entrances = {"estimators/cli/main.py"}
    entrances |= {"estimators/cluster/worker.py", "pages/ui/server_settings.py"}
    entrances |= {"estimators/doctor/examination.py", "estimators/doctor/media_child.py"}
    asked_where_they_count = {"estimators/media/limits.py", "estimators/weights/places.py"}
    asking = set()
    for folder in ("estimators", "pages"):
        for path in ROOT.glob(f"{folder}/**/*.py"):
            text = path.read_text(encoding="utf-8")
            words = ("settings.current()", "with_secrets(", "import current")
            if any(word in text for word in words) and path != ROOT / "estimators/settings.py":
                asking.add(path.relative_to(ROOT).as_posix())
    assert asking == entrances | asked_where_they_count


def test_the_environment_is_read_in_one_place() -> None:
    """Elsewhere it is only handed to child processes, whole, set for a library, or another's."""
    allowed = {"os.environ.setdefault", "os.environ.get('PYTHONPATH')"}
    allowed |= {"os.environ.get('STREAMLIT_SERVER_", "os.environ.get('RAY_AUTH_TOKEN"}
    for path in (*ROOT.glob("estimators/**/*.py"), *ROOT.glob("pages/**/*.py")):
        if path.name == "settings.py" and path.parent.name == "estimators":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        reads = [
            ast.unparse(node)
            for node in ast.walk(tree)
            if (isinstance(node, ast.Call) and "os.environ" in ast.unparse(node.func))
            or (isinstance(node, ast.Subscript) and "os.environ" in ast.unparse(node.value))
            or (isinstance(node, ast.Attribute) and node.attr == "getenv")
        ]
        assert [read for read in reads if not read.startswith(tuple(allowed))] == [], path
