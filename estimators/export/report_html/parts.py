"""Tables, bars and curves of a report in plain HTML and SVG."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from estimators.media.names import printable

DASH = "–"
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 340, 230, 42, 36, 10


def text(value: object) -> str:
    """Any text so that a browser shows it and does not obey it."""
    return html.escape(printable(str(value)))


def number(value: float | None, digits: int = 3) -> str:
    """A number, a dash where it is unknown."""
    return DASH if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def share(value: float | None) -> str:
    """A share in percent."""
    return DASH if value is None or math.isnan(value) else f"{100 * value:.1f} %"


def interval(figure: Mapping[str, Any], digits: int = 3) -> str:
    """`0.52 to 0.70`; "" where there is none."""
    span = figure.get("interval")
    return f"{number(span[0], digits)} to {number(span[1], digits)}" if span else ""


def with_interval(figure: Mapping[str, Any] | None, digits: int = 3) -> str:
    """A figure with its interval under it."""
    if figure is None:
        return DASH
    span = interval(figure, digits)
    return number(figure["value"], digits) + (f"<small>{span}</small>" if span else "")


def in_line(figure: Mapping[str, Any], digits: int = 3) -> str:
    """A figure with its interval behind it: `0.61 (0.52 to 0.70)`."""
    span = interval(figure, digits)
    return number(figure["value"], digits) + (f" ({span})" if span else "")


def dot(colour: str, name: str) -> str:
    """A model's name behind its colour.

    Args:
        colour: a CSS value.
    """
    return f'<span class="dot" style="--colour:{colour}" aria-hidden="true"></span>{text(name)}'


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML; the first column is the row's name."""
    head = "".join(f'<th scope="col">{cell}</th>' for cell in header)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    head = f"<thead><tr>{head}</tr></thead>"
    return f'<div class="wide"><table>{head}<tbody>{body}</tbody></table></div>'


def bars(rows: Iterable[tuple[str, str, Mapping[str, Any]]]) -> str:
    """One bar a row from 0 to 1, a line over the 95 % interval.

    Args:
        rows: name (HTML), colour (a CSS value) and figure.
    """
    out = []
    for name, colour, figure in rows:
        value, span = figure["value"], figure.get("interval")
        inside = f'<i class="one" style="width:{_percent(value)}"></i>'
        if span and value is not None:
            low, high = (_percent(end) for end in span)
            inside += f'<b style="left:{low};width:calc({high} - {low})"></b>'
        track = f'<span class="track" style="--colour:{colour}">{inside}</span>'
        out.append(f"<span>{name}</span>{track}<span>{in_line(figure)}</span>")
    return f'<div class="bars">{"".join(out)}</div>'


def stacked(rows: Iterable[tuple[str, Mapping[str, float], str]]) -> str:
    """Shares of one whole side by side; each share's class is its name.

    Args:
        rows: name (HTML), shares by name, and what stands behind the bar (HTML).
    """
    out = []
    for name, shares, behind in rows:
        inside = "".join(
            f'<i class="{text(kind)}" style="width:{_percent(value)}" '
            f'title="{text(kind)}: {share(value)}"></i>'
            for kind, value in shares.items()
        )
        out.append(f'<span>{name}</span><span class="track">{inside}</span><span>{behind}</span>')
    return f'<div class="bars">{"".join(out)}</div>'


def key(names: Iterable[str]) -> str:
    """What the colours of `stacked` mean."""
    items = "".join(
        f'<span><span class="dot {text(name)}" aria-hidden="true"></span>{text(name)}</span>'
        for name in names
    )
    return f'<div class="key">{items}</div>'


def plot(
    points: Sequence[tuple[float, float]],
    colour: str,
    axes: tuple[str, str],
    diagonal: bool = False,
) -> str:
    """A curve over [low, high] × [0, 1] as SVG, with a dot at each point where there are few.

    Args:
        colour: a CSS value.
        axes: what runs to the right, and what upwards.
        diagonal: draw where both are the same.
    """
    xs = [x for x, _ in points]
    low, high = (0.0, 1.0) if all(0 <= x <= 1 for x in xs) else (min(xs), max(xs))
    if low == high:
        high = low + 1

    def place(x: float, y: float) -> str:
        across = _LEFT + (x - low) / (high - low) * (_WIDTH - _LEFT - 12)
        return f"{across:.1f},{_HEIGHT - _BOTTOM - y * (_HEIGHT - _BOTTOM - _TOP):.1f}"

    parts = [_axes(low, high, axes)]
    if diagonal:
        parts.append(f'<path class="ideal" d="M{place(low, 0)}L{place(high, 1)}"/>')
    if points:
        parts.append(f'<path class="curve" d="M{"L".join(place(x, y) for x, y in points)}"/>')
    if len(points) <= 20:
        for x, y in points:
            cx, cy = place(x, y).split(",")
            parts.append(f'<circle class="mark" cx="{cx}" cy="{cy}" r="3"/>')
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{text(axes[1])} against '
        f'{text(axes[0])}" style="--colour:{colour}">{"".join(parts)}</svg>'
    )


def _axes(low: float, high: float, axes: tuple[str, str]) -> str:
    floor, right = _HEIGHT - _BOTTOM, _WIDTH - 12
    parts = [f'<path class="axis" d="M{_LEFT},{_TOP}V{floor}H{right}"/>']
    for y in (0.0, 0.5, 1.0):
        at = floor - y * (floor - _TOP)
        parts.append(f'<text x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{y:g}</text>')
    for share_of in (0.0, 0.5, 1.0):
        at, value = _LEFT + share_of * (right - _LEFT), low + share_of * (high - low)
        parts.append(f'<text x="{at:.1f}" y="{floor + 15}" text-anchor="middle">{value:.3g}</text>')
    middle = (_LEFT + right) / 2
    parts.append(
        f'<text x="{middle}" y="{_HEIGHT - 4}" text-anchor="middle">{text(axes[0])}</text>'
    )
    parts.append(
        f'<text transform="translate(11,{(floor + _TOP) / 2})rotate(-90)" text-anchor="middle">'
        f"{text(axes[1])}</text>"
    )
    return "".join(parts)


def _percent(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "0%"
    return f"{100 * min(max(value, 0.0), 1.0):.2f}%"
