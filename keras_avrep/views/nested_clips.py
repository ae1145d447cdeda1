"""A short clip inside a long one, with what is needed to tell their times."""

import numpy as np

from keras_avrep.views.samplers import last_time


class NestedClipSampler:
    """A long clip at a random place, and a short one at a random place within it.

    A video shorter than the long clip is looped. Its frames are counted on as
    if it were not, so times always rise; `looped` tells that steps far apart may
    show the same.

    Args:
        short_frames: int. Frames of the short clip. Defaults to 16.
        short_stride: int. Frames of the video from one to the next. Defaults
            to 2.
        long_frames: int. Defaults to 32.
        long_stride: int. Defaults to 2.
        align: bool. Whether the short clip starts whole steps of the long one
            after it; at equal strides all its steps then have an exact match.
            Defaults to `True`.
        frames_per_step: int. Frames of a clip for each step of the backbone, for
            `align`. Defaults to 2.

    Returns, when called:
        Dict of `short` `(short_frames,)` and `long` `(long_frames,)` seconds and
        `numbers`: float32 `short_start` and `long_start`, in raw frames,
        `short_stride`, `long_stride` and `looped` (1 or 0).

    Raises:
        ValueError: if the short clip spans more frames than the long one.

    Example:
    ```python
    sampler = keras_avrep.views.NestedClipSampler()
    sampler(record, np.random.default_rng(0))["long"].shape  # (32,)
    ```

    Reference: note of TeG (arXiv:2112.04480), section 2.
    """

    def __init__(
        self,
        short_frames=16,
        short_stride=2,
        long_frames=32,
        long_stride=2,
        align=True,
        frames_per_step=2,
    ):
        self.short_frames = short_frames
        self.short_stride = short_stride
        self.long_frames = long_frames
        self.long_stride = long_stride
        self.align = align
        self.frames_per_step = frames_per_step
        self.short_span = (short_frames - 1) * short_stride + 1
        self.long_span = (long_frames - 1) * long_stride + 1
        if self.short_span > self.long_span:
            raise ValueError(
                f"The short clip spans {self.short_span} frames ({short_frames} at "
                f"stride {short_stride}), the long one only {self.long_span} "
                f"({long_frames} at stride {long_stride}): raise `long_frames` or "
                "`long_stride`."
            )

    def __call__(self, record, rng):
        length = max(1, round(record.duration * record.fps))
        looped = length < self.long_span
        starts = length if looped else length - self.long_span + 1
        long_start = int(rng.integers(starts))
        offset = int(rng.integers(self.long_span - self.short_span + 1))
        if self.align:
            offset -= offset % (self.long_stride * self.frames_per_step)
        short_start = long_start + offset
        short = short_start + self.short_stride * np.arange(self.short_frames)
        long = long_start + self.long_stride * np.arange(self.long_frames)
        numbers = {
            "short_start": short_start,
            "long_start": long_start,
            "short_stride": self.short_stride,
            "long_stride": self.long_stride,
            "looped": looped,
        }
        return {
            "short": frame_times(record, short, length),
            "long": frame_times(record, long, length),
            "numbers": {name: np.float32(x) for name, x in numbers.items()},
        }


def frame_times(record, frames, length):
    """Seconds in the middle of numbered frames; beyond the end it starts over.

    Args:
        record: anything with `fps` and `duration` (seconds).
        frames: int array of frame numbers.
        length: int. Frames of the video.

    Returns:
        float array of the same shape.
    """
    # The middle, as a frame's first moment may round to the one before.
    return np.minimum((frames % length + 0.5) / record.fps, last_time(record))
