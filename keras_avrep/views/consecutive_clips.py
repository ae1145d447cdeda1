import numpy as np

from keras_avrep.views.samplers import clip_times, last_time


class ConsecutiveClips:
    """Two clips, one right after the other, at one random rate; a frozen frame each.

    Args:
        num_frames: int. Frames of a clip. Defaults to 16.
        stride: float. Least step from a frame to the next, in frames of the
            video. Defaults to 1.
        max_step: float. The largest step is this many times the stride, or less
            where the video is too short. Defaults to 3.

    Returns, when called with a record and a `numpy.random.Generator`:
        Dict of `video` `(2, num_frames)` and `static` `(2,)` seconds. The frozen
        frame has the same number in both clips. A video shorter than two clips
        is looped.

    Example:
    ```python
    sampler = keras_avrep.views.ConsecutiveClips(num_frames=8)
    sampler(record, np.random.default_rng(0))["video"].shape  # (2, 8)
    ```

    Reference: note of Static and Dynamic Concepts (arXiv:2207.12795), section 2.
    """

    def __init__(self, num_frames=16, stride=1, max_step=3.0):
        self.num_frames = num_frames
        self.stride = stride
        self.max_step = max_step

    def __call__(self, record, rng):
        both = 2 * self.num_frames
        frames = max(1, round(record.duration * record.fps))
        longest = min(self.max_step, frames / (both * self.stride))
        step = self.stride * rng.uniform(1, max(1.0, longest))
        latest = max(0.0, frames - 1 - step * (both - 1))
        first = rng.uniform(0, 1) * latest
        # Whole frames: the clips are what a list of frame numbers would give.
        numbers = np.round(first + step * np.arange(both))
        if frames >= both * self.stride:
            numbers = np.minimum(numbers, frames - 1)
            times = np.minimum(numbers / record.fps, last_time(record))
        else:
            times = clip_times(record, 0.0, both, self.stride)
        video = times.reshape(2, self.num_frames)
        return {"video": video, "static": video[:, rng.integers(self.num_frames)]}
