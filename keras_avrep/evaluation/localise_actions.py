"""What happens in the boxes of key frames, from the files of AVA to its measure."""

from collections.abc import Callable

import numpy as np

from keras_avrep.data import (
    AnnotatedManifest,
    MediaError,
    VideoRecord,
    clip_start,
    read_sample,
)
from keras_avrep.data.box_targets import in_centre_square
from keras_avrep.views import key_frame_times


def localise_actions(
    localiser,
    manifest: AnnotatedManifest,
    classes: list[int],
    people: dict | None = None,
    *,
    num_frames: int = 32,
    stride: int = 2,
    size: int = 224,
    least_score: float = 0.8,
    num_slots: int = 32,
    on_reject: Callable[[VideoRecord, str], None] | None = None,
) -> dict:
    """Scores of every class for people in key frames.

    The score of an action is its probability times that of the person. Clips are the
    centre square of the video around a key frame; who is outside of it is not seen,
    and not found.

    Args:
        localiser: `keras_avrep.models.ActionLocaliser`, or any model with `scores`
            from `video` and `boxes` to probabilities `(1, num_slots, K)`.
        manifest: of `keras_avrep.data.read_ava`.
        classes: K labels in the order of the logits.
        people: dict from (video, second) to a dict of `boxes` `(N, 4)`, relative
            `y1, x1, y2, x2`, and `scores` `(N,)`: the `frames` of
            `read_ava_detections`. Defaults to `None`, the true boxes.
        num_frames: int. Frames of a clip. Defaults to 32.
        stride: int. Frames of the video from one to the next. Defaults to 2.
        size: int. Height and width of a clip. Defaults to 224.
        least_score: float. Of a detected person. Defaults to 0.8, as for AVA; the
            detector of AVA-Kinetics asks for 0.2.
        num_slots: int. People of a key frame beyond that are left out, those with
            the lowest scores first. Defaults to 32.
        on_reject: called with the record and the reason of each key frame that
            cannot be read, which then has no detections. Defaults to `None`.

    Returns:
        Dict from (video, second) to `boxes`, `labels` and `scores`, a row for every
        person and class, which `frame_mean_average_precision` takes.

    Example:
    ```python
    manifest = keras_avrep.data.read_ava("trainval", "ava_val_v2.2.csv", "val")
    people = keras_avrep.data.read_ava_detections("people.csv").frames
    found = localise_actions(localiser, manifest, classes, people)
    truth = keras_avrep.data.read_ava_boxes("ava_val_v2.2.csv").frames
    frame_mean_average_precision(found, truth, classes)
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 6.
    """
    scores, found = localiser.scores, {}
    for record in manifest.records:
        name = manifest.names[record.video_id]
        for second, annotation in manifest.annotation(record).items():
            entry = annotation if people is None else people.get((name, second), {})
            boxes, weights = _people(entry, least_score, num_slots)
            seen = np.clip(in_centre_square(boxes, (record.width, record.height)), 0, 1)
            inside = (seen[:, :2] < seen[:, 2:]).all(axis=1)
            if not inside.any():
                continue
            boxes, seen, weights = boxes[inside], seen[inside], weights[inside]
            at = second - clip_start(record)
            times = {"video": key_frame_times(record, at, num_frames, stride)}
            try:
                clip = read_sample(record, times, size)["video"]
            except MediaError as error:
                if on_reject is not None:
                    on_reject(record, str(error))
                continue
            slots = np.zeros((1, num_slots, 4), "float32")
            slots[0, : len(seen)] = seen
            inputs = {"video": clip[None].astype("float32"), "boxes": slots}
            likely = np.asarray(scores.predict_on_batch(inputs))[0, : len(seen)]
            found[name, second] = {
                "boxes": np.repeat(boxes, len(classes), axis=0),
                "labels": np.tile(np.asarray(classes), len(boxes)),
                "scores": (likely * weights[:, None]).ravel(),
            }
    return found


def _people(entry, least_score, num_slots):
    """Boxes of a key frame, each once, and their scores, the surest first."""
    boxes = np.asarray(entry.get("boxes", ()), "float64").reshape(-1, 4)
    # A true box is there once for each of its actions.
    scores = np.asarray(entry.get("scores", np.ones(len(boxes))), "float64")
    kept = np.flatnonzero(scores >= least_score)
    kept = kept[np.argsort(-scores[kept], kind="stable")]
    _, first = np.unique(boxes[kept], axis=0, return_index=True)
    kept = kept[np.sort(first)][:num_slots]
    return boxes[kept], scores[kept]
