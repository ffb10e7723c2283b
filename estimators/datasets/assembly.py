"""Listed pictures and picture files together: the set that models are held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from estimators.annotated import AnnotatedImage, AnnotatedPerson, AnnotatedSet
from estimators.datasets.annotated_pixels import AnnotatedPixels, annotated_pixels
from estimators.datasets.clip_frames import placed_frames
from estimators.datasets.coco_images import whole_id
from estimators.datasets.files import GivenFile
from estimators.datasets.health import Findings, HealthReport
from estimators.datasets.listing import ListedImage, Listing
from estimators.datasets.people import completed, inverse, moved
from estimators.datasets.shelf import ShelfPicture, measured, placed
from estimators.errors import InputError

# Why there may be nobody to judge although nothing was left out.
_NOBODY = ("crowd", "nothing_labelled", "picture_without_people")


def assembled(
    listing: Listing, files: Sequence[GivenFile], sha256: str, findings: Findings
) -> tuple[AnnotatedSet, HealthReport]:
    """The set of those listed pictures that are among `files`, and its health report.

    Args:
        sha256: of the annotation file.

    Raises:
        InputError: nothing of it can be evaluated.
    """
    listing, twice = listing.with_same_names_joined()
    for name in twice:
        findings.add("image_name_twice", name)
    pairs = _pairs(listing, files, findings)
    ids = _ids([image for image, _ in pairs])
    images: list[AnnotatedImage] = []
    people = 0
    for image, picture in pairs:
        one = _image(image, picture, people, findings)
        if one is not None:
            people += len(one.people)
            images.append(replace(one, image_id=ids[image.place]))
    found = AnnotatedSet(tuple(images), listing.joints, listing.format, listing.name, sha256)
    report = _report(found, len(listing.images), findings)
    if not report.people:
        raise _nothing(report)
    return found, report


def _pairs(
    listing: Listing, files: Sequence[GivenFile], findings: Findings
) -> list[tuple[ListedImage, ShelfPicture]]:
    """Each listed picture or frame that can be read, in the order of the list."""
    found = placed(listing, files, findings)
    sizes = {p.name: p for p in measured([file for _, file in found], findings)}
    pairs = [(image, sizes[file.name]) for image, file in found if file.name in sizes]
    order = {image.place: at for at, image in enumerate(listing.images)}
    return sorted(
        pairs + placed_frames(listing, files, findings), key=lambda pair: order[pair[0].place]
    )


def _ids(images: Sequence[ListedImage]) -> dict[str, int]:
    """The file's own ids where COCO's tools can use all of them, else 1, 2, 3, …; by place."""
    try:
        own = {image.place: whole_id(image.source_id, image.place) for image in images}
    except InputError:
        own = {}
    if len(set(own.values())) == len(images):
        return own
    return {image.place: number for number, image in enumerate(images, 1)}


def _image(
    listed: ListedImage, picture: ShelfPicture, before: int, findings: Findings
) -> AnnotatedImage | None:
    """The picture with its people in its own upright pixels; None where its shape is another's.

    Args:
        before: how many people the pictures before it have.
    """
    relation = annotated_pixels(picture.size, picture.orientation, listed.size)
    if not _tell_relation(relation, listed, picture, findings):
        return None
    there = [p for p in listed.people if p.box_xyxy is not None or p.labelled.any()]
    people = []
    for number, person in enumerate(there, 1):
        place = f"{picture.name}, person {number}"
        person = _in_picture(person, relation, place, findings)
        people.append(completed(person, before + number, place, findings))
    width, height = picture.size
    for number, person in enumerate(people, 1):
        xy = person.xy[person.labelled]
        if ((xy < 0) | (xy > (width, height))).any():
            findings.add("outside", f"{picture.name}, person {number}")
    if not people:
        findings.add("picture_without_people", picture.name)
    return AnnotatedImage(
        picture.name,
        width,
        height,
        tuple(people),
        listed.sha256,
        listed.frame_index,
        picture=picture.source,
        to_annotated=relation.matrix,
    )


def _in_picture(
    person: AnnotatedPerson, relation: AnnotatedPixels, place: str, findings: Findings
) -> AnnotatedPerson:
    if relation.matrix is not None:
        person = moved(person, inverse(relation.matrix))
    if person.iscrowd:
        findings.add("crowd", place)
    elif not person.labelled.any():
        findings.add("nothing_labelled", place)
    return person


def _tell_relation(
    relation: AnnotatedPixels, listed: ListedImage, picture: ShelfPicture, findings: Findings
) -> bool:
    """Counts what is told about the pixels; whether the picture is the one that was annotated."""
    shown = picture.name
    if listed.size is not None and listed.size != picture.size:
        sizes = [f"{size[0]:g}×{size[1]:g}" for size in (listed.size, picture.size)]
        shown = f"{shown}: annotated at {sizes[0]} instead of {sizes[1]} pixels"
    if relation.kind == "other":
        findings.add("other_shape", shown)
        return False
    if relation.kind in ("scaled", "stored"):
        findings.add(relation.kind, shown)
    if relation.unclear:
        findings.add("turn_unclear", picture.name)
    return True


def _report(found: AnnotatedSet, listed: int, findings: Findings) -> HealthReport:
    judged = [person for _, person in found.people() if person.judged]
    joints = sum(int(person.labelled.sum()) for person in judged)
    return HealthReport(
        found.format, found.name, len(found.images), listed, len(judged), joints, findings.all()
    )


def _nothing(report: HealthReport) -> InputError:
    """What is most in the way, in words."""
    causes = report.of_level("left out") or [f for f in report.findings if f.kind in _NOBODY]
    why = "".join(f" {finding.text}" for finding in causes[:3])
    if not report.pictures:
        return InputError(
            f"None of the {report.listed:,} pictures that {report.name} lists can be evaluated."
            f"{why}",
            "Give the pictures that were annotated, under the names that the annotations list.",
        )
    return InputError(
        f"{report.name} marks no joint of anybody in these {report.pictures:,} pictures.{why}",
        "Give annotations with keypoints of people.",
    )
