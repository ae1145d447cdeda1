import numpy as np

from keras_avrep.views.samplers import times_in_video


class ConsecutiveClips:
    """Clips that follow each other, all at one random rate, with a frozen frame.

    Args:
        num_clips: int. Clips of each video. Defaults to 2.
        num_frames: int. Frames of a clip. Defaults to 16.
        max_rate: float. Most frames of the video from one to the next. The rate
            is uniform from 1 to this or to what the video has room for. Defaults
            to 3.

    Returns, when called:
        Dict of `video` `(num_clips, num_frames)` and `static` `(num_clips,)`
        seconds. The frozen frame is one of the clip's frames, the same of every
        clip. A video that is too short is looped.

    Raises:
        ValueError: if `max_rate` is below 1.

    Example:
    ```python
    sampler = keras_avrep.views.ConsecutiveClips(num_frames=8)
    sampler(record, np.random.default_rng(0))["video"].shape  # (2, 8)
    ```

    Reference: Static and Dynamic Concepts (arXiv:2207.12795), note section 2.
    """

    def __init__(self, num_clips=2, num_frames=16, max_rate=3.0):
        if max_rate < 1:
            raise ValueError(
                f"`max_rate` is {max_rate}; a clip takes at most every frame once, "
                "so give at least 1."
            )
        self.num_clips = num_clips
        self.num_frames = num_frames
        self.max_rate = max_rate

    def __call__(self, record, rng):
        total = self.num_clips * self.num_frames
        frames = record.duration * record.fps
        rate = rng.uniform(1, max(1.0, min(self.max_rate, frames / total)))
        offsets = np.round(rate * np.arange(total))
        latest = max(0.0, frames - offsets[-1] - 1)
        start = rng.uniform(0, 1) * latest
        times = times_in_video(record, (start + offsets) / record.fps)
        video = times.reshape(self.num_clips, self.num_frames)
        return {"video": video, "static": video[:, rng.integers(self.num_frames)]}
