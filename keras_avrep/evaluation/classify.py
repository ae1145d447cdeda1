"""The most likely class of each of many videos."""

from dataclasses import dataclass, field

import keras
import numpy as np
from keras import ops

from keras_avrep.evaluation.embed import embed_videos
from keras_avrep.evaluation.multi_label import multi_label_average_precision


@dataclass
class Predictions:
    """Classes of a set of videos.

    Args:
        paths: list of N video ids.
        classes: list of N class names.
        probabilities: float32 array `(N,)`, those of the classes.
        rejects: list of `{"path", "reason"}` of videos left out.
    """

    paths: list[str]
    classes: list[str]
    probabilities: np.ndarray
    rejects: list[dict[str, str]] = field(default_factory=list)


def classify_videos(
    classifier, records, classes, *, average: str = "logits", **clips
) -> Predictions:
    """The most likely class of videos, by the mean over spaced clips.

    Args:
        classifier: model from pixels `(B, T, H, W, 3)` to logits `(B, K)`.
        records: list of `keras_avrep.data.VideoRecord`; labels are not needed.
        classes: K class names in the order of the logits.
        average: string. `"logits"` or `"probabilities"`: what the mean over clips and
            crops is of. Defaults to `"logits"`.
        **clips: `num_clips`, `num_frames`, `stride`, `size` and others of
            `embed_videos`.

    Returns:
        `Predictions`; videos that cannot be decoded are in its `rejects`.

    Raises:
        ValueError: if no video can be decoded, there are more or fewer names than
            logits, or `average` is unknown.

    Example:
    ```python
    found = classify_videos(classifier, manifest.records, ["dive", "jump"])
    dict(zip(found.paths, found.classes, strict=True))
    ```

    Reference: note of DCLR (arXiv:2207.05340), section 6.1.
    """
    scores = embed_videos(averaged(classifier, average), records, **clips)
    if scores.values.shape[1] != len(classes):
        raise ValueError(
            f"`classes` has {len(classes)} names but the classifier gives "
            f"{scores.values.shape[1]} logits; give one name for each."
        )
    probabilities = scores.values.max(axis=1)
    if average == "logits":
        shifted = scores.values - probabilities[:, None]
        # The most likely one is at 0 after the shift.
        probabilities = 1 / np.exp(shifted).sum(axis=1)
    names = [classes[number] for number in scores.values.argmax(axis=1)]
    return Predictions(scores.paths, names, probabilities, scores.rejects)


def averaged(classifier, average):
    """The model whose outputs a video's clips are averaged over.

    Args:
        classifier: model from pixels to logits.
        average: string, `"logits"` or `"probabilities"`.
    """
    if average not in ("logits", "probabilities"):
        raise ValueError(
            f"`average` is {average!r}; it must be 'logits' or 'probabilities'."
        )
    if average == "logits":
        return classifier
    return keras.Model(classifier.input, ops.softmax(classifier.output))


def video_mean_average_precision(classifier, records, labels, **clips) -> dict:
    """Mean average precision of videos that may have several labels.

    Args:
        classifier: model from pixels `(B, T, H, W, 3)` to logits `(B, K)`.
        records: list of N `keras_avrep.data.VideoRecord`.
        labels: array `(N, K)` of 0 and 1, a row for each record; see `multi_hot`.
        **clips: `num_clips`, `num_frames`, `stride`, `size` and others of
            `embed_videos`; the mean logits of a video's clips are ranked.

    Returns:
        What `multi_label_average_precision` returns, and `rejects`, a list of
        `{"path", "reason"}` of videos that cannot be decoded and do not count.

    Raises:
        ValueError: if no video can be decoded, or shapes do not fit.

    Example:
    ```python
    actions = [{a["label"] for a in manifest.annotation(r)} for r in test]
    labels = multi_hot(actions, classes)
    video_mean_average_precision(classifier, test, labels, num_clips=4)
    ```

    Reference: note of TeG (arXiv:2112.04480), sections 6 and 9.
    """
    if len(labels) != len(records):
        raise ValueError(
            f"`labels` has {len(labels)} rows but there are {len(records)} records; "
            "give one row for each."
        )
    logits = embed_videos(classifier, records, **clips)
    rows = {r.video_id: row for r, row in zip(records, labels, strict=True)}
    known = np.stack([rows[path] for path in logits.paths])
    scores = multi_label_average_precision(logits.values, known)
    return {**scores, "rejects": logits.rejects}
