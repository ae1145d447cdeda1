"""Records divided into train and test."""

import numpy as np

from keras_avrep.data.manifest import VideoRecord

HELD_OUT = ("test", "val", "validation")


def split_records(
    records: list[VideoRecord], test_fraction: float = 0.25, seed: int = 0
) -> tuple[list[VideoRecord], list[VideoRecord]]:
    """Divide records into train and test, keeping splits that are given.

    Args:
        records: list of `VideoRecord`.
        test_fraction: float. Share of the test split. Defaults to 0.25.
        seed: int. Defaults to 0.

    Returns:
        Lists train and test. With a label `class`, every class of several videos
        is divided, and those of a single one are divided together.

    Example:
    ```python
    train, test = keras_avrep.data.split_records(manifest.records)
    ```
    """
    if any(r.split in HELD_OUT for r in records):
        test = [r for r in records if r.split in HELD_OUT]
        train = [r for r in records if r.split in ("train", None)]
        return train, test
    train, test = [], []
    groups = _groups(records)
    for name in sorted(groups):
        members = sorted(groups[name], key=lambda r: r.video_id)
        # The seed of a group does not depend on which other groups there are.
        digest = sum(name.encode()) % 2**31
        order = np.random.default_rng([seed, digest]).permutation(len(members))
        count = round(len(members) * test_fraction)
        if len(members) > 1:
            count = max(1, count)
        test += [members[i] for i in sorted(order[:count])]
        train += [members[i] for i in sorted(order[count:])]
    return train, test


def _groups(records: list[VideoRecord]) -> dict[str, list[VideoRecord]]:
    """Records by class; `""` has those without one, and those alone in theirs."""
    classes: dict[str, list[VideoRecord]] = {}
    for record in records:
        classes.setdefault(record.labels.get("class", ""), []).append(record)
    groups: dict[str, list[VideoRecord]] = {}
    for name, members in classes.items():
        groups.setdefault(name if len(members) > 1 else "", []).extend(members)
    return groups
