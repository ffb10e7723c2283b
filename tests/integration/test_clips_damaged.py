"""Clips that are cut, empty, of another kind or hostile: what is there is kept, else said why."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import av
import pytest
from PIL import Image

from estimators.errors import InputError
from estimators.media.boxes import cut_short, starts_playing_at_once
from estimators.media.clips import ClipLimits, frames, open_clip, selected
from estimators.media.samples import clips as sample_clips
from tests.clip_factory import Recipe, make_clip, number_of, packet_listing

FAST_START = {"movflags": "faststart"}
CUT = {
    "a.mp4": Recipe(width=320, height=240, container=FAST_START, pts=range(80), audio="aac"),
    "a.mkv": Recipe(width=320, height=240, pts=range(80)),
    "a.webm": Recipe("libvpx", width=320, height=240, pts=range(80)),
    "a.avi": Recipe("mpeg4", width=320, height=240, pts=range(80)),
}


@pytest.mark.parametrize("name", CUT)
def test_a_cut_file_gives_the_frames_that_are_there(name: str, tmp_path: Path) -> None:
    whole = make_clip(tmp_path / name, CUT[name])
    assert not cut_short(whole)
    short = tmp_path / f"short {name}"
    short.write_bytes(whole.read_bytes()[: whole.stat().st_size * 7 // 10])
    clip = open_clip(short)
    shown = list(frames(clip))
    assert 0 < clip.frame_count < 80
    assert clip.timestamps_s.tolist() == [float(t) for t in packet_listing(short)]
    assert "cut short" in " ".join(clip.notes)
    # The last packet is itself cut: its frame may be missing, all others are there and right.
    assert len(shown) >= clip.frame_count - 1
    assert [frame.index for frame in shown] == sorted({frame.index for frame in shown})
    intact = [number_of(frame.image) == frame.index for frame in shown]
    assert sum(intact) >= len(shown) - 1


@pytest.mark.parametrize("packet", [11, 18, 23, 30, 37])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm"])
def test_only_the_frame_that_is_cut_is_lost(name: str, packet: int, tmp_path: Path) -> None:
    """The decoder still holds good frames when it meets the cut one; they must come, too."""
    path = make_clip(tmp_path / name, replace(CUT[name], audio=None))
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    cut = packets[packet]
    assert cut.pos is not None
    clip = open_clip(path.read_bytes()[: cut.pos + cut.size // 2])
    places = {pts: index for index, pts in enumerate(clip.listing.pts.tolist())}
    shown = {frame.index: number_of(frame.image) for frame in frames(clip)}
    true = {number: p.pts for number, p in enumerate(sorted(packets, key=lambda p: p.pts or 0))}
    for number, pts in true.items():
        if pts in {p.pts for p in packets[:packet]}:
            assert shown[places[pts]] == number


def test_the_promised_number_of_frames_is_told(tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "a.mp4", CUT["a.mp4"])
    clip = open_clip(whole.read_bytes()[: whole.stat().st_size // 2])
    assert f"{clip.frame_count} of 80 frames" in clip.notes[0]


def test_damage_in_the_middle_loses_little(tmp_path: Path) -> None:
    recipe = Recipe(width=320, height=240, pts=range(90), options={"g": "10", "bf": "0"})
    path = make_clip(tmp_path / "a.mp4", recipe)
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    at, size = packets[40].pos, packets[40].size
    data[at : at + size] = b"\xff" * size
    clip = open_clip(bytes(data))
    shown = {frame.index: number_of(frame.image) for frame in frames(clip)}
    assert clip.frame_count == 90
    untouched = [*range(40), *range(50, 90)]
    assert {index: shown[index] for index in untouched} == {index: index for index in untouched}


def test_a_clip_that_starts_in_the_middle_keeps_true_places(tmp_path: Path) -> None:
    """Without its first keyframe a clip shows nothing until the next one; times stay right."""
    path = make_clip(tmp_path / "a.mp4", Recipe(options={"g": "10", "bf": "0"}))
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        first = next(p for p in container.demux(video=0) if p.size)
    data[first.pos : first.pos + first.size] = b"\0" * first.size
    clip = open_clip(bytes(data))
    shown = [frame for frame in frames(clip) if number_of(frame.image) == frame.index]
    assert clip.frame_count == 40
    assert [frame.index for frame in shown][-30:] == list(range(10, 40))


def message(source: Path | bytes, limits: ClipLimits | None = None) -> str:
    with pytest.raises(InputError) as caught:
        open_clip(source, limits or ClipLimits(), "" if isinstance(source, Path) else "mine.mp4")
    assert caught.value.advice
    return str(caught.value)


def test_a_file_without_its_table_of_contents(tmp_path: Path) -> None:
    data = make_clip(tmp_path / "a.mp4").read_bytes()
    assert "cut short" in message(data[: len(data) // 2])
    assert "table of contents" in message(data[: len(data) // 2])


def test_sound_only_and_cover_pictures(tmp_path: Path) -> None:
    path = tmp_path / "song.m4a"
    with av.open(str(make_clip(tmp_path / "a.mp4", Recipe(audio="aac")))) as source:
        audio = source.streams.audio[0]
        with av.open(str(path), "w", format="mp4") as output:
            stream = output.add_stream_from_template(audio)
            for packet in source.demux(audio):
                if packet.size:
                    packet.stream = stream
                    output.mux(packet)
    assert "sound only" in message(path)


@pytest.mark.parametrize(("name", "options"), [("a.mp4", "empty_moov"), ("a.avi", "")])
def test_a_video_track_without_frames(name: str, options: str, tmp_path: Path) -> None:
    path = tmp_path / name
    with av.open(str(path), "w", options={"movflags": options} if options else {}) as output:
        stream = output.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        output.start_encoding()
    assert "holds no frames" in message(path)


def test_frames_that_cannot_be_decoded(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", Recipe(options={"bf": "0", "g": "100"}))
    data = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            if packet.size:
                data[packet.pos : packet.pos + packet.size] = b"\0" * packet.size
    assert "None of the 40 frames" in message(bytes(data))


def test_other_files_are_refused(tmp_path: Path) -> None:
    picture = BytesIO()
    Image.new("RGB", (40, 30)).save(picture, "JPEG")
    assert "mine.mp4 is a picture, not a clip" in message(picture.getvalue())
    for data in (b"", b"hello", b"\0" * 5000):
        assert "mine.mp4 is not a clip" in message(data)
        assert "MP4" in message(data)
    assert "There is no file" in message(tmp_path / "nowhere.mp4")
    assert "nowhere.mp4" in message(tmp_path / "nowhere.mp4")
    folder = tmp_path / "folder.mp4"
    folder.mkdir()
    assert "folder.mp4" in message(folder)


@pytest.mark.parametrize("kind", ["hls", "concat", "dash"])
def test_a_playlist_reads_no_other_file(kind: str, tmp_path: Path) -> None:
    """FFmpeg would follow the names in it; an upload must not read files of this machine."""
    victim = make_clip(tmp_path / "private.mp4")
    text = {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{victim.name}\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile {victim.name}\n",
        "dash": f'<?xml version="1.0"?><MPD><Period><AdaptationSet><Representation>'
        f"<BaseURL>{victim.name}</BaseURL></Representation></AdaptationSet></Period></MPD>",
    }[kind]
    upload = tmp_path / "upload.mp4"
    upload.write_text(text)
    assert "is not a clip" in message(upload)


@pytest.mark.parametrize("name", ["concat:private.mp4", "subfile,,start,0,end,0,,:private.mp4"])
def test_a_name_that_ffmpeg_takes_for_a_protocol_reads_no_other_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_clip(tmp_path / "private.mp4")
    Path(name).write_bytes(b"not a clip")
    with pytest.raises(InputError):
        open_clip(Path(name))


def test_limits_are_kept(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4")
    assert "too large (128×96)" in message(path, ClipLimits(max_pixels=128 * 95))
    assert "more than 39 frames" in message(path, ClipLimits(max_frames=39))
    assert open_clip(path, ClipLimits(128 * 96, 40)).frame_count == 40


def test_selections_that_hold_nothing(tmp_path: Path) -> None:
    clip = open_clip(make_clip(tmp_path / "a.mp4"))
    for start, end, stride in ((5.0, None, 1), (None, -1.0, 1), (0.5, 0.4, 1), (None, None, 0)):
        with pytest.raises(InputError) as caught:
            selected(clip, start, end, stride)
        assert caught.value.advice
    with pytest.raises(InputError, match="lie between"):
        next(frames(clip, 99.0))


def test_fast_start_is_recognised(tmp_path: Path) -> None:
    assert starts_playing_at_once(make_clip(tmp_path / "f.mp4", Recipe(container=FAST_START)))
    assert not starts_playing_at_once(make_clip(tmp_path / "s.mp4"))
    assert not starts_playing_at_once(make_clip(tmp_path / "m.mkv"))
    assert all(starts_playing_at_once(sample.path) for sample in sample_clips())
