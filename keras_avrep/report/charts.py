"""Bars, curves and scatter plots as inline SVG, coloured by the page's CSS."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keras_avrep.report.markup import esc, percent, plain

WIDTH = 360  # user units; the page shows a chart at about this many pixels
SERIES = 4
COLOURS = 8
SHAPES = ("circle", "square", "triangle", "diamond")
POINTS = 220


@dataclass
class Line:
    """One curve of a line chart."""

    title: str
    style: int
    x: np.ndarray
    y: np.ndarray


def svg(width: float, height: float, label: str, body: str) -> str:
    """An SVG element that scales with its column."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{esc(label)}">{body}</svg>'
    )


def series_legend(titles: Sequence[str], chance: bool = False) -> str:
    """Which bar or line is whose, as HTML."""
    keys = [
        f'<span class="key"><svg viewBox="0 0 26 12" width="26" height="12" '
        f'aria-hidden="true"><rect class="bar b{i % SERIES}" x="1" y="1" width="24" '
        f'height="10"/></svg>{esc(title)}</span>'
        for i, title in enumerate(titles)
    ]
    if chance:
        keys.append(
            '<span class="key"><svg viewBox="0 0 12 14" width="12" height="14" '
            'aria-hidden="true"><line class="chance" x1="6" x2="6" y1="0" y2="14"/>'
            "</svg>guessing</span>"
        )
    return f'<p class="legend">{"".join(keys)}</p>'


def line_legend(titles: Sequence[str]) -> str:
    """Which curve is whose, as HTML."""
    keys = [
        f'<span class="key"><svg viewBox="0 0 30 10" width="30" height="10" '
        f'aria-hidden="true"><path class="line l{i % SERIES}" d="M1 5H29"/></svg>'
        f"{esc(title)}</span>"
        for i, title in enumerate(titles)
    ]
    return f'<p class="legend">{"".join(keys)}</p>'


def bar_chart(
    label: str,
    groups: Sequence[tuple[str, Sequence[float | None], float | None]],
    titles: Sequence[str],
) -> str:
    """Horizontal bars of shares from 0 to 1.

    Args:
        label: what the chart shows, for those who cannot see it.
        groups: for each group its title, one share for each model, and the
            share that guessing reaches or `None`.
        titles: names of the models.
    """
    left, right, bar, gap = 92, 308, 15, 14
    parts, y = [], 4
    for title, values, chance in groups:
        height = bar * len(values)
        parts.append(_text(left - 8, y + height / 2 + 4, title, "end"))
        for index, value in enumerate(values):
            place = (left, right, y + bar * index, bar)
            parts.append(_bar(*place, index, value, chance))
        if chance is not None:
            x = left + _length(left, right, chance)
            parts.append(
                f'<line class="chance" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 3}" '
                f'y2="{y + height + 3}"><title>guessing: {percent(chance)}</title>'
                "</line>"
            )
        y += height + gap
    axis = f'<path class="axis" d="M{left} 0V{y - gap + 4}"/>'
    spoken = "; ".join(
        f"{title}: "
        + ", ".join(f"{t} {percent(v)}" for t, v in zip(titles, values, strict=True))
        for title, values, _ in groups
    )
    return svg(WIDTH, y - gap + 6, f"{label}. {spoken}", axis + "".join(parts))


def _length(left, right, share) -> float:
    return (right - left) * min(max(share, 0), 1)


def _bar(left, right, y, height, index, value, chance) -> str:
    # Beyond the line of guessing, which would strike the number through.
    free = left + _length(left, right, max(value or 0, chance or 0)) + 6
    if value is None:
        return _text(free, y + 11, "not measured", "start", "faint")
    length = _length(left, right, value)
    return (
        f'<rect class="bar b{index % SERIES}" x="{left}" y="{y + 1}" '
        f'width="{length:.1f}" height="{height - 3}" rx="1.5"/>'
        + _text(free, y + 11.5, percent(value), "start", "value")
    )


def line_chart(label: str, lines: Sequence[Line]) -> str:
    """Curves over training steps: the faint line as measured, the bold one smoothed.

    The number at a line's end is the last that was measured, as tables show it.
    """
    left, right, top, bottom = 44, 312, 8, 124
    smooth = [_smooth(line.y) for line in lines]
    x_end = max(float(np.nanmax(line.x)) for line in lines) or 1.0
    x_start = min(float(np.nanmin(line.x)) for line in lines)
    low, high = _value_range([line.y for line in lines], smooth)
    x_scale = (right - left) / max(x_end - x_start, 1e-9)
    y_scale = (bottom - top) / (high - low)

    def place(x, y):
        y = np.clip(y, low, high)
        return left + (x - x_start) * x_scale, bottom - (y - low) * y_scale

    parts = [_grid(left, right, top, bottom, low, high, x_start, x_end)]
    ends = []
    for line, soft in zip(lines, smooth, strict=True):
        kind = line.style % SERIES
        parts.append(_path(*place(line.x, line.y), f"raw l{kind}"))
        parts.append(_path(*place(line.x, soft), f"line l{kind}"))
        end = np.flatnonzero(np.isfinite(line.y))[-1]
        ends.append((float(place(line.x[end], line.y[end])[1]), line.y[end], line))
    for y, value, line in _apart(ends):
        parts.append(
            _text(right + 5, y + 4, plain(value), "start", f"t{line.style % SERIES}")
        )
    spoken = ", ".join(f"{line.title} ends at {plain(v)}" for _, v, line in ends)
    return svg(WIDTH, 146, f"{label}: {spoken}", "".join(parts))


def _apart(ends):
    """End labels moved so that none covers another."""
    placed, last = [], -99.0
    for y, value, line in sorted(ends, key=lambda end: end[0]):
        last = max(y, last + 13)
        placed.append((last, value, line))
    return placed


def _grid(left, right, top, bottom, low, high, x_start, x_end) -> str:
    parts = []
    for value in _ticks(low, high):
        y = bottom - (value - low) / (high - low) * (bottom - top)
        parts.append(f'<path class="grid-line" d="M{left} {y:.1f}H{right}"/>')
        parts.append(_text(left - 6, y + 4, f"{value:.6g}", "end", "faint"))
    parts.append(_text(left, bottom + 18, plain(x_start), "start", "faint"))
    parts.append(_text(right, bottom + 18, f"step {plain(x_end)}", "end", "faint"))
    return "".join(parts)


def _ticks(low: float, high: float) -> list[float]:
    """Two to five round numbers between the ends."""
    rough = (high - low) / 4
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= rough)
    first, last = np.ceil(low / step), np.floor(high / step)
    return [float(k * step) for k in np.arange(first, last + 1)]


def _path(x: np.ndarray, y: np.ndarray, kind: str) -> str:
    keep = np.unique(np.linspace(0, len(x) - 1, min(len(x), POINTS)).astype(int))
    commands, pen = [], "M"
    for px, py in zip(x[keep], y[keep], strict=True):
        if np.isfinite(px) and np.isfinite(py):
            commands.append(f"{pen}{px:.1f} {py:.1f}")
            pen = "L"
        else:
            pen = "M"
    return f'<path class="{kind}" d="{"".join(commands)}"/>'


def _smooth(y: np.ndarray) -> np.ndarray:
    window = np.ones(max(1, len(y) // 16))
    known = np.isfinite(y)
    total = np.convolve(np.where(known, y, 0), window, "same")[: len(y)]
    count = np.convolve(known.astype(float), window, "same")[: len(y)]
    return np.where(known, total / np.maximum(count, 1), np.nan)


def _value_range(raw, smooth) -> tuple[float, float]:
    # A single spike must not flatten the rest of the curve.
    known = np.concatenate([y[np.isfinite(y)] for y in raw])
    low, high = np.percentile(known, [1, 99])
    low = min([low, *(np.nanmin(y) for y in smooth)])
    high = max([high, *(np.nanmax(y) for y in smooth)])
    margin = max(0.05 * (high - low), 1e-3 * abs(high), 1e-6)
    # No room below zero for what cannot be negative.
    below = max(low - margin, 0.0) if low >= 0 else low - margin
    return float(below), float(high + margin)


def scatter(label: str, xy: np.ndarray, styles: Sequence[int], tips: Sequence[str]):
    """Points on a plane; `styles` holds a class number each, -1 for none."""
    low, high = np.percentile(xy, [0.5, 99.5], axis=0)
    unit = (np.clip(xy, low, high) - low) / np.maximum(high - low, 1e-9)
    parts = [
        marker(10 + 340 * x, 10 + 300 * y, style, tip)
        for (x, y), style, tip in zip(unit, styles, tips, strict=True)
    ]
    return svg(WIDTH, 320, label, "".join(parts))


def marker(x: float, y: float, style: int, tip: str = "") -> str:
    """One point, its class told by shape as well as colour."""
    colour = "cn" if style < 0 else f"c{style % COLOURS}"
    # Shifted after each round of colours, so that 32 classes stay distinct.
    shape = SHAPES[(style + style // COLOURS) % 4] if style >= 0 else "circle"
    title = f"<title>{esc(tip)}</title>" if tip else ""
    if shape == "circle":
        return (
            f'<circle class="{colour}" cx="{x:.1f}" cy="{y:.1f}" r="4">{title}</circle>'
        )
    path = {
        "square": "m-3.5-3.5h7v7h-7z",
        "triangle": "m0-4.6l4.4 7.8h-8.8z",
        "diamond": "m0-5l5 5l-5 5l-5-5z",
    }[shape]
    return f'<path class="{colour}" d="M{x:.1f} {y:.1f}{path}">{title}</path>'


def class_legend(names: Sequence[str], others: bool = False) -> str:
    """Which marker stands for which class, as HTML."""
    entries = list(enumerate(names)) + ([(-1, "other")] if others else [])
    keys = [
        '<span class="key"><svg viewBox="0 0 12 12" width="12" height="12" '
        f'aria-hidden="true">{marker(6, 6, style)}</svg>{esc(name)}</span>'
        for style, name in entries
    ]
    return f'<p class="legend">{"".join(keys)}</p>'


def _text(x, y, content, anchor, kind="") -> str:
    style = f' class="{kind}"' if kind else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>'
        f"{esc(content)}</text>"
    )
