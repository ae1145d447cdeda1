"""AVA's files: boxes of people in key frames, their actions, what to leave out."""

import math
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from keras_avrep.data.readers.files import lines_of, text_of

# Key frames of AVA's videos that are annotated, in seconds.
VALID_SECONDS = (902, 1798)
NO_ACTION = 0


@dataclass
class KeyFrameBoxes:
    """Boxes of key frames, and the lines that make no sense.

    Args:
        frames: dict from (video, second) to a dict of `boxes` float64 `(N, 4)`
            as relative `y1, x1, y2, x2`, `labels` int64 `(N,)`, and either
            `people` int64 `(N,)` or `scores` float64 `(N,)`. A person with
            several actions is there once for each.
        rejects: dicts `{"path", "reason"}`.
    """

    frames: dict[tuple[str, float], dict[str, np.ndarray]]
    rejects: list[dict[str, str]] = field(default_factory=list)


def read_ava_boxes(
    csv: str | os.PathLike,
    *,
    excluded: str | os.PathLike | None = None,
    valid_seconds: tuple[float, float] | None = VALID_SECONDS,
) -> KeyFrameBoxes:
    """Read the true boxes of AVA or AVA-Kinetics.

    Lines are `video, second, x1, y1, x2, y2, action, person`, without a header.
    A line without box and action is a key frame without people.

    Args:
        csv: file such as `ava_val_v2.2.csv` or `kinetics_val_v1.0.csv`.
        excluded: file with lines `video, second` of key frames to leave out, such
            as `ava_val_excluded_timestamps_v2.2.csv`. Defaults to `None`.
        valid_seconds: first and last second that count. Defaults to (902, 1798);
            `None`, all, for AVA-Kinetics.

    Returns:
        `KeyFrameBoxes` with `people`, -1 where the line has none.

    Raises:
        ValueError: if a file is missing or empty.

    Example:
    ```python
    truth = keras_avrep.data.read_ava_boxes("ava_val_v2.2.csv").frames
    truth["-5KQ66BBWC4", 904]["boxes"]
    ```
    """
    return _read(csv, excluded, valid_seconds, "people", int, -1)


def read_ava_detections(
    csv: str | os.PathLike,
    *,
    excluded: str | os.PathLike | None = None,
    valid_seconds: tuple[float, float] | None = VALID_SECONDS,
) -> KeyFrameBoxes:
    """Read detected boxes in AVA's form, of a person detector or of actions.

    Lines are `video, second, x1, y1, x2, y2, action, score`, without a header. A
    person detector leaves the action empty, which becomes the label 0.

    Args:
        csv: file of detections.
        excluded: as of `read_ava_boxes`; without it, detections in left-out key
            frames count as wrong. Defaults to `None`.
        valid_seconds: as of `read_ava_boxes`. Defaults to (902, 1798).

    Returns:
        `KeyFrameBoxes` with `scores`. Lines without a score are in `rejects`.

    Raises:
        ValueError: if a file is missing or empty.

    Example:
    ```python
    found = keras_avrep.data.read_ava_detections("detections.csv").frames
    keras_avrep.evaluation.frame_mean_average_precision(found, truth, classes)
    ```
    """
    return _read(csv, excluded, valid_seconds, "scores", float, math.nan)


def read_ava_actions(pbtxt: str | os.PathLike) -> dict[int, str]:
    """Read the list of AVA's actions.

    Args:
        pbtxt: `ava_action_list_v2.2_for_activitynet_2019.pbtxt`, whose 60 actions
            are scored, or `ava_action_list_v2.2.pbtxt`, all 80.

    Returns:
        Dict from number to name, in order of the numbers.

    Raises:
        ValueError: if the file is missing, or has no action or half of one.

    Example:
    ```python
    classes = list(keras_avrep.data.read_ava_actions("ava_action_list_v2.2.pbtxt"))
    ```
    """
    path = Path(pbtxt).expanduser()
    actions = {}
    for block in re.findall(r"\{(.*?)\}", text_of(path), re.DOTALL):
        name = re.search(r'\bname:\s*"([^"]*)"', block)
        number = re.search(r"\b(?:label_)?id:\s*(\d+)", block)
        if name is None or number is None:
            raise ValueError(
                f"The action list {path} has an entry without name or id; download it "
                "again."
            )
        actions[int(number[1])] = name[1]
    if not actions:
        raise ValueError(f"The action list {path} has no entries; download it again.")
    return dict(sorted(actions.items()))


def _read(csv, excluded, valid_seconds, last, kind, missing) -> KeyFrameBoxes:
    path = Path(csv).expanduser()
    result = KeyFrameBoxes({})
    left_out = _excluded(excluded, result)
    rows = {}
    for place, line in lines_of(path):
        try:
            frame, row = _row(line, kind, missing)
        except ValueError as error:
            result.rejects.append({"path": place, "reason": str(error)})
            continue
        if frame in left_out or not _within(frame[1], valid_seconds):
            continue
        rows.setdefault(frame, [])
        if row is not None:
            rows[frame].append(row)
    for frame, own in rows.items():
        boxes, labels, values = zip(*own, strict=True) if own else ((), (), ())
        result.frames[frame] = {
            "boxes": np.asarray(boxes, np.float64).reshape(-1, 4),
            "labels": np.asarray(labels, np.int64),
            last: np.asarray(values, np.int64 if kind is int else np.float64),
        }
    return result


def _row(line: str, kind, missing):
    """Key frame of a line, and its box, label and last column."""
    cells = [cell.strip() for cell in line.split(",")]
    frame = _key_frame(cells)
    if not any(cells[2:]):
        return frame, None
    if not 7 <= len(cells) <= 8:
        raise ValueError(f"has {len(cells)} columns, not 7 or 8")
    try:
        x1, y1, x2, y2 = (float(cell) for cell in cells[2:6])
        label = np.int64(int(cells[6] or NO_ACTION))
        value = kind(cells[7]) if len(cells) == 8 and cells[7] else missing
        value = np.int64(value) if kind is int else value
    except (OverflowError, ValueError):
        raise ValueError("has a box, action or last column that is no number") from None
    if not (x1 < x2 and y1 < y2 and all(map(math.isfinite, (x1, y1, x2, y2)))):
        raise ValueError("its box has no area")
    if kind is float and math.isnan(value):
        raise ValueError("has no score")
    return frame, ((y1, x1, y2, x2), label, value)


def _key_frame(cells: list[str]) -> tuple[str, float]:
    if len(cells) < 2 or not cells[0]:
        raise ValueError("is not a line VIDEO,SECOND,…")
    try:
        second = float(cells[1])
    except ValueError:
        second = math.nan
    if not math.isfinite(second):
        raise ValueError(f"its second {cells[1]!r} is no number")
    return cells[0], int(second) if second.is_integer() else second


def _excluded(path, result: KeyFrameBoxes) -> set[tuple[str, float]]:
    frames = set()
    for place, line in lines_of(Path(path).expanduser()) if path is not None else ():
        try:
            frames.add(_key_frame([cell.strip() for cell in line.split(",")]))
        except ValueError as error:
            result.rejects.append({"path": place, "reason": str(error)})
    return frames


def _within(second: float, valid_seconds) -> bool:
    return valid_seconds is None or valid_seconds[0] <= second <= valid_seconds[1]
