"""From videos to features with a model's `representation`."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from keras_avrep.data import MediaError, read_sample
from keras_avrep.data.files import replacing
from keras_avrep.evaluation.crops import frame_side, spread_crops
from keras_avrep.views import UniformClips

CONTROLS = ("single_frame", "shuffled")


@dataclass
class Features:
    """Features of a set of videos.

    Args:
        values: float32 array `(N, D)`.
        paths: list of N video ids.
        labels: dict from label name to N class names.
        rejects: list of `{"path", "reason"}` of videos left out.
    """

    values: np.ndarray
    paths: list[str]
    labels: dict[str, list[str]] = field(default_factory=dict)
    rejects: list[dict[str, str]] = field(default_factory=list)


def embed_clips(representation, clips, batch_size: int = 32) -> np.ndarray:
    """Features of clips.

    Args:
        representation: model from pixels `(B, T, H, W, 3)` to `(B, D)`.
        clips: array `(N, T, H, W, 3)`, values from 0 to 255.
        batch_size: int. Defaults to 32.

    Returns:
        float32 array `(N, D)`.

    Example:
    ```python
    features = embed_clips(model.representation, clips)
    ```
    """
    clips = np.asarray(clips)
    parts = []
    for first in range(0, len(clips), batch_size):
        part = clips[first : first + batch_size].astype("float32")
        count = len(part)
        if 0 < count < batch_size and first:
            # One shape only: a compiled backend would compile again for the rest.
            part = np.concatenate([part, np.repeat(part[-1:], batch_size - count, 0)])
        parts.append(np.asarray(representation.predict_on_batch(part))[:count])
    return np.concatenate(parts).astype("float32")


def embed_videos(
    representation,
    records,
    *,
    num_clips: int = 10,
    num_frames: int = 16,
    stride: int = 2,
    size: int = 112,
    crops: int = 1,
    batch_size: int = 32,
    workers: int = 2,
    control: str | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Features:
    """Features of videos: the mean over equally spaced clips and their crops.

    Args:
        representation: model from pixels `(B, T, H, W, 3)` to `(B, D)`.
        records: list of `keras_avrep.data.VideoRecord`.
        num_clips: int. Clips of each video. Defaults to 10.
        num_frames: int. Frames of a clip. Defaults to 16.
        stride: int. Frames of the video from one to the next. Defaults to 2.
        size: int. Height and width in pixels. Defaults to 112.
        crops: int. Of each clip: `1`, the centre; `3` along the longer side; or `10`,
            corners and centre, also mirrored; see `spread_crops`. Defaults to 1.
        batch_size: int. Clips at a time. Defaults to 32.
        workers: int. Decoding threads. Defaults to 2.
        control: `None`, `"single_frame"` (the middle frame of each clip, held)
            or `"shuffled"` (the frames of each clip in random order): what is
            left without motion or its order. Defaults to `None`.
        seed: int. Of the shuffled control. Defaults to 0.
        progress: called with (videos done, videos in all). Defaults to `None`.

    Returns:
        `Features`; videos that cannot be decoded are in its `rejects`.

    Raises:
        ValueError: if no video can be decoded, or `control` or `crops` is unknown.

    Example:
    ```python
    test = embed_videos(model.representation, manifest.split("test"))
    ```

    Reference: note of DCLR (arXiv:2207.05340), section 6.3.
    """
    side, views = frame_side(size, crops), num_clips * crops
    if control is not None and control not in CONTROLS:
        raise ValueError(f"`control` is {control!r}; it must be None or in {CONTROLS}.")
    sampler = UniformClips(num_clips, num_frames, stride)
    kept, rejects, values = [], [], []
    decoded = _decoded(records, sampler, side, crops == 1, workers)
    pending: list[np.ndarray] = []
    per_batch = max(1, batch_size // views)

    def flush():
        features = embed_clips(representation, np.concatenate(pending), batch_size)
        values.extend(features.reshape(len(pending), views, -1).mean(axis=1))
        pending.clear()

    for done, (record, clips, reason) in enumerate(decoded, 1):
        if clips is None:
            rejects.append({"path": record.video_id, "reason": reason})
        else:
            kept.append(record)
            clips = apply_control(clips, control, seed + done)
            pending.append(spread_crops(clips, size, crops))
        if len(pending) == per_batch:
            flush()
        if progress is not None:
            progress(done, len(records))
    if pending:
        flush()
    if not values:
        raise ValueError("None of the videos in `records` can be decoded.")
    names = set.intersection(*(set(r.labels) for r in kept))
    labels = {name: [r.labels[name] for r in kept] for name in sorted(names)}
    return Features(np.stack(values), [r.video_id for r in kept], labels, rejects)


def apply_control(clips, control, seed=0):
    """Take motion, or its order, out of clips `(N, T, H, W, 3)`."""
    if control is None:
        return clips
    if control == "single_frame":
        middle = clips[:, clips.shape[1] // 2, None]
        return np.repeat(middle, clips.shape[1], axis=1)
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(clips.shape[1]) for _ in clips]
    return np.stack([clip[order] for clip, order in zip(clips, orders, strict=True)])


def _decoded(records, sampler, size, square, workers) -> Iterator:
    """Clips of each record in order, a few decoded ahead."""

    def load(record):
        try:
            sample = read_sample(record, sampler(record), size, square)
            return record, sample["video"], None
        except MediaError as error:
            return record, None, str(error)

    ahead = max(4, 2 * workers)
    with ThreadPoolExecutor(workers) as pool:
        waiting = [pool.submit(load, r) for r in records[:ahead]]
        for following in range(len(records)):
            result = waiting.pop(0).result()
            if following + ahead < len(records):
                waiting.append(pool.submit(load, records[following + ahead]))
            yield result


def save_features(path, train: Features, test: Features) -> None:
    """Write the features of two splits to one file.

    Args:
        path: `.npz` file.
        train: `Features` of one split; its rejects are not kept.
        test: `Features` of the other.

    Example:
    ```python
    save_features("runs/first/features.npz", train, test)
    ```
    """
    content = {}
    for split, features in (("train", train), ("test", test)):
        content[f"{split}_features"] = features.values
        content[f"{split}_paths"] = np.asarray(features.paths)
        for name, classes in features.labels.items():
            content[f"{split}_label_{name}"] = np.asarray(classes)
    with replacing(path) as temporary:
        np.savez_compressed(temporary, **content)


def load_features(path) -> tuple[Features, Features]:
    """Read what `save_features` wrote.

    Args:
        path: `.npz` file.

    Returns:
        The `Features` of train and of test, without rejects.

    Example:
    ```python
    train, test = load_features("runs/first/features.npz")
    ```
    """
    result = []
    with np.load(path) as content:
        for split in ("train", "test"):
            prefix = f"{split}_label_"
            labels = {
                key.removeprefix(prefix): content[key].tolist()
                for key in content.files
                if key.startswith(prefix)
            }
            values = content[f"{split}_features"]
            result.append(Features(values, content[f"{split}_paths"].tolist(), labels))
    return result[0], result[1]
