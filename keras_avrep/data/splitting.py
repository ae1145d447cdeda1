"""Records divided into train and test."""

import hashlib
import os

import numpy as np

from keras_avrep.data.annotations import TRAINING
from keras_avrep.data.manifest import VideoRecord


def is_held_out(record: VideoRecord) -> bool:
    """Whether a record's split keeps it from being learned from.

    Args:
        record: `VideoRecord`.

    Returns:
        bool; `False` without a split.

    Example:
    ```python
    test = [r for r in manifest.records if keras_avrep.data.is_held_out(r)]
    ```
    """
    return record.split is not None and record.split.lower() not in TRAINING


def spaced_records(records: list, most: int) -> list:
    """Some records, evenly spaced: a list is often in the order of the classes.

    Args:
        records: list.
        most: int. How many at most.

    Returns:
        List, in the same order.

    Example:
    ```python
    keras_avrep.data.spaced_records(list("abcdefg"), 3)  # ["a", "d", "g"]
    ```
    """
    if not records or most < 1:
        return []
    places = np.unique(np.linspace(0, len(records) - 1, most).astype(int))
    return [records[place] for place in places]


def split_records(
    records: list[VideoRecord], test_fraction: float = 0.25, seed: int = 0
) -> tuple[list[VideoRecord], list[VideoRecord]]:
    """Divide records into train and test, keeping splits that are given.

    Args:
        records: list of `VideoRecord`.
        test_fraction: float. Share of the test split. Defaults to 0.25.
        seed: int. Defaults to 0.

    Returns:
        Lists train and test. Splits other than `"train"`, `"training"` and
        `"pretrain"` are test. Without any, with a label `class`, every class of
        several videos is divided, and those of a single one are divided together;
        pieces of one `source` stay together. Of the same videos and one more, at
        most one of each class changes sides.

    Example:
    ```python
    train, test = keras_avrep.data.split_records(manifest.records)
    ```
    """
    if any(is_held_out(r) for r in records):
        test = [r for r in records if is_held_out(r)]
        rest = [r for r in records if not is_held_out(r)]
        return [r for r in rest if (r.split or "").lower() != "pretrain"], test
    train, test = [], []
    groups = _groups(records)
    for name in sorted(groups):
        members = sorted(groups[name], key=lambda r: r.video_id)
        sources = list(dict.fromkeys(_source(r) for r in members))
        sources.sort(key=lambda source: _digest(seed, source))
        count = round(len(sources) * test_fraction)
        if len(sources) > 1:
            count = max(1, count)
        chosen = set(sources[:count])
        test += [r for r in members if _source(r) in chosen]
        train += [r for r in members if _source(r) not in chosen]
    return train, test


def _digest(seed: int, source: str) -> bytes:
    """What decides the place of a video, whichever others there are."""
    return hashlib.sha256(os.fsencode(f"{seed} {source}")).digest()


def _source(record: VideoRecord) -> str:
    return getattr(record, "source", None) or record.video_id


def _groups(records: list[VideoRecord]) -> dict[str, list[VideoRecord]]:
    """Records by class; `""` has those without one, and those alone in theirs."""
    classes: dict[str, list[VideoRecord]] = {}
    for record in records:
        classes.setdefault(record.labels.get("class", ""), []).append(record)
    groups: dict[str, list[VideoRecord]] = {}
    for name, members in classes.items():
        several = len({_source(r) for r in members}) > 1
        groups.setdefault(name if several else "", []).extend(members)
    return groups
