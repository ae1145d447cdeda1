"""One picture of a run, for a README or a slide."""

import os
from pathlib import Path

import numpy as np

from keras_avrep.report import pictures, scores
from keras_avrep.report.picture_sections import has_gallery, map_kinds, map_top
from keras_avrep.report.run_reader import ModelRun, Run, read_run

INK, SOFT = "#1c2126", "#59636e"
COLOURS = ("#0b6db0", "#f0b98d", "#00795a", "#d9a6c4")
GOOD, BAD = "#00704d", "#a8470a"
NEIGHBOURS = 4
MEASURES = ("r_at_1", "linear")


def write_overview_picture(
    run_dir: str | os.PathLike, out_png: str | os.PathLike
) -> Path:
    """Draws the main numbers beside a query, what it finds, and its maps.

    Args:
        run_dir: folder with `summary.json` and one folder for each model.
        out_png: where to write the PNG, 1400 by 800 pixels.

    Returns:
        The path of the file.

    Example:
    ```python
    keras_avrep.report.write_overview_picture("runs/first", "overview.png")
    ```
    """
    # Only this picture needs matplotlib; the report page goes without.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    run = read_run(run_dir)
    figure = Figure(figsize=(14, 8), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    _draw_bars(figure, run)
    shown = [model for model in run.models if has_gallery(model)]
    mapped = [model for model in run.models if map_kinds(model)]
    if shown:
        _draw_gallery(figure, shown[:2])
    if mapped:
        _draw_maps(figure, mapped[0], bottom=0.05 if shown else 0.4)
    path = Path(out_png)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png")
    return path


def _draw_bars(figure, run: Run) -> None:
    found = [s for s in scores.read_scores(run) if s.measure in MEASURES][:6]
    axes = figure.add_axes((0.12, 0.06, 0.29, 0.77))
    titles = [model.title for model in run.models]
    names = []
    height = 0.8 / max(len(titles), 1)
    for row, score in enumerate(found):
        names.append(f"{scores.label_title(score.label)}\n{score.title}")
        for index, value in enumerate(score.values):
            place = row - 0.4 + height * (index + 0.5)
            title = titles[index] if row == 0 else None
            _draw_bar(axes, place, height, index, value, score.chance, title)
        if score.chance is not None:
            axes.plot(
                [score.chance] * 2,
                [row - 0.47, row + 0.47],
                color=INK,
                linestyle=(0, (3, 2)),
                linewidth=1.6,
                label="guessing" if row == 0 else None,
            )
    _finish_bars(axes, names)


def _draw_bar(axes, place, height, index, value, chance, title) -> None:
    axes.barh(
        place,
        value or 0,
        height=height * 0.88,
        color=COLOURS[index % len(COLOURS)],
        label=title,
    )
    text = "not measured" if value is None else f"{100 * value:.0f}%"
    # Beyond the line of guessing, which would strike the number through.
    x = max(value or 0, chance or 0) + 0.015
    axes.text(x, place, text, va="center", fontsize=12, color=INK)


def _finish_bars(axes, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), [_short(n, 24) for n in names], fontsize=12)
    axes.set_xlim(0, 1.08)
    axes.set_ylim(max(len(names), 4) - 0.4, -0.6)
    axes.set_xticks([])
    axes.tick_params(length=0, colors=INK)
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    axes.spines["left"].set_color(SOFT)
    if names:
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.0),
            ncols=3,
            frameon=False,
            fontsize=12,
            handlelength=1.6,
        )
    axes.set_title(
        "How often a match is found", loc="left", pad=40, fontsize=15, color=INK
    )


def _draw_gallery(figure, models: list[ModelRun]) -> None:
    first = models[0].gallery
    row = _telling_row(models)
    figure.text(0.46, 0.94, "A video and what is nearest to it", fontsize=15, color=INK)
    query = first["test_clips"][row]
    name = _name(first, "test_labels", (row,))
    same = [
        model
        for model in models
        if np.array_equal(model.gallery["test_clips"][row], query)
    ]
    middle = 0.5 * 0.265 * (len(same) - 1)
    _draw_frame(figure, (0.46, 0.67 - middle, 0.12, 0.21), query, name, INK)
    for index, model in enumerate(same):
        y = 0.70 - 0.265 * index
        title = _short(model.title, 40)
        figure.text(0.605, y + 0.17, title, fontsize=13, color=INK)
        count = min(NEIGHBOURS, model.gallery["neighbour_clips"].shape[1])
        for rank in range(count):
            box = (0.605 + rank * 0.095, y, 0.086, 0.15)
            _draw_neighbour(figure, box, model.gallery, row, rank)


def _telling_row(models: list[ModelRun]) -> int:
    """The first query that the first model answers well but not perfectly."""
    hits = models[0].gallery.get("hits")
    if hits is None or hits.shape != models[0].gallery["neighbour_clips"].shape[:2]:
        return 0
    found = np.asarray(hits)[:, :NEIGHBOURS].sum(axis=1)
    return int(np.argsort(found, kind="stable")[len(found) // 2])


def _draw_neighbour(figure, box, gallery: dict, row: int, rank: int) -> None:
    clip = gallery["neighbour_clips"][row, rank]
    name = _name(gallery, "neighbour_labels", (row, rank))
    hits = gallery.get("hits")
    if hits is None or hits.shape != gallery["neighbour_clips"].shape[:2]:
        _draw_frame(figure, box, clip, name, SOFT)
        return
    hit = bool(hits[row, rank])
    mark = "✓" if hit else "✗"
    style = "-" if hit else (0, (3, 1.5))
    _draw_frame(figure, box, clip, f"{mark} {name}", GOOD if hit else BAD, style)


def _draw_maps(figure, model: ModelRun, bottom: float) -> None:
    frames = pictures.as_pixels(model.maps["frames"][0])
    middle = len(frames) // 2
    shown = [("a clip", frames)]
    large = pictures.enlarge(frames, 160)
    for key, symbol, _ in map_kinds(model):
        drawn = pictures.overlay(large, model.maps[key][0], map_top(model))
        shown.append((f"$A_{symbol}$ {key}", drawn))
    figure.text(
        0.46, bottom + 0.225, f"Where {model.title} looks", fontsize=15, color=INK
    )
    for index, (title, clip) in enumerate(shown):
        box = (0.46 + 0.13 * index, bottom, 0.12, 0.2)
        _draw_frame(figure, box, clip[middle : middle + 1], title, SOFT, line=0)


def _draw_frame(figure, box, clip, title, colour, style="-", line=3.0) -> None:
    axes = figure.add_axes(box)
    frame = pictures.as_pixels(clip)[len(clip) // 2]
    axes.imshow(frame, interpolation="bilinear")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set(color=colour, linewidth=line, linestyle=style, visible=line > 0)
    axes.set_xlabel(title, fontsize=11, color=colour if line else INK, labelpad=4)


def _name(arrays: dict, key: str, place: tuple[int, ...]) -> str:
    values = arrays.get(key)
    if values is None or values.ndim != len(place):
        return ""
    return _short(str(values[place]), 12)


def _short(text: str, length: int) -> str:
    # Matplotlib would read a pair of dollar signs as a formula.
    lines = text.replace("$", r"\$").split("\n")
    cut = [line if len(line) <= length else line[: length - 1] + "…" for line in lines]
    return "\n".join(cut)
