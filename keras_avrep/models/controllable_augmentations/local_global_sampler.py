import math

import numpy as np


class LocalGlobalSampler:
    """Local clips in ascending order, and a global view that spans them all.

    The global view is a random window of the video at the stride, up to the largest
    one, that lets it cover most. That window is cut into equal parts, with one local
    clip in each, so clips never overlap.

    Where the parts are too short for a clip at stride 1, clips do overlap and
    `ordered` is 0. A video shorter than a clip is slowed down: every clip shows
    all of it, frames held longer.

    Args:
        num_local: int. Local clips, at least 2. Defaults to 3.
        num_frames: int. Frames of every clip, local or global. Defaults to 16.
        strides: two ints. Smallest and largest stride of the local clips, in
            frames of the video; one is drawn for all of them. Defaults to (1, 2).
        max_global_stride: int. Defaults to 8.

    Returns, when called:
        Dict of seconds `local` `(num_local, num_frames)` and `global`
        `(num_frames,)`, and `numbers`, float32: `local_start` `(num_local,)`,
        `local_stride`, `global_start` and `global_stride` in frames of the video,
        and `ordered`, 1 or 0.

    Raises:
        ValueError: if there are fewer than 2 local clips.

    Example:
    ```python
    sampler = LocalGlobalSampler(num_local=3, num_frames=8)
    sample = sampler(record, np.random.default_rng(0))
    sample["local"].shape  # (3, 8)
    ```

    Reference: note of Controllable Augmentations (arXiv:2203.16632), sections
    2.2 and 8.
    """

    def __init__(self, num_local=3, num_frames=16, strides=(1, 2), max_global_stride=8):
        if num_local < 2:
            raise ValueError(
                f"`num_local` is {num_local}; an order needs at least 2 local clips."
            )
        self.num_local = num_local
        self.num_frames = num_frames
        self.strides = tuple(strides)
        self.max_global_stride = max_global_stride

    def __call__(self, record, rng):
        frames = count_frames(record)
        begin, global_stride = self._draw_global(frames, rng)
        window = min(math.ceil(self.num_frames * global_stride), frames - begin)
        starts, stride, ordered = self._draw_local(window, rng)
        starts = begin + starts
        return {
            "local": np.stack([self._times(record, s, stride, frames) for s in starts]),
            "global": self._times(record, begin, global_stride, frames),
            "numbers": {
                "local_start": np.asarray(starts, np.float32),
                "local_stride": np.float32(stride),
                "global_start": np.float32(begin),
                "global_stride": np.float32(global_stride),
                "ordered": np.float32(ordered),
            },
        }

    def _draw_global(self, frames, rng):
        if frames < self.num_frames:
            return 0, frames / self.num_frames
        steps = max(self.num_frames - 1, 1)
        stride = min(max((frames - 1) // steps, 1), self.max_global_stride)
        spare = max(0, frames - self.num_frames * stride)
        return int(rng.integers(spare + 1)), stride

    def _draw_local(self, window, rng):
        """Starts within a window of frames, their stride, whether they are apart."""
        if window < self.num_frames:
            return np.zeros(self.num_local), window / self.num_frames, False
        part = window // self.num_local
        low, high = self.strides
        fitting = [s for s in range(low, high + 1) if self.num_frames * s <= part]
        if not fitting and self.num_frames <= part:
            fitting = [1]
        if not fitting:
            places = np.arange(self.num_local) + rng.uniform(size=self.num_local)
            latest = window - self.num_frames
            return places * (latest + 1) // self.num_local, 1, False
        stride = int(fitting[rng.integers(len(fitting))])
        bounds = np.arange(self.num_local + 1) * window // self.num_local
        spare = np.diff(bounds) - self.num_frames * stride
        return bounds[:-1] + rng.integers(spare + 1), stride, True

    def _times(self, record, start, stride, frames):
        """Seconds in the middle of the frames, so that no rounding misses them."""
        index = np.floor(start + np.arange(self.num_frames) * stride + 1e-6)
        times = (np.minimum(index, frames - 1) + 0.5) / record.fps
        return np.minimum(times, max(record.duration - 0.5 / record.fps, 0.0))


def count_frames(record):
    """Frames of a video by its duration; a last one shown for half its time counts.

    Args:
        record: anything with `fps` and `duration` (seconds).

    Returns:
        int, at least 1.
    """
    return max(1, math.ceil(record.duration * record.fps - 0.5 - 1e-6))
