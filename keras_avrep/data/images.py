"""Pictures that are files of their own, such as the frames of tracking sets."""

import os
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from PIL import Image

from keras_avrep.data.media import MediaError


def read_image(path: str | os.PathLike) -> np.ndarray:
    """The pixels of an image file.

    Args:
        path: of a file that Pillow reads.

    Returns:
        uint8 array `(H, W, 3)`.

    Raises:
        MediaError: if the file cannot be read.

    Example:
    ```python
    read_image("Basketball/img/0001.jpg").shape  # (432, 576, 3)
    ```
    """
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except Exception as error:  # Pillow raises many kinds for a broken image
        raise MediaError(f"{path}: cannot be opened ({error}).") from None


def read_images(
    paths: Iterable[str | os.PathLike],
    on_reject: Callable[[str, str], None] | None = None,
) -> Iterator[np.ndarray | None]:
    """The pixels of image files, one after the other; only one is held.

    Args:
        paths: of the files.
        on_reject: called with the path and the reason of each that cannot be read.
            Defaults to `None`.

    Returns:
        Iterator of uint8 arrays `(H, W, 3)`, `None` for files that cannot be read.

    Example:
    ```python
    for frame in read_images(sequence.frames):
        print(frame.mean())
    ```
    """
    for path in paths:
        try:
            yield read_image(path)
        except MediaError as error:
            if on_reject is not None:
                on_reject(str(path), str(error))
            yield None
