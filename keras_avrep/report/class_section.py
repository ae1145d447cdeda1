"""Which classes are found and which are mixed up."""

from collections import Counter

import numpy as np

from keras_avrep.report import scores
from keras_avrep.report.markup import (
    MISSING,
    counted,
    details,
    esc,
    percent,
    section,
    table,
)
from keras_avrep.report.run_reader import ModelRun, Run

SHOWN_CLASSES = 40


def classes_section(run: Run) -> str:
    """One table for each label."""
    models = [(i, m) for i, m in enumerate(run.models) if scores.can_compare(m)]
    labels = list(dict.fromkeys(n for _, m in models for n in scores.label_names(m)))
    parts = []
    for label in labels:
        having = [(i, m) for i, m in models if label in scores.label_names(m)]
        parts.append(
            details(label, _class_table(having, label), is_open=label == labels[0])
        )
    if not parts:
        return ""
    return section(
        "classes",
        "Class by class",
        "For each class, how often the nearest video of the gallery has the same "
        "class, and which class it is mistaken for most often.",
        "".join(parts),
    )


def _class_table(models: list[tuple[int, ModelRun]], label: str) -> str:
    pairs = [scores.nearest_labels(model, label) for _, model in models]
    counts = Counter(pairs[0][0].tolist())
    rows = []
    for name, count in counts.most_common(SHOWN_CLASSES):
        row = [esc(name), f"{count:,}"]
        for (index, _), (truth, found) in zip(models, pairs, strict=True):
            row.append(_share_bar(np.mean(found[truth == name] == name), index))
        wrong = [str(c) for c in pairs[0][1][pairs[0][0] == name] if c != name]
        row.append(_confusion(wrong))
        rows.append(row)
    head = ["class", "test videos", *(model.title for _, model in models)]
    left_out = len(counts) - len(rows)
    note = (
        f'<p class="note">{counted(left_out, "class")} with fewer videos not shown.</p>'
    )
    mistaken = f"{models[0][1].title} mistakes it for"
    shown = table([*head, mistaken], rows, text=[mistaken])
    return shown + (note if left_out > 0 else "")


def _share_bar(share: float, index: int) -> str:
    return (
        f'<span class="share s{index}"><i style="width:{100 * share:.0f}%"></i></span>'
        f'<span class="share-text">{percent(share)}</span>'
    )


def _confusion(wrong: list[str]) -> str:
    if not wrong:
        return MISSING
    name, count = Counter(wrong).most_common(1)[0]
    return f"{esc(name)} ({count}×)"
