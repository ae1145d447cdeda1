"""The sections that are numbers: results, data, training."""

import numpy as np

from keras_avrep.report import charts, scores
from keras_avrep.report.markup import (
    MISSING,
    details,
    duration,
    esc,
    percent,
    plain,
    section,
    table,
    wide,
)
from keras_avrep.report.run_reader import BASELINE, Run, as_dict, loss_terms, number

LISTED_CLASSES = 24
TABLE_ONLY = ("r_at_20", "r_at_50")


def results_section(run: Run) -> str:
    """The headline: each model against the other and against guessing."""
    found = scores.read_scores(run)
    if not found:
        return ""
    titles = [model.title for model in run.models]
    labels = list(dict.fromkeys(score.label for score in found))
    says = "".join(f"<li>{_says(found, label, titles)}</li>" for label in labels)
    bars = "".join(_bars(found, label, titles) for label in labels)
    chance = any(score.chance is not None for score in found)
    body = (
        f'<ul class="says">{says}</ul>{_baseline_note(run)}'
        f"{charts.series_legend(titles, chance)}"
        f'<div class="pair">{bars}</div><h3>All numbers</h3>'
        f"{_score_table(found, labels, titles)}"
        f'<p class="note">{_queries(labels)} ▲ marks the highest.</p>'
    )
    return section(
        "results",
        "Results",
        "How often the learnt features bring together videos that belong together; "
        "labels, where there are any, are only used to check this, not to learn it.",
        body,
    )


def _queries(labels: list[str]) -> str:
    """What is asked with, and what is searched."""
    if labels == ["video"]:
        return (
            "R@k: the share of test clips that have another clip of their video among "
            "their k nearest clips. Guessing: picking clips at random."
        )
    return (
        "R@k: the share of test videos with at least one match among the k nearest "
        "videos of the gallery; the features of a video are the mean of several clips. "
        "Linear probe: a single linear layer trained on the frozen features. kNN: a "
        "vote of the nearest neighbours. Guessing: naming the most frequent class "
        "every time."
    )


def _baseline_note(run: Run) -> str:
    """What the others are compared with, where there is something to compare."""
    others = [model for model in run.models if model.name != BASELINE]
    baseline = next((m for m in run.models if m.name == BASELINE), None)
    if baseline is None or not others:
        return ""
    titles = " and ".join(model.title for model in others)
    kept = loss_terms(baseline.changes)
    if not kept:
        says = f"the plain contrast that {titles} is compared with"
    else:
        says = f"plain contrast: {titles} trained once more by a part of its loss, "
        says += f"{_listed(kept)} alone"
    names = {name for model in others for name in model.history}
    more = sorted(n[5:] for n in names if n.startswith("loss_") and n[5:] not in kept)
    left_out = f", without {_listed(more)}" if kept and more else ""
    return f'<p class="note"><b>Baseline</b> is {esc(says + left_out)}.</p>'


def _listed(names: list[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)


def _says(found, label: str, titles: list[str]) -> str:
    of_label = [score for score in found if score.label == label]
    score = next((s for s in of_label if s.measure == "r_at_1"), of_label[0])
    shares = [
        f"<b>{percent(value)}</b> with {esc(title)}"
        for title, value in zip(titles, score.values, strict=True)
        if value is not None
    ]
    last = f"; guessing gives {percent(score.chance)}" if score.chance else ""
    return f"{_finding(score)}: {', '.join(shares)}{last}."


def _finding(score: scores.Score) -> str:
    if score.measure != "r_at_1":
        return f"{esc(scores.label_title(score.label))}, right by {esc(score.title)}"
    if score.label == "video":
        return "Test clips whose nearest clip comes from the same video"
    if score.label:
        same = f"has the same <b>{esc(score.label)}</b>"
        return f"Test videos whose nearest video {same}"
    return "Test videos whose nearest video is a match"


def _bars(found, label: str, titles: list[str]) -> str:
    groups = [
        (score.title, score.values, score.chance)
        for score in found
        if score.label == label and score.measure not in TABLE_ONLY
    ]
    title = scores.label_title(label)
    chart = charts.bar_chart(title, groups, titles)
    caption = f"<figcaption>{esc(title)}</figcaption>"
    return f'<figure class="card">{caption}{chart}</figure>'


def _score_table(found, labels: list[str], titles: list[str]) -> str:
    measures = list(dict.fromkeys(score.title for score in found))
    rows = []
    for label in labels:
        by_title = {s.title: s for s in found if s.label == label}
        for index, title in enumerate(titles):
            cells = [_value_cell(by_title.get(m), index) for m in measures]
            rows.append([esc(scores.label_title(label)), esc(title), *cells])
        if any(s.chance is not None for s in by_title.values()):
            cells = [
                percent(by_title[m].chance) if m in by_title else MISSING
                for m in measures
            ]
            rows.append([esc(scores.label_title(label)), "guessing", *cells])
    return table(["label", "model", *measures], rows, text=["model"])


def _value_cell(score, index: int) -> str:
    if score is None or score.values[index] is None:
        return MISSING
    value = score.values[index]
    # A tie has no winner to point at.
    alone = len(score.values) > 1 and score.values.count(score.best) == 1
    if alone and value == score.best:
        return f'<span class="best">{percent(value)}</span>'
    return percent(value)


def data_section(run: Run) -> str:
    """Which videos it learnt from, and which it was checked on."""
    data = run.data
    facts = {
        "trained on": _count(data.get("trained_on")),
        "gallery": _count(data.get("gallery")),
        "test": _count(data.get("test")),
        "videos in all": _count(data.get("videos")),
        "left out": _count(data.get("rejected")),
        "length of all": duration(data.get("seconds")),
        "folder": run.show_path(data["folder"]) if data.get("folder") else MISSING,
    }
    shown = {name: value for name, value in facts.items() if value != MISSING}
    if not shown:
        return ""
    rows = [
        [esc(name), str(len(classes)), _class_list(classes)]
        for name, classes in as_dict(data.get("labels")).items()
        if isinstance(classes, list)
    ]
    labels = (
        table(["label", "classes", "names"], rows, text=["names"])
        if rows
        else (
            '<p class="note">These videos have no labels, so the check is whether '
            "other clips of the same video are found.</p>"
        )
    )
    known = number(data.get("trained_on")) is not None
    return section(
        "data",
        "What it was trained on" if known else "The videos",
        _data_sentence(data),
        fact_list(shown) + labels,
    )


def _data_sentence(data: dict) -> str:
    parts = "for training and for checking"
    if number(data.get("test")) is not None:
        parts = "to train on and to check with: test videos, which no training saw, "
        parts += "are compared with the gallery, which may have been trained on"
    labels = "labels, if any, serve only for checking"
    return f"The videos that were usable, {parts}; their {labels}."


def fact_list(facts: dict[str, str]) -> str:
    """Short facts as tiles."""
    tiles = "".join(
        f"<div><dt>{esc(name)}</dt><dd>{esc(value)}</dd></div>"
        for name, value in facts.items()
    )
    return f'<dl class="facts">{tiles}</dl>'


def _count(value) -> str:
    value = number(value)
    return MISSING if value is None else f"{int(value):,}"


def _class_list(classes: list) -> str:
    names = ", ".join(esc(name) for name in classes[:LISTED_CLASSES])
    more = len(classes) - LISTED_CLASSES
    tail = f" and {more} more" if more > 0 else ""
    return wide(names + tail)


def training_section(run: Run) -> str:
    """Loss curves, accuracy on the way, and speed."""
    curves = _curves(run, "history")
    facts = _training_table(run)
    if not curves and not facts:
        return ""
    names = _columns(curves)
    losses = [name for name in names if name.startswith("loss")]
    others = [name for name in names if not name.startswith("loss")]
    body = facts
    if names:
        body += charts.line_legend([model.title for model in run.models])
        body += f'<div class="grid">{_panels(curves, losses, " loss")}</div>'
    if probes := _curves(run, "probe"):
        body += "<h3>Accuracy of the nearest neighbour, while it learned</h3>"
        body += f'<div class="grid">{_panels(probes, _columns(probes))}</div>'
    if others:
        panels = f'<div class="grid">{_panels(curves, others)}</div>'
        body += details("Speed and health of the training", panels)
    return section(
        "training",
        "Training",
        "Each panel is one thing the training tried to make small, over its steps: "
        "compare the shapes of the curves, not the heights of different models, "
        "which may add up different parts. Bold lines are smoothed, faint ones as "
        "measured; the number at an end is the last that was measured.",
        body,
    )


def _curves(run: Run, kind: str) -> list[tuple[int, str, dict]]:
    """Number, title and columns of each model that has some."""
    found = [(i, m.title, getattr(m, kind)) for i, m in enumerate(run.models)]
    return [curve for curve in found if curve[2]]


def _columns(curves) -> list[str]:
    names: dict[str, None] = {}
    for _, _, columns in curves:
        names.update({k: None for k in columns if k != "step"})
    return list(names)


def _panels(curves, names: list[str], ending: str = "") -> str:
    figures = []
    for name in names:
        lines = [
            charts.Line(title, index, _steps(columns), columns[name])
            for index, title, columns in curves
            if name in columns
        ]
        title = _loss_title(name) + ending
        chart = charts.line_chart(title, lines)
        caption = f"<figcaption>{esc(title)}</figcaption>"
        figures.append(f'<figure class="card">{caption}{chart}</figure>')
    return "".join(figures)


def _loss_title(name: str) -> str:
    return {"loss": "total"}.get(name, name.removeprefix("loss_").replace("_", " "))


def _steps(columns: dict) -> np.ndarray:
    length = len(next(iter(columns.values())))
    return columns.get("step", np.arange(1, length + 1, dtype="float64"))


def _training_table(run: Run) -> str:
    train = as_dict(run.summary.get("train"))
    blocks = [(m.title, as_dict(train.get(m.name))) for m in run.models]
    blocks = [(title, block) for title, block in blocks if block]
    if not blocks and number(train.get("steps")) is not None:
        blocks = [("this run", train)]
    rows = [
        [
            esc(title),
            plain(block.get("steps")),
            duration(block.get("seconds")),
            plain(block.get("clips_per_second")),
            percent(block.get("data_wait_fraction")),
            _last_losses(block),
        ]
        for title, block in blocks
    ]
    head = ["model", "steps", "time", "clips/s", "waiting for data", "last losses"]
    return table(head, rows, text=["last losses"]) if rows else ""


def _last_losses(block: dict) -> str:
    losses = as_dict(block.get("losses"))
    shown = [f"{esc(_loss_title(n))} {plain(value)}" for n, value in losses.items()]
    return wide(", ".join(shown)) if shown else MISSING
