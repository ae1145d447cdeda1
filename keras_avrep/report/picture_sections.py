"""The sections one looks at: found videos, activation maps, the map of all videos."""

from collections import Counter

import numpy as np

from keras_avrep.report import charts, pictures, scores, tsne
from keras_avrep.report.markup import details, esc, percent, section
from keras_avrep.report.run_reader import ModelRun, Run

GALLERY_BYTES = 2_300_000
MAP_BYTES = 1_100_000
QUERIES = 8
OPEN_QUERIES = 4
NEIGHBOURS = 5
MAP_CLIPS = 4
MAP_PIXELS = 160
MAP_POINTS = 400
MAP_CLASSES = 24
MAP_LABELS = 5
# What the splits of stored features are called.
SPLITS = {"test": "held out", "train": "of the gallery"}
MAPS = (
    ("static", "s", "what stands out in a single still frame"),
    ("dynamic", "d", "what stands out in the change from frame to frame"),
    ("rgb", "v", "what stands out in the clip as it is"),
)


def gallery_section(run: Run) -> str:
    """Test videos and the gallery videos that each model finds for them."""
    models = [model for model in run.models if has_gallery(model)]
    if not models:
        return ""
    groups = _same_queries(models)
    budget = GALLERY_BYTES // len(models)
    usual = {model.name: usual_hits(model) for model in models}
    body = "".join(_gallery(group, budget * len(group), usual) for group in groups)
    if not body:
        return ""
    share = " “Usual” is the share of matches over all test videos."
    return section(
        "gallery",
        "What it finds",
        "Left: a test video. Right: the videos of the gallery that the model finds "
        "most similar, nearest first, a clip of each. ✓ and a solid frame mark a "
        "match, ✗ and a dashed frame a mistake."
        + (share if any(value is not None for value in usual.values()) else ""),
        body,
    )


def has_gallery(model: ModelRun) -> bool:
    """Whether there are clips and neighbours in the expected shape."""
    queries = model.gallery.get("test_clips")
    found = model.gallery.get("neighbour_clips")
    if queries is None or found is None or queries.ndim != 5 or found.ndim != 6:
        return False
    return len(queries) == len(found) and queries.size > 0 and found.size > 0


def _same_queries(models: list[ModelRun]) -> list[list[ModelRun]]:
    """Models asked about the same clips, so that their answers stand together."""
    groups: list[list[ModelRun]] = []
    for model in models:
        for group in groups:
            first = group[0].gallery["test_clips"]
            if np.array_equal(first, model.gallery["test_clips"]):
                group.append(model)
                break
        else:
            groups.append([model])
    return groups


def _gallery(group: list[ModelRun], budget: int, usual: dict) -> str:
    rows = min(QUERIES, min(len(model.gallery["test_clips"]) for model in group))
    clips: list[np.ndarray] = []
    for row in range(rows):
        clips.append(pictures.as_pixels(group[0].gallery["test_clips"][row]))
        for model in group:
            found = model.gallery["neighbour_clips"][row, :NEIGHBOURS]
            clips.extend(pictures.as_pixels(found))
    moving = iter(pictures.encode_clips(clips, budget))
    shown = [_query_row(group, row, moving, usual) for row in range(rows)]
    first, rest = shown[:OPEN_QUERIES], [row for row in shown[OPEN_QUERIES:] if row]
    more = details(f"{len(rest)} more", "".join(rest)) if rest else ""
    return "".join(first) + more


def _query_row(group: list[ModelRun], row: int, moving, usual: dict) -> str:
    query = next(moving, None)
    if query is None:
        return ""
    name = _at(group[0].gallery, "test_labels", row)
    found = "".join(_found(m, row, moving, usual[m.name]) for m in group)
    caption = esc(name or f"video {row + 1}")
    return (
        '<div class="card search"><figure class="clip query">'
        f"{query.tag(f'query: {name}')}<figcaption>{caption}</figcaption></figure>"
        f"<div>{found}</div></div>"
    )


def _found(model: ModelRun, row: int, moving, usual: float | None) -> str:
    count = min(NEIGHBOURS, model.gallery["neighbour_clips"].shape[1])
    hits = _hits(model, row, count)
    cells = []
    for rank in range(count):
        picture = next(moving, None)
        if picture is not None:
            name = _at(model.gallery, "neighbour_labels", row, rank)
            cells.append(_neighbour(picture, name, hits[rank], rank))
    known = [hit for hit in hits if hit is not None]
    tally = f"<small>{sum(known)} of {len(known)}</small>" if known else ""
    if known and usual is not None:
        tally += f"<small>usual: {percent(usual)}</small>"
    return (
        f'<div class="found"><div class="who">{esc(model.title)}{tally}</div>'
        f'<div class="strip">{"".join(cells)}</div></div>'
    )


def usual_hits(model: ModelRun) -> float | None:
    """The share of matches among as many neighbours of all test videos.

    `None` where it is unknown which label makes a match.
    """
    if not scores.can_compare(model):
        return None
    shown = {str(name) for name in model.gallery.get("test_labels", ())}
    fitting = [
        name
        for name in scores.label_names(model)
        if shown and shown <= set(model.features[f"test_label_{name}"].astype(str))
    ]
    if len(fitting) != 1:
        return None
    count = min(NEIGHBOURS, model.gallery["neighbour_clips"].shape[1])
    return scores.share_of_hits(model, fitting[0], count)


def _neighbour(picture, name: str, hit: bool | None, rank: int) -> str:
    kind, mark, spoken = {
        True: ("hit", "✓", "match"),
        False: ("miss", "✗", "no match"),
        None: ("", "", "unmarked"),
    }[hit]
    alt = f"neighbour {rank + 1}: {name} ({spoken})"
    return (
        f'<figure class="clip {kind}">{picture.tag(alt)}'
        f'<figcaption><span class="mark">{mark}</span> {esc(name)}</figcaption>'
        "</figure>"
    )


def _hits(model: ModelRun, row: int, count: int) -> list[bool | None]:
    hits = model.gallery.get("hits")
    if hits is None or hits.ndim != 2 or row >= len(hits) or hits.shape[1] < count:
        return [None] * count
    return [bool(hit) for hit in hits[row, :count]]


def _at(arrays: dict, key: str, *place: int) -> str:
    values = arrays.get(key)
    if values is None or values.ndim != len(place):
        return ""
    inside = all(i < n for i, n in zip(place, values.shape, strict=True))
    return str(values[place]) if inside else ""


def maps_section(run: Run) -> str:
    """Where in the picture the model looks."""
    models = [model for model in run.models if map_kinds(model)]
    if not models:
        return ""
    kinds = [k for k in MAPS if any(k in map_kinds(model) for model in models)]
    budget = MAP_BYTES // len(models)
    meanings = [f"<li>{_symbol(kind)} – {esc(kind[2])}</li>" for kind in kinds]
    body = f'<ul class="meanings">{"".join(meanings)}</ul>'
    for model in models:
        shown = _model_maps(model, budget)
        body += details(model.title, shown, is_open=model is models[0])
    return section(
        "maps",
        "Where it looks",
        "Bright places count more than the clip's average, dark places less.",
        body,
    )


def _symbol(kind: tuple[str, str, str]) -> str:
    return f"<b>A<sub>{kind[1]}</sub></b> {kind[0]}"


def map_kinds(model: ModelRun) -> list[tuple[str, str, str]]:
    """The entries of `MAPS` that a model has, one map for each clip."""
    frames = model.maps.get("frames")
    if frames is None or frames.ndim != 5 or not frames.size:
        return []
    return [
        kind
        for kind in MAPS
        if (values := model.maps.get(kind[0])) is not None
        and values.ndim == 4
        and len(values) == len(frames)
        and values.size
    ]


def map_top(model: ModelRun) -> float:
    """The value all overlays of a model show brightest, so that they compare."""
    kinds = map_kinds(model)
    values = [np.nan_to_num(model.maps[key]).ravel() for key, _, _ in kinds]
    return float(np.clip(np.percentile(np.concatenate(values), 99), 1.5, 5.0))


def _model_maps(model: ModelRun, budget: int) -> str:
    kinds, top = map_kinds(model), map_top(model)
    clips, captions = [], []
    for index in range(min(MAP_CLIPS, len(model.maps["frames"]))):
        frames = pictures.as_pixels(model.maps["frames"][index])
        frames = pictures.enlarge(frames, MAP_PIXELS)
        clips.append(frames)
        captions.append("the clip")
        for kind in kinds:
            clips.append(pictures.overlay(frames, model.maps[kind[0]][index], top))
            captions.append(_symbol(kind))
    moving = pictures.encode_clips(clips, budget)
    cells = "".join(
        f'<figure class="clip">{picture.tag("")}'
        f"<figcaption>{caption}</figcaption></figure>"
        for picture, caption in zip(moving, captions, strict=False)
    )
    columns = f"--columns:{len(kinds) + 1}"
    return (
        f'<div class="maps" style="{columns}">{cells}</div>{pictures.heat_scale(top)}'
    )


def plane_section(run: Run) -> str:
    """Every video as a point; alike videos lie near each other."""
    planes = [(model, _plane(model)) for model in run.models]
    planes = [(model, plane) for model, plane in planes if plane is not None]
    if not planes:
        return ""
    labels = list(dict.fromkeys(n for _, p in planes for n in p[2]))[:MAP_LABELS]
    body = "".join(_coloured(run, planes, label) for label in labels or [""])
    return section(
        "map",
        "A map of the videos",
        f"Every point is a video, {_drawn(planes[0][1])}, and similar videos lie "
        "together, so a class that forms its own island is one the model tells apart "
        "without having seen its name; directions and sizes have no meaning (t-SNE).",
        body,
    )


def _plane(model: ModelRun):
    """Places, paths, labels and splits of the videos drawn, held-out ones first."""
    splits = [
        s
        for s in ("test", "train")
        if (f := model.features.get(f"{s}_features")) is not None and f.ndim == 2
    ]
    if (
        not splits
        or len({model.features[f"{s}_features"].shape[1] for s in splits}) > 1
    ):
        return None
    features = np.concatenate([model.features[f"{s}_features"] for s in splits])
    sound = np.flatnonzero(np.isfinite(features).all(axis=1))
    drawn = _spaced(sound, sound < len(model.features[f"{splits[0]}_features"]))
    if len(drawn) < 5:
        return None
    prefixes = [f"{s}_label_" for s in splits]
    names = [k[len(prefixes[0]) :] for k in model.features if k.startswith(prefixes[0])]
    labels = {name: _joined(model, prefixes, name, len(features)) for name in names}
    paths = _joined(model, [f"{s}_" for s in splits], "paths", len(features))
    place = tsne.plane(features[drawn])
    known = {k: v[drawn] for k, v in labels.items() if v is not None}
    sizes = [len(model.features[f"{s}_features"]) for s in splits]
    titles = np.repeat([SPLITS[s] for s in splits], sizes)[drawn]
    return place, None if paths is None else paths[drawn], known, titles


def _spaced(places, held_out):
    """As many places as are drawn: held-out ones, then others, each evenly spaced."""
    chosen, room = [], MAP_POINTS
    for part in (places[held_out], places[~held_out]):
        if len(part) and room:
            steps = np.linspace(0, len(part) - 1, min(room, len(part)))
            chosen += [part[i] for i in np.unique(steps.astype(int))]
            room = MAP_POINTS - len(chosen)
    return np.array(chosen, int)


def _drawn(plane) -> str:
    """How many videos of which split a plane shows."""
    counts = Counter(plane[3].tolist())
    return " and ".join(f"{count:,} {says}" for says, count in counts.items())


def _joined(model: ModelRun, prefixes: list[str], name: str, length: int):
    parts = [model.features.get(prefix + name) for prefix in prefixes]
    if any(part is None for part in parts):
        return None
    joined = np.concatenate([np.asarray(part).astype(str) for part in parts])
    return joined if len(joined) == length else None


def _coloured(run: Run, planes, label: str) -> str:
    every = Counter(
        c for _, p in planes for c in p[2].get(label, np.array([])).tolist()
    )
    names = sorted(name for name, _ in every.most_common(MAP_CLASSES))
    style = {name: index for index, name in enumerate(names)}
    figures = []
    for model, (place, paths, labels, splits) in planes:
        classes = labels.get(label, np.full(len(place), "")).tolist()
        files = [""] * len(place) if paths is None else paths.tolist()
        tips = [
            " · ".join(t for t in (str(c), run.show_path(f), s) if t)
            for c, f, s in zip(classes, files, splits.tolist(), strict=True)
        ]
        styles = [style.get(name, -1) for name in classes]
        shown = f"{len(place)} videos on a plane by {label or 'content'}"
        spoken = f"{model.title}: {shown}"
        chart = charts.scatter(spoken, place, styles, tips)
        caption = f"<figcaption>{esc(model.title)}</figcaption>"
        figures.append(f'<figure class="card">{caption}{chart}</figure>')
    legend = charts.class_legend(names, len(every) > len(names)) if names else ""
    heading = f"<h3>coloured by {esc(label)}</h3>" if label else ""
    return f'{heading}{legend}<div class="pair">{"".join(figures)}</div>'
