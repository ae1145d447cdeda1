"""What single units of a model stand for: the clips that excite each most."""

import numpy as np

from keras_avrep.report import pictures
from keras_avrep.report.markup import details, esc, section
from keras_avrep.report.run_reader import ModelRun, Run

UNIT_BYTES = 1_600_000
UNIT_PIXELS = 112
UNITS = 16
OPEN_UNITS = 6
CLIPS = 4
KINDS = (
    ("static", "static units – learned from frames that stand still"),
    ("dynamic", "dynamic units – learned from what changes from frame to frame"),
)


def units_section(run: Run) -> str:
    """Where the strongest units are in the clips that excite them."""
    models = [model for model in run.models if unit_kinds(model)]
    if not models:
        return ""
    body = ""
    for model in models:
        shown = _model_units(model, UNIT_BYTES // len(models))
        body += details(model.title, shown, is_open=model is models[0])
    return section(
        "units",
        "What its units stand for",
        "Each row is a unit that the model made up by itself, with the test clips that "
        "excite it most; what they share is what it stands for. Clips are darkened "
        "where the unit is not active.",
        body,
    )


def unit_kinds(model: ModelRun) -> list[tuple[str, str]]:
    """The entries of `KINDS` for which a model has clips and fitting maps."""
    found = []
    for kind in KINDS:
        clips = model.units.get(f"{kind[0]}_clips")
        maps = model.units.get(f"{kind[0]}_maps")
        if clips is None or maps is None or clips.ndim != 6 or maps.ndim != 5:
            continue
        if clips.shape[:2] == maps.shape[:2] and clips.size and maps.size:
            found.append(kind)
    return found


def _model_units(model: ModelRun, budget: int) -> str:
    kinds = unit_kinds(model)
    return "".join(_kind(model, *kind, budget // len(kinds)) for kind in kinds)


def unit_clips(model: ModelRun, kind: str) -> list[list[np.ndarray]]:
    """The clips of each unit, uint8 `(T, H, W, 3)`, dark where the unit is not."""
    maps = _relative(model.units[f"{kind}_maps"][:UNITS, :CLIPS])
    clips = model.units[f"{kind}_clips"][:UNITS, :CLIPS]
    top = float(np.clip(np.percentile(maps, 99), 1.5, 5.0))
    return [
        [
            pictures.spotlight(
                pictures.enlarge(pictures.as_pixels(clip), UNIT_PIXELS), values, top
            )
            for clip, values in zip(unit_clips, unit_maps, strict=True)
        ]
        for unit_clips, unit_maps in zip(clips, maps, strict=True)
    ]


def _kind(model: ModelRun, kind: str, title: str, budget: int) -> str:
    drawn = unit_clips(model, kind)
    moving = pictures.encode_clips([clip for row in drawn for clip in row], budget)
    columns = len(drawn[0])
    rows = []
    for index, name in enumerate(unit_names(model, kind)[: len(drawn)]):
        strip = moving[index * columns : (index + 1) * columns]
        if strip:
            rows.append(_row(name, strip))
    first, others = "".join(rows[:OPEN_UNITS]), "".join(rows[OPEN_UNITS:])
    if others:
        others = details(f"{len(rows) - OPEN_UNITS} more", others, is_open=False)
    return f"<h3>{esc(title)}</h3>{first}{others}"


def _row(name: str, strip) -> str:
    cells = "".join(
        f'<figure class="clip">{picture.tag(f"{name}, clip {rank}")}</figure>'
        for rank, picture in enumerate(strip, 1)
    )
    return (
        f'<div class="found"><div class="who">{esc(name)}</div>'
        f'<div class="strip">{cells}</div></div>'
    )


def unit_names(model: ModelRun, kind: str) -> list[str]:
    """What the units are called: their numbers in the model."""
    numbers, count = model.units.get(f"{kind}_units"), len(model.units[f"{kind}_clips"])
    if numbers is None or numbers.shape[:1] != (count,) or numbers.ndim != 1:
        numbers = np.arange(count)
    return [f"unit {number}" for number in numbers.tolist()]


def _relative(maps: np.ndarray) -> np.ndarray:
    """Maps in units of the mean of each unit over the clips shown."""
    maps = np.nan_to_num(np.asarray(maps, "float64"))
    mean = maps.mean(axis=(1, 2, 3, 4), keepdims=True)
    return maps / np.maximum(mean, 1e-12)
