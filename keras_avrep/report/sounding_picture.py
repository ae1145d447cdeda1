"""One picture of what a localiser finds in held-out moments."""

import os
from pathlib import Path

import numpy as np

from keras_avrep.report.overview import BAD, INK, SOFT
from keras_avrep.report.run_reader import read_run
from keras_avrep.report.sounding_section import is_complete, moment_pictures

COLUMNS = 3
HEADS = ("what is true", "where it fits", "what it says")


def write_sounding_picture(
    run_dir: str | os.PathLike, out_png: str | os.PathLike
) -> Path:
    """Draws held-out moments, evenly taken ones and failures, beside their truth.

    Args:
        run_dir: folder that `keras-avrep evaluate` has scored a localiser in.
        out_png: where to write the PNG, 1400 pixels wide.

    Returns:
        The path of the file.

    Raises:
        ValueError: if the folder holds no pictures of a localiser.

    Example:
    ```python
    keras_avrep.report.write_sounding_picture("runs/csol", "sounding.png")
    ```
    """
    # Only such pictures need matplotlib; the report page goes without.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    models = [m for m in read_run(run_dir).models if is_complete(m.sounding)]
    if not models:
        raise ValueError(
            f"{run_dir} has no pictures of a localiser; run `keras-avrep evaluate` on "
            "it with videos whose boxes are known."
        )
    arrays = models[0].sounding
    rows = _chosen(arrays["kinds"].astype(str))
    lines = -(-len(rows) // COLUMNS)
    height = 0.35 + 2.0 * lines
    figure = Figure(figsize=(14, height), dpi=100, facecolor="white")
    FigureCanvasAgg(figure)
    for place, row in enumerate(rows):
        _draw_moment(figure, arrays, row, place, lines, height)
    path = Path(out_png)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png")
    return path


def _chosen(kinds):
    """Two lines of moments taken evenly, and one of failures."""
    rows = []
    for kind, count in (("typical", 2 * COLUMNS), ("worst", COLUMNS)):
        found = np.flatnonzero(kinds == kind)
        rows += [*found[:: max(1, len(found) // count)][:count]]
    return rows


def _draw_moment(figure, arrays, row, place, lines, height):
    shown, words = moment_pictures(arrays, row)
    line, column = divmod(place, COLUMNS)
    side, gap = 1.45 / 14, 0.04 / 14
    left = 0.012 + column * 0.333
    bottom = 1 - (0.35 + 2.0 * line + 1.45) / height
    for k, picture in enumerate(shown):
        at = (left + k * (side + gap), bottom, side, 1.45 / height)
        axes = figure.add_axes(at)
        axes.imshow(picture)
        axes.set_axis_off()
        if line == 0:
            axes.set_title(HEADS[k], fontsize=10, color=SOFT, pad=4)
    failed = str(arrays["kinds"][row]) == "worst"
    text = f"sounds: {words['heard']}\nsays: {words['said']}"
    if failed:
        text = "failure, " + text
    figure.text(
        left,
        bottom - 0.06 / height,
        text,
        fontsize=9.5,
        color=BAD if failed else INK,
        va="top",
    )
