"""The section about what sounds where: scores beside floors, pictures, failures."""

import io

import numpy as np
from PIL import Image, ImageDraw

from keras_avrep.report import pictures
from keras_avrep.report.markup import MISSING, details, esc, percent, section, table
from keras_avrep.report.run_reader import ModelRun, Run, as_dict, number
from keras_avrep.report.sounding_overlay import draw_sounding

# As large as they are shown, so that the names in them can be read.
PICTURE_PIXELS = 184
QUALITY = 72
SOLO = {"iou_at_50": "IoU@0.5", "auc": "AUC", "class_accuracy": "right class"}
MIXTURES = {
    "ciou_at_30": "CIoU@0.3",
    "auc": "AUC",
    "nsa": "NSA",
    "sounding_over_silent": "sounding over silent",
    "entropy_share": "undecided",
    "entropy_share_in_boxes": "undecided in boxes",
}
ROWS = {
    "shuffled": "with another moment's sound",
    "correspondence": "its sounding map for every class",
    "whole_image": "floor: whole picture",
    "centred_square": "floor: square in the middle",
    "average_mask": "floor: where boxes mostly are",
    "most_frequent_class": "floor: most frequent class",
}
KINDS = {
    "typical": "Held-out moments, taken evenly",
    "worst": "Failures: where maps and truth agree least",
}
ARRAYS = ("frames", "sounding_maps", "moments", "kinds", "overlaps")


def sounding_section(run: Run) -> str:
    """What localisers score, and what they say of held-out moments."""
    parts = [(model, _scores(model) + _gallery(model)) for model in run.models]
    parts = [(model, body) for model, body in parts if body]
    if not parts:
        return ""
    body = parts[0][1]
    if len(parts) > 1:
        body = "".join(
            details(model.title, shown, is_open=model is parts[0][0])
            for model, shown in parts
        )
    return section(
        "sounding",
        "What sounds, and where",
        "Boxes are only used to check the model, and so are the names of classes "
        "unless it was trained with --use-labels. Compare each number with the floors: "
        "maps that look at nothing.",
        body,
    )


# --- numbers -----------------------------------------------------------------


def _scores(model: ModelRun) -> str:
    found = as_dict(model.scores.get("localisation"))
    solo, mixtures = as_dict(found.get("solo")), as_dict(found.get("mixtures"))
    body = _clusters(as_dict(found.get("clusters"))) + _left_out(found)
    if solo:
        body += f"<h3>One source ({_count(solo)})</h3>{_table(model, solo, SOLO)}"
    if mixtures:
        body += f"<h3>Several sources ({_count(mixtures)})</h3>"
        body += _table(model, mixtures, MIXTURES) + _levels(mixtures)
    if not (solo or mixtures):
        return ""
    return body + (
        '<p class="note">IoU and CIoU: the share of moments in which maps and boxes '
        "overlap by that much, for CIoU class by class. AUC: that share, averaged "
        "over all thresholds of overlap. NSA: the share of the picture that the maps "
        "of classes without a sounding box leave alone; maps that cannot tell five or "
        "more classes apart have all of it. Sounding over silent: how often the map of "
        "a sounding object is higher in its box than that of a silent one in the same "
        "picture; 50% for maps that do not listen. Undecided: the entropy of the "
        "classes at a place, 100% if all are equally likely.</p>"
    )


def _count(part: dict) -> str:
    count = number(part.get("moments"))
    return MISSING if count is None else f"{int(count):,} held-out moments"


def _left_out(found: dict) -> str:
    """What the moments were taken for, and how many could not be scored."""
    said = []
    if kind := found.get("kind"):
        said.append(f"All moments are scored as {esc(str(kind))}.")
    if without := number(found.get("without_boxes")):
        said.append(f"{int(without):,} moments without a box are left out.")
    if rejected := number(found.get("rejected")):
        said.append(f"{int(rejected):,} moments could not be read.")
    return f'<p class="note">{" ".join(said)}</p>' if said else ""


def _clusters(clusters: dict) -> str:
    accuracy, chance = number(clusters.get("accuracy")), number(clusters.get("chance"))
    if accuracy is None:
        return ""
    return (
        f'<ul class="says"><li>Its clusters tell the class of <b>{percent(accuracy)}'
        f"</b> of the labelled solos; always saying the most frequent one would be "
        f"right for {percent(chance)}.</li></ul>"
    )


def _table(model: ModelRun, part: dict, measures: dict) -> str:
    rows = {model.title: as_dict(part.get("model"))}
    found = {**part, **as_dict(part.get("floors"))}
    rows |= {title: as_dict(found.get(name)) for name, title in ROWS.items()}
    rows = {title: scores for title, scores in rows.items() if scores}
    shown = {
        name: title
        for name, title in measures.items()
        if any(number(scores.get(name)) is not None for scores in rows.values())
    }
    cells = [
        [esc(title), *(percent(scores.get(name)) for name in shown)]
        for title, scores in rows.items()
    ]
    return table(["", *shown.values()], cells)


def _levels(mixtures: dict) -> str:
    """How well quieter sources are heard, where the model says what it hears."""
    said = as_dict(mixtures.get("model"))
    heard = as_dict(said.get("levels"))
    other = as_dict(as_dict(mixtures.get("shuffled")).get("levels"))
    rows = []
    for level, scores in heard.items():
        scores = as_dict(scores)
        if number(scores.get("average_precision")) is None:
            continue
        edge = number(level)
        title = "all" if edge is None else f"{edge:.0f} dB"
        shuffled = as_dict(other.get(level)).get("average_precision")
        cells = [scores.get("average_precision"), shuffled, scores.get("f1")]
        cells = [percent(cell) for cell in [*cells, scores.get("chance")]]
        rows.append([title, str(scores.get("count", MISSING)), *cells])
    body = ""
    if rows:
        head = ["level", "sources", "average precision", "with another's sound"]
        body += "<h3>What is heard, by how loud it is beside the loudest</h3>"
        body += table([*head, "F1", "guessing"], rows)
    off = as_dict(said.get("off_screen"))
    if number(off.get("mass")) is not None:
        body += (
            f'<p class="note">Of what it says is sounding, {percent(off["mass"])} goes '
            "to sources that are heard and not seen; a uniform guess gives "
            f"{percent(off.get('uniform'))}.</p>"
        )
    return body


# --- pictures ----------------------------------------------------------------


def _gallery(model: ModelRun) -> str:
    arrays = model.sounding
    if not is_complete(arrays):
        return ""
    kinds = arrays["kinds"].astype(str)
    body = ""
    for kind, title in KINDS.items():
        rows = np.flatnonzero(kinds == kind)
        cells = "".join(_moment(arrays, row) for row in rows)
        if cells:
            body += f'<h3>{esc(title)}</h3><div class="sounding">{cells}</div>'
    legend = (
        '<p class="note">Left: the truth; a solid frame sounds, a dashed one is '
        "silent. Middle: bright where the model finds that picture and sound fit. "
        "Right: what it says sounds; blank where no class reaches one half.</p>"
    )
    return legend + body if body else ""


def is_complete(arrays: dict) -> bool:
    """Whether all arrays are there and fit."""
    frames, names = arrays.get("frames"), arrays.get("names")
    if frames is None or names is None or frames.ndim != 4 or not frames.size:
        return False
    if any(len(arrays.get(key, ())) != len(frames) for key in ARRAYS):
        return False
    for prefix, keys in (
        ("truth", ("boxes", "names", "sounding")),
        ("found", ("boxes", "names", "scores", "regions")),
    ):
        moment = arrays.get(f"{prefix}_moment")
        parts = [arrays.get(f"{prefix}_{key}") for key in keys]
        if moment is None or any(p is None or len(p) != len(moment) for p in parts):
            return False
    return True


def moment_pictures(arrays: dict, row: int) -> tuple[list[np.ndarray], dict]:
    """What is true of a held-out moment, where it fits, and what the model says.

    Args:
        arrays: what `keras-avrep evaluate` keeps in `sounding.npz`.
        row: int. Which moment.

    Returns:
        Three uint8 pictures `(H, W, 3)`, and a dict of what is `heard` and what the
        model `said`, names joined by commas.
    """
    names = [str(name) for name in arrays["names"]]
    frame = pictures.enlarge(
        pictures.as_pixels(arrays["frames"][row][None]), PICTURE_PIXELS
    )[0]
    truth = arrays["truth_moment"] == row
    sounding = truth & arrays["truth_sounding"].astype(bool)
    found = np.flatnonzero(arrays["found_moment"] == row)
    boxes = [
        {
            "cluster": 0,
            "name": str(arrays["found_names"][i]),
            "box": arrays["found_boxes"][i],
            "score": float(arrays["found_scores"][i]),
        }
        for i in found
    ]
    for box in boxes:
        box["cluster"] = names.index(box["name"]) if box["name"] in names else 0
    regions = arrays["found_regions"][found]
    drawn = draw_sounding(frame, boxes, regions, names, legend=False)
    fits = pictures.overlay(frame[None], arrays["sounding_maps"][row][None], top=1.0)
    heard = ", ".join(sorted(arrays["truth_names"][sounding].astype(str))) or "nothing"
    said = ", ".join(sorted({box["name"] for box in boxes})) or "nothing"
    true_picture = _truth_picture(frame, arrays, truth)
    return [true_picture, fits[0], drawn], {"heard": heard, "said": said}


def _moment(arrays: dict, row: int) -> str:
    shown, words = moment_pictures(arrays, row)
    heard, said = words["heard"], words["said"]
    overlap = percent(arrays["overlaps"][row])
    return (
        '<figure class="clip">'
        f"{_image(shown[0], f'sounding: {heard}')}"
        f"{_image(shown[1], 'where picture and sound fit')}"
        f"{_image(shown[2], f'the model says: {said}')}"
        f"<figcaption>sounds: {esc(heard)}<br>says: {esc(said)}<br>overlap {overlap}"
        "</figcaption></figure>"
    )


def _truth_picture(frame, arrays, truth):
    image = Image.fromarray(frame)
    draw = ImageDraw.Draw(image)
    side = np.array([image.height, image.width] * 2)
    for i in np.flatnonzero(truth):
        y1, x1, y2, x2 = np.clip(arrays["truth_boxes"][i], 0, 1) * side
        y1, x1, y2, x2 = y1, x1, max(y1, y2 - 1), max(x1, x2 - 1)
        sounds = bool(arrays["truth_sounding"][i])
        edges = [(x1, y1, x2, y1), (x1, y2, x2, y2), (x1, y1, x1, y2), (x2, y1, x2, y2)]
        for edge in edges:
            _edge(draw, np.array(edge), dashed=not sounds)
    return np.asarray(image)


def _edge(draw, edge, dashed, dash=7):
    start, end = edge[:2], edge[2:]
    length = max(1.0, float(np.abs(end - start).max()))
    step = 2 * dash if dashed else length
    for first in np.arange(0, length, step):
        last = min(length, first + (dash if dashed else length))
        points = [tuple(start + (end - start) * at / length) for at in (first, last)]
        # White on black shows on any ground.
        draw.line(points, fill=(20, 22, 26), width=4)
        draw.line(points, fill=(255, 255, 255), width=2)


def _image(picture, alt: str) -> str:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "WEBP", quality=QUALITY, method=2)
    height, width = picture.shape[:2]
    return (
        f'<img src="{pictures.data_uri(buffer.getvalue())}" alt="{esc(alt)}" '
        f'width="{width}" height="{height}" loading="lazy" decoding="async">'
    )
