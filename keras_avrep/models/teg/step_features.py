"""Features of every step of a long video, and when each step is."""

import numpy as np

from keras_avrep.models.teg.step_times import step_centres


class StepFeatureExtractor:
    """Slides a window over a video and keeps the middle of each window's steps.

    Steps near the ends of a window see less around them. Windows follow each
    other so that the kept parts meet; at the ends of the video all is kept, and
    where windows overlap the features of a step are averaged.

    Args:
        steps: model from pixels `(B, T, H, W, 3)` to `(B, T', C)`: `"steps"` of
            the `inference_models` of `keras_avrep.models.TeG`.
        num_frames: int, even. Frames of a window. Defaults to `32`.
        stride: int. Frames of the video from one to the next. Defaults to `2`.
        keep: float. Share of a window's steps that is kept. Defaults to `0.5`.
        batch_size: int. Windows at a time. Defaults to `8`.
        frames_per_step: int. Frames of a window for each step. Defaults to `2`.

    Call arguments:
        frames: array `(F, H, W, 3)`, all frames of a video, 0 to 255, of the size
            that the model takes.

    Returns:
        float32 features `(N, C)` and times `(N,)`, the raw frame at the centre of
        each step, rising.

    Raises:
        ValueError: if no step would be kept, or windows do not hold whole steps.

    Example:
    ```python
    extract = StepFeatureExtractor(model.inference_models()["steps"])
    features, times = extract(frames)
    labels = resample_nearest(features, times, np.arange(len(frames)))
    ```

    Reference: note of TeG (arXiv:2112.04480), section 6.
    """

    def __init__(
        self, steps, num_frames=32, stride=2, keep=0.5, batch_size=8, frames_per_step=2
    ):
        if num_frames % frames_per_step:
            raise ValueError(
                f"`num_frames` is {num_frames}; give a multiple of {frames_per_step}, "
                "the frames of a step."
            )
        self.steps = steps
        self.num_frames = num_frames
        self.stride = stride
        self.batch_size = batch_size
        self.frames_per_step = frames_per_step
        count = num_frames // frames_per_step
        self.margin = round(count * (1 - keep) / 2)
        self.kept = count - 2 * self.margin
        if not 0 < keep <= 1 or self.kept < 1:
            raise ValueError(
                f"`keep` is {keep}, which keeps {self.kept} of {count} steps; give a "
                "share above 0 and at most 1 that keeps one or more."
            )

    def __call__(self, frames):
        frames = np.asarray(frames)
        starts = self.window_starts(len(frames))
        windows = starts[:, None] + self.stride * np.arange(self.num_frames)
        features = self._encode(frames, np.minimum(windows, len(frames) - 1))
        times = starts[:, None] + self.stride * step_centres(
            self.num_frames, stride=self.frames_per_step
        )
        kept = self._kept(len(starts), times.shape[1])
        # A video shorter than a window is held at its last frame; that is no time.
        kept &= times <= max(len(frames) - 1, times.min())
        return _mean_by_time(features[kept], times[kept])

    def per_frame(self, frames):
        """Features of the step nearest to each frame.

        Args:
            frames: as when called.

        Returns:
            float32 array `(F, C)`.
        """
        return resample_nearest(*self(frames), np.arange(len(frames)))

    def window_starts(self, length):
        """First raw frame of each window over a video of `length` frames."""
        hop = self.kept * self.frames_per_step * self.stride
        grid = self.frames_per_step * self.stride
        span = (self.num_frames - 1) * self.stride + 1
        # On the grid of steps, so that the steps of all windows meet.
        last = max(length - span, 0) // grid * grid
        return np.append(np.arange(0, last, hop), last)

    def _kept(self, windows, steps):
        kept = np.zeros((windows, steps), bool)
        kept[:, self.margin : steps - self.margin] = True
        kept[0, : self.margin] = True
        kept[-1, steps - self.margin :] = True
        return kept

    def _encode(self, frames, windows):
        parts = []
        for first in range(0, len(windows), self.batch_size):
            numbers = windows[first : first + self.batch_size]
            missing = self.batch_size - len(numbers)
            if first and missing:
                # One shape only: a compiled backend would compile again.
                numbers = np.concatenate([numbers, np.repeat(numbers[-1:], missing, 0)])
            clips = frames[numbers].astype("float32")
            found = np.asarray(self.steps.predict_on_batch(clips))
            parts.append(found[: len(windows) - first])
        return np.concatenate(parts).astype("float32")


def _mean_by_time(features, times):
    """Features of steps at the same time averaged, in order of time."""
    unique, places = np.unique(times, return_inverse=True)
    total = np.zeros((len(unique), features.shape[-1]), "float64")
    np.add.at(total, places.ravel(), features)
    counts = np.bincount(places.ravel(), minlength=len(unique))
    return (total / counts[:, None]).astype("float32"), unique.astype("float32")


def resample_nearest(values, times, wanted):
    """Values of the steps nearest to wanted times.

    Args:
        values: array `(N, ...)`, one for each step.
        times: array `(N,)`, rising.
        wanted: array `(M,)`, in the same unit.

    Returns:
        Array `(M, ...)`; of two steps equally near the earlier one.

    Example:
    ```python
    resample_nearest(np.array(["a", "b"]), np.array([1, 3]), np.arange(5))
    # a a a b b
    ```

    Reference: note of TeG (arXiv:2112.04480), section 6.
    """
    wanted, times = np.asarray(wanted), np.asarray(times)
    after = np.searchsorted(times, wanted).clip(0, len(times) - 1)
    before = np.maximum(after - 1, 0)
    earlier = np.abs(wanted - times[before]) <= np.abs(times[after] - wanted)
    return np.asarray(values)[np.where(earlier, before, after)]
