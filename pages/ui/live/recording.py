"""What stays of live video: the frame for the Image page, a recording for Video and as files."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import streamlit as st
from PIL import Image

from estimators.errors import InputError
from estimators.numerals import counted
from estimators.workflows.live.recorder import LiveRecorder, Recording
from estimators.workflows.live.stream import LiveStream
from pages.ui import engine
from pages.ui.recorded import keep_recording
from pages.ui.server_settings import server_settings
from pages.ui.settings import Settings
from pages.ui.sources import keep_frame, kept_frame
from pages.ui.steps import third_family
from pages.ui.text import escaped, said
from pages.ui.verdict_box import Ways, chosen_needs, verdict_box, verdict_button

if TYPE_CHECKING:
    from estimators.analysis.clip import ClipEstimates
    from estimators.workflows.clip.analysis import ClipAnalysis

_POLL_S = 1.0


@st.fragment
def controls(stream: LiveStream, playing: bool, settings: Settings) -> None:
    """Buttons for the frame and the recording, and what they brought.

    Args:
        settings: whose thresholds decide who counts in what was recorded.
    """
    recorder = stream.recorder
    recording = recorder is not None and recorder.state == "recording"
    longest_s = server_settings().live_record_s
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Keep this frame",
            key="live_keep",
            icon=":material/photo_camera:",
            disabled=not playing,
            on_click=_keep,
            args=(stream,),
            help="Sends the camera's newest picture to the Image page",
        )
        st.button(
            "Stop recording" if recording else "Record",
            key="live_record",
            icon=":material/stop_circle:" if recording else ":material/fiber_manual_record:",
            disabled=not (playing or recording),
            on_click=_stop_recording if recording else _record,
            args=(stream,),
            help="The camera's pictures for the Video page, the tiles as a clip, and what the "
            f"models said; {longest_s:.0f} s at most",
        )
    _kept()
    if recorder is not None and recorder.state in ("recording", "finishing"):
        _progress(recorder)
    elif recorder is not None:
        _recorded(recorder, settings)


def _record(stream: LiveStream) -> None:
    stream.record(time.strftime("live-%Y-%m-%d-%H%M%S"), server_settings().live_record_s)


def _stop_recording(stream: LiveStream) -> None:
    stream.stop_recording()


def _keep(stream: LiveStream) -> None:
    frame = stream.newest_frame()
    if frame is None:
        return
    sink = io.BytesIO()
    Image.fromarray(frame).save(sink, "PNG", compress_level=1)
    keep_frame(sink.getvalue(), time.strftime("live-%Y-%m-%d-%H%M%S.png"))


def _kept() -> None:
    kept = kept_frame()
    if kept is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="live_kept"):
        with Image.open(kept[0].path) as picture:
            width, height = picture.size
        st.image(str(kept[0].path), width=96, alt="The frame that was kept")
        st.caption(f"{width} × {height} pixels", width="content")
        st.page_link(
            "streamlit_app.py", label="Compare it on the Image page", icon=":material/image:"
        )


@st.fragment(run_every=_POLL_S)
def _progress(recorder: LiveRecorder) -> None:
    if recorder.state == "recording":
        share = min(recorder.duration_s / recorder.longest_s, 1.0)
        st.progress(share, f"Recording: {recorder.duration_s:.0f} of {recorder.longest_s:.0f} s")
    elif recorder.state == "finishing":
        st.caption(":material/hourglass_top: Finishing the clip …")
    else:
        st.rerun()


def _recorded(recorder: LiveRecorder, settings: Settings) -> None:
    if recorder.state == "failed":
        st.error(f"The recording failed. {escaped(recorder.error)}", icon=":material/error:")
    elif recorder.result is not None:
        _downloads(recorder.result, settings)


def _analysed(recording: Recording, settings: Settings) -> ClipAnalysis:
    """Who is who, and who counts: each model is judged on the frames that all of them saw."""
    from estimators.analysis.thresholds import Thresholds
    from estimators.workflows.clip.analysis import ClipAnalysis

    estimates = {e.model: e for e in recording.estimates}
    thresholds = {
        model: Thresholds(settings.joint_threshold(model), settings.pose_threshold(model))
        for model in estimates
    }
    return ClipAnalysis.of(estimates, thresholds)


def _downloads(recording: Recording, settings: Settings) -> None:
    left = f", {counted(recording.left_out, 'picture')} left out" if recording.left_out else ""
    pictures = counted(recording.pictures, "picture")
    st.caption(f"Recorded: {recording.duration_s:.1f} s, {pictures}{left}.")
    if recording.ended:
        st.info(recording.ended, icon=":material/aspect_ratio:")
    _to_video(recording)
    name, analysis = recording.name, _analysed(recording, settings)
    said = tuple(analysis.estimates.values())
    files: tuple[tuple[str, str, str, Callable[[], bytes]], ...] = (
        ("Tiles, MP4", f"{name}.mp4", "video/mp4", lambda: recording.clip),
        ("Camera, MP4", f"{name}-camera.mp4", "video/mp4", lambda: recording.camera),
        ("Joints, CSV", f"{name}.csv", "text/csv", lambda: _csv(said)),
        (
            "Joints, Parquet",
            f"{name}.parquet",
            "application/octet-stream",
            lambda: _parquet(said),
        ),
        ("All, JSON", f"{name}.json", "application/json", lambda: _json(said)),
    )
    with st.container(horizontal=True, key="live_downloads"):
        for label, file, kind, make in files:
            st.download_button(
                label,
                make,
                file,
                kind,
                key=f"live_{file}",
                on_click="ignore",
                icon=":material/download:",
                help=f"Saves {file}",
            )
    if said:
        _verdict(recording, analysis)


def _to_video(recording: Recording) -> None:
    """The way to the Video page, where every model answers every frame of it."""
    try:
        keep_recording(recording.camera, f"{recording.name}-camera.mp4")
    except (InputError, OSError) as error:
        reason = str(error) if isinstance(error, InputError) else f"{error.strerror}."
        st.warning(f"It cannot be opened on the Video page. {said(reason)}")
        return
    st.page_link(
        "pages/video.py",
        label="Compare it frame by frame on the Video page",
        icon=":material/movie:",
    )


def _verdict(recording: Recording, analysis: ClipAnalysis) -> None:
    """The same answer as for a clip."""
    from estimators.workflows import verdicts

    answer = verdicts.of_clip(analysis, engine.memory_mb(), chosen_needs())
    models = list(analysis.estimates)
    verdict_box(answer, Ways(steps=third_family(models, models)), "live_verdict")
    name = f"{recording.name}.mp4"
    verdict_button(verdicts.Verdicts((name,), [answer], answer), f"{recording.name}.verdict.json")


def _csv(said: Sequence[ClipEstimates]) -> bytes:
    from estimators.export.files import write_csv
    from estimators.export.sinks import to_bytes
    from estimators.export.tables import joint_table

    table = joint_table(said)
    return to_bytes(lambda sink: write_csv(table, sink))


def _parquet(said: Sequence[ClipEstimates]) -> bytes:
    from estimators.export.files import write_parquet
    from estimators.export.sinks import to_bytes
    from estimators.export.tables import joint_table

    table = joint_table(said)
    return to_bytes(lambda sink: write_parquet(table, sink))


def _json(said: Sequence[ClipEstimates]) -> bytes:
    from estimators.export.document import write_json
    from estimators.export.sinks import to_bytes

    return to_bytes(lambda sink: write_json(said, sink))
