"""A clip's sound is read in a child, too: the same file, and a lost child costs the sound alone."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from estimators.decode import clips, decoder
from estimators.decode.pool import Pool
from estimators.media import audio
from estimators.media.audio import AddSound
from estimators.media.clip_info import ClipInfo
from estimators.media.clips import open_clip
from estimators.media.encode import ClipWriter
from tests.clip_factory import Recipe, make_clip, numbered


def with_sound(folder: Path, codec: str = "aac", suffix: str = "mp4") -> ClipInfo:
    return open_clip(make_clip(folder / f"clip.{suffix}", Recipe(audio=codec)))


def written(path: Path, sound: AddSound | None, early: bool = False) -> tuple[bytes, list[str]]:
    with ClipWriter(path, (128, 96), sound=sound) as writer:
        for number in range(30):
            writer.write(numbered(number, 128, 96), number / 30)
        writer.close(early=early)
    assert not list(path.parent.glob(".*.part"))
    return path.read_bytes(), list(writer.notes)


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize(("codec", "suffix"), [("aac", "mp4"), ("pcm_s16le", "mov")])
def test_the_file_is_the_one_of_this_process(
    decoders: Pool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    codec: str,
    suffix: str,
    early: bool,
) -> None:
    clip = with_sound(tmp_path, codec, suffix)
    alike = written(tmp_path / "here.mp4", audio.sound_of(clip), early)

    def refuse(*_: Any) -> NoReturn:
        raise AssertionError("opened in the app's own process")

    monkeypatch.setattr(audio, "opened", refuse)
    assert written(tmp_path / "there.mp4", clips.sound_of(clip), early) == alike
    assert alike[1] == []
    assert open_clip(tmp_path / "there.mp4").has_audio


def test_a_silent_clip_asks_nobody(decoders: Pool, tmp_path: Path) -> None:
    assert clips.sound_of(open_clip(make_clip(tmp_path / "clip.mp4"))) is None


def fault(number: int, times: int) -> Callable[..., Any]:
    """In place of waiting for an answer: the decoder is ended, so many times."""
    left = [times]
    usual = decoder.Decoder._reply

    def reply(self: decoder.Decoder, timeout_s: float) -> Any:
        if left[0]:
            left[0] -= 1
            os.kill(self.pid, number)
        return usual(self, timeout_s)

    return reply


@pytest.mark.parametrize(
    ("number", "times", "comes"),
    [(signal.SIGKILL, 1, True), (signal.SIGKILL, 2, False), (signal.SIGSEGV, 1, False)],
)
def test_a_lost_decoder_costs_the_sound_at_most(
    decoders: Pool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    times: int,
    comes: bool,
) -> None:
    """From outside it is asked once more; a crash over the sound leaves the pictures silent."""
    clip = with_sound(tmp_path)
    monkeypatch.setattr(decoder.Decoder, "_reply", fault(number, times))
    _, notes = written(tmp_path / "out.mp4", clips.sound_of(clip))
    found = open_clip(tmp_path / "out.mp4")
    assert (found.frame_count, found.has_audio) == (30, comes)
    assert ("sound" in "".join(notes)) is not comes


def test_sound_that_is_gone_costs_itself_alone(decoders: Pool, tmp_path: Path) -> None:
    clip = with_sound(tmp_path)
    sound = clips.sound_of(clip)
    (tmp_path / "clip.mp4").unlink()
    _, notes = written(tmp_path / "out.mp4", sound)
    assert "sound" in notes[0]
    assert open_clip(tmp_path / "out.mp4").frame_count == 30
