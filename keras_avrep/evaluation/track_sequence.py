"""A tracker on the sequences of a tracking set, from image files to boxes."""

from collections.abc import Callable

import numpy as np

from keras_avrep.data import TrackingSequence, read_images


def track_sequence(
    tracker,
    sequence: TrackingSequence,
    *,
    on_reject: Callable[[str, str], None] | None = None,
    **options,
) -> np.ndarray:
    """Boxes of the target in every frame, from its true box in the first.

    Frames are read one by one, so that sequences of any length fit in memory. One
    that cannot be read has no box, which one-pass evaluation counts as a miss.

    Args:
        tracker: with a method `follow` from frames and the first box to boxes, such
            as `keras_avrep.models.SiameseTracker`.
        sequence: of `keras_avrep.data.read_otb` or `read_got10k`.
        on_reject: called with the path and the reason of each frame that cannot be
            read. Defaults to `None`.
        **options: of `follow`, such as `settings`.

    Returns:
        float array `(T, 4)` of `left, top, width, height` in pixels, not a number
        where a frame cannot be read.

    Raises:
        ValueError: if the first frame cannot be read.

    Example:
    ```python
    read = keras_avrep.data.read_otb("OTB100")
    found = {s.name: track_sequence(tracker, s) for s in read.sequences}
    one_pass_evaluation(found, read.boxes())["success"]
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 6.
    """
    frames = read_images(sequence.frames, on_reject)
    boxes = tracker.follow(frames, sequence.boxes[0], **options)
    return np.asarray(boxes, np.float64)
