"""The picture that a run has to show, whatever its model is."""

import os
from pathlib import Path

from keras_avrep.report.overview import write_overview_picture
from keras_avrep.report.picture_sections import has_gallery, map_kinds
from keras_avrep.report.run_reader import read_run
from keras_avrep.report.scores import read_scores
from keras_avrep.report.sounding_picture import write_sounding_picture
from keras_avrep.report.sounding_section import is_complete
from keras_avrep.report.unit_picture import write_unit_picture
from keras_avrep.report.unit_section import unit_kinds


def write_picture(run_dir: str | os.PathLike, out_png: str | os.PathLike) -> Path:
    """Draws what a run has found: places of sound, units, or else its scores.

    Args:
        run_dir: folder with `summary.json`.
        out_png: where to write the PNG, 1400 pixels wide.

    Returns:
        The path of the file.

    Raises:
        ValueError: if nothing in the folder can be drawn.

    Example:
    ```python
    keras_avrep.report.write_picture("runs/concepts", "concepts.png")
    ```
    """
    run = read_run(run_dir)
    models = run.models
    if any(is_complete(model.sounding) for model in models):
        return write_sounding_picture(run_dir, out_png)
    if any(unit_kinds(model) for model in models):
        return write_unit_picture(run_dir, out_png)
    shown = any(has_gallery(model) or map_kinds(model) for model in models)
    if not (shown or read_scores(run)):
        raise ValueError(
            f"{run_dir} has nothing to draw; run `keras-avrep evaluate` on it."
        )
    return write_overview_picture(run_dir, out_png)
