"""Which should I use?  The answer for pictures, from what the models said about them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from estimators.analysis.requirements import Needs
from estimators.analysis.sentences import Place
from estimators.workflows.verdicts import Settled, Verdicts, of_pictures
from pages.ui import engine, truth
from pages.ui.image.comparison import Comparison
from pages.ui.image.stage import point_at, show_layout
from pages.ui.steps import Steps, third_family
from pages.ui.verdict_box import Ways, verdict_box
from pages.ui.viewer.panels import JointRef
from pages.ui.votes import votes


def verdict_of(comparisons: Sequence[Comparison], needs: Needs) -> Verdicts:
    """What `compare` says of the same pictures, at the page's thresholds, with marks and votes."""
    found = {c.picture.name: truth.marked_on(c.picture.digest) for c in comparisons}
    marked = {name: image for name, image in found.items() if image is not None}
    given = [comparison.estimates for comparison in comparisons]
    thresholds, settled = comparisons[0].thresholds, Settled(marked, votes())
    answers = of_pictures(given, engine.memory_mb(), needs, thresholds, settled)
    return Verdicts(tuple(found), *answers)


def picture_box(comparison: Comparison, verdict: Verdicts) -> None:
    """The verdict on one picture."""
    steps = third_family(comparison.estimates, comparison.settings.models)
    verdict_box(verdict.together, Ways(go_to, steps | settle()))


def settle() -> Steps:
    """The person says what is right, on the picture on show."""
    return {
        ("Mark the truth", ":material/edit_location:"): partial(show_layout, "truth"),
        ("Vote", ":material/how_to_vote:"): partial(show_layout, "vote"),
    }


def go_to(place: Place) -> None:
    """Picks the joint, or where none is named the person, that a reason is about."""
    if place.person is not None:
        show_layout("side")
        point_at(JointRef(place.model, place.person, place.joint))
