"""What went wrong while a clip was processed, in sentences for page, terminal and manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from estimators.analysis.clip import ClipEstimates
from estimators.registry import get

UNREADABLE = "This frame could not be decoded."
_MOST_PLACES = 5


def work_notes(estimates: Mapping[str, ClipEstimates]) -> Iterator[str]:
    """Frames that could not be decoded, models that failed and why, tracks that broke off."""
    unreadable = {list(e.errors.values()).count(UNREADABLE): len(e) for e in estimates.values()}
    most = max(unreadable, default=0)
    if most:
        yield f"{most:,} of {unreadable[most]:,} frames could not be decoded."
    for model, e in estimates.items():
        title = get(model).title
        reasons = Counter(reason for reason in e.errors.values() if reason != UNREADABLE)
        if reasons:
            reason, _ = reasons.most_common(1)[0]
            yield f"{title} failed on {reasons.total():,} of {len(e):,} frames: {reason}"
        if e.restarts and get(model).stateful:
            places = ", ".join(f"{e.time_s[row]:.2f} s" for row in e.restarts[:_MOST_PLACES])
            more = ", …" if len(e.restarts) > _MOST_PLACES else ""
            yield (
                f"{title} had to be started anew in mid-clip and lost whom it followed, at "
                f"{places}{more}: from there on it follows people anew."
            )
