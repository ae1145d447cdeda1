"""One picture of what single units of a model stand for."""

import os
from pathlib import Path

import numpy as np

from keras_avrep.report.overview import INK, SOFT
from keras_avrep.report.run_reader import ModelRun, read_run
from keras_avrep.report.unit_section import unit_clips, unit_kinds, unit_names

ROWS = 8
HEADS = {
    "static": "static units, a frame of each clip",
    "dynamic": "dynamic units, first and last frame of each clip",
}


def write_unit_picture(run_dir: str | os.PathLike, out_png: str | os.PathLike) -> Path:
    """Draws the clips that excite each unit most, dark where the unit is not.

    Args:
        run_dir: folder in which `keras-avrep evaluate` has measured a model with
            units, such as `StaticDynamicConcepts`.
        out_png: where to write the PNG, 1400 pixels wide.

    Returns:
        The path of the file.

    Raises:
        ValueError: if the folder holds no units.

    Example:
    ```python
    keras_avrep.report.write_unit_picture("runs/concepts", "concepts.png")
    ```
    """
    # Only such pictures need matplotlib; the report page goes without.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    models = [model for model in read_run(run_dir).models if unit_kinds(model)]
    if not models:
        raise ValueError(
            f"{run_dir} has no units of a model; run `keras-avrep evaluate` on it."
        )
    found = {kind: unit_strips(models[0], kind) for kind, _ in unit_kinds(models[0])}
    lines = max(len(strips) for strips in found.values())
    height = 0.5 + 1.02 * lines
    figure = Figure(figsize=(14, height), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    left = 0.06
    for kind, strips in found.items():
        width = next(iter(strips.values())).shape[1]
        share = 1.0 * width / next(iter(strips.values())).shape[0] / 14
        _draw_kind(figure, kind, strips, left, share, height)
        left += share + 0.07
    path = Path(out_png)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png")
    return path


def unit_strips(model: ModelRun, kind: str) -> dict[str, np.ndarray]:
    """One picture of each unit by its name: frames of its clips side by side."""
    rows = unit_clips(model, kind)[:ROWS]
    names = unit_names(model, kind)
    return {
        name: np.concatenate([frame for clip in row for frame in _shown(clip, kind)], 1)
        for name, row in zip(names, rows, strict=False)
    }


def _shown(clip: np.ndarray, kind: str) -> list[np.ndarray]:
    return [clip[0], clip[-1]] if kind == "dynamic" else [clip[len(clip) // 2]]


def _draw_kind(figure, kind, strips, left, share, height):
    top = 1 - 0.35 / height
    figure.text(left, 1 - 0.22 / height, HEADS[kind], fontsize=11, color=SOFT)
    for line, (name, strip) in enumerate(strips.items()):
        bottom = top - (1.02 * line + 1.0) / height
        axes = figure.add_axes((left, bottom, share, 1.0 / height))
        axes.imshow(strip)
        axes.set_axis_off()
        middle = bottom + 0.5 / height
        figure.text(left - 0.005, middle, name, fontsize=10, color=INK, ha="right")
