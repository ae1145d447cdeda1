import math

import numpy as np

from keras_avrep.views.samplers import last_time


class LinearDecaySampler:
    """Two clips of a video, near ones more often: the gap's density falls linearly.

    A video shorter than a clip is looped, and both starts are uniform.

    Args:
        num_frames: int. Frames of a clip. Defaults to 16.
        stride: int. Frames of the video from one to the next. Defaults to 2.

    Returns, when called:
        Dict of `video` `(2, num_frames)` seconds, the middle of each frame; which
        of the clips comes first is a coin toss.

    Example:
    ```python
    sampler = keras_avrep.views.LinearDecaySampler(num_frames=8, stride=1)
    sampler(record, np.random.default_rng(0))["video"].shape  # (2, 8)
    ```

    Reference: CVRL (arXiv:2008.03800); note of ConST-CL (arXiv:2112.05181),
    section 2.
    """

    def __init__(self, num_frames=16, stride=2):
        self.num_frames = num_frames
        self.stride = stride

    def __call__(self, record, rng):
        length = max(1, round(record.duration * record.fps))
        frames = linear_decay_frames(length, self.num_frames, self.stride, rng)
        times = (frames + 0.5) / record.fps
        return {"video": np.minimum(times, last_time(record))}


def linear_decay_frames(length, num_frames, stride, rng):
    """Frames of two clips of a video.

    Args:
        length: int. Frames of the video.
        num_frames: int. Frames of a clip.
        stride: int. Frames of the video from one to the next.
        rng: `numpy.random.Generator`.

    Returns:
        int array `(2, num_frames)`, values below `length`.

    Example:
    ```python
    linear_decay_frames(250, 16, 2, np.random.default_rng(0)).shape  # (2, 16)
    ```
    """
    span = (num_frames - 1) * stride
    if length > span:
        places = length - span
        # The share of gaps up to k is 2 k / M - k² / M², solved for k.
        gap = math.floor(places * (1 - math.sqrt(1 - rng.random())))
        gap = min(gap, places - 1)
        first = rng.integers(places - gap)
        starts = np.array([first, first + gap])
        if rng.random() < 0.5:
            starts = starts[::-1]
    else:
        starts = rng.integers(length, size=2)
    return (starts[:, None] + np.arange(num_frames) * stride) % length
