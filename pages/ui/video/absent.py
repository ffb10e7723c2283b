"""Why there is nothing to see of a clip's people, in words."""

from __future__ import annotations

from estimators.analysis.matching import DEFAULT_MIN_OKS
from pages.ui.nobody import listed, why_nobody
from pages.ui.video.comparison import ClipComparison


def why_nobody_shown(comparison: ClipComparison) -> list[str]:
    """A sentence for each model that shows nobody in the clip."""
    return why_nobody(comparison.settings, comparison.specs, comparison.analysis.estimates)


def why_no_agreement(comparison: ClipComparison) -> str:
    """Why no two models can be held against each other, as Markdown."""
    if len(comparison.specs) < 2:
        return "Agreement needs two models: choose another one in the sidebar, and process it, too."
    reasons = why_nobody_shown(comparison)
    if len(reasons) > len(comparison.specs) - 2:
        return listed("Agreement needs two models that show somebody.", reasons)
    return (
        "The models show people, but no two of them the same person: they see different people, or "
        "put the joints of one so far apart that nobody can tell (OKS under "
        f"{DEFAULT_MIN_OKS:g})."
    )
