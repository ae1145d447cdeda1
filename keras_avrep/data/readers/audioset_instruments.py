"""AudioSet-instrument: clips of instruments, cut into seconds as CSOL reads them."""

import os
from pathlib import Path

import numpy as np

from keras_avrep.data.array_pickle import read_array_pickle
from keras_avrep.data.media import MediaError
from keras_avrep.data.moments import MomentManifest
from keras_avrep.data.readers.files import folder_of, lines_of
from keras_avrep.data.readers.second_folders import moments_of


def read_audioset_instruments(
    folder: str | os.PathLike,
    ids: str | os.PathLike,
    labels: str | os.PathLike | None = None,
    split: str | None = "train",
    classes: list[str] | None = None,
) -> MomentManifest:
    """Read one list of AudioSet-instrument.

    Looks for `audio_frames/ID/SSS.pkl` and `video_frames/ID/frame_SSS/FFFFF.jpg`.
    The label `class` has the instruments of a clip, joined by `+`.

    Args:
        folder: folder with `audio_frames` and `video_frames`.
        ids: list of clips: a pickle such as `single_train.pkl`, or a text file
            with one a line.
        labels: pickle of a dict from clip to a vector with ones at its classes.
            Defaults to `None`: `single_train_label.pkl` beside
            `single_train.pkl`.
        split: string or `None`. Name given to the records' split. Defaults to
            `"train"`.
        classes: names of the classes, in order. Defaults to `None`, their numbers.

    Returns:
        `MomentManifest` as of `read_music_solo`.

    Raises:
        ValueError: if the folder or a list is missing or damaged.

    Example:
    ```python
    manifest = keras_avrep.data.read_audioset_instruments(
        "audioset", "audioset_single/single_train.pkl"
    )
    ```

    Reference: note of CSOL (arXiv:2112.11749), section 2.
    """
    root, path = folder_of("folder", folder), Path(ids).expanduser()
    rejects: list[dict[str, str]] = []
    if labels is None:
        labels = path.with_name(f"{path.stem}_label.pkl")
    vectors = _pickled(Path(labels).expanduser(), dict)
    records = moments_of(
        root,
        _ids(path),
        path.name,
        split,
        lambda name: _label(vectors.get(name), classes),
        rejects,
    )
    return MomentManifest(str(root), records, rejects)


def _ids(path: Path) -> list[str]:
    if path.suffix == ".pkl":
        return [str(name) for name in _pickled(path, list)]
    return [line.split()[0] for _, line in lines_of(path)]


def _pickled(path: Path, kind: type):
    try:
        content = read_array_pickle(path)
    except MediaError as error:
        raise ValueError(f"The annotation file {error}") from None
    if not isinstance(content, kind) or not content:
        raise ValueError(
            f"The annotation file {path} is no {kind.__name__} with entries; download "
            "it again."
        )
    return content


def _label(vector, classes) -> str | None:
    numbers = [] if vector is None else np.flatnonzero(np.asarray(vector)).tolist()
    if not numbers or (classes is not None and max(numbers) >= len(classes)):
        return None
    return "+".join(f"{n:02d}" if classes is None else classes[n] for n in numbers)
