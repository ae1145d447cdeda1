"""Which frames of a video make a clip.

A sampler is called with a record (anything with `fps` and `duration`) and a
`numpy.random.Generator`, and returns a dict from the names of a sample to
arrays of seconds; the loader replaces every time by the frame shown then.
"""

import numpy as np


class RandomClips:
    """Clips at independent uniform places, each with one frozen frame.

    Args:
        num_clips: int. Clips of each video. Defaults to 2.
        num_frames: int. Frames of a clip. Defaults to 16.
        stride: int. Frames of the video from one to the next. Defaults to 2.

    Returns, when called:
        Dict of `video` `(num_clips, num_frames)` and `static` `(num_clips,)`
        seconds. The frozen frame is one of the `num_frames * stride` frames from
        the clip's start on, at the same offset in every clip of the video.

    Example:
    ```python
    sampler = keras_avrep.views.RandomClips(num_clips=2, num_frames=8, stride=1)
    sampler(record, np.random.default_rng(0))["video"].shape  # (2, 8)
    ```

    Reference: DCLR (arXiv:2207.05340), note section 2.
    """

    def __init__(self, num_clips=2, num_frames=16, stride=2):
        self.num_clips = num_clips
        self.num_frames = num_frames
        self.stride = stride

    def __call__(self, record, rng):
        latest = latest_start(record, self.num_frames, self.stride)
        starts = rng.uniform(0, 1, self.num_clips) * latest
        offset = rng.integers(self.num_frames * self.stride) / record.fps
        video = [clip_times(record, s, self.num_frames, self.stride) for s in starts]
        return {
            "video": np.stack(video),
            "static": np.minimum(starts + offset, last_time(record)),
        }


class UniformClips:
    """Clips equally spaced from the first to the last possible one.

    Args:
        num_clips: int. One clip is taken from the middle. Defaults to 10.
        num_frames: int. Frames of a clip. Defaults to 16.
        stride: int. Frames of the video from one to the next. Defaults to 2.

    Returns, when called:
        Dict of `video` `(num_clips, num_frames)` seconds; nothing is drawn.

    Example:
    ```python
    keras_avrep.views.UniformClips(num_clips=10)(record)["video"].shape  # (10, 16)
    ```

    Reference: note of DCLR (arXiv:2207.05340), section 6.3.
    """

    def __init__(self, num_clips=10, num_frames=16, stride=2):
        self.num_clips = num_clips
        self.num_frames = num_frames
        self.stride = stride

    def __call__(self, record, rng=None):
        places = np.linspace(0, 1, self.num_clips) if self.num_clips > 1 else [0.5]
        latest = latest_start(record, self.num_frames, self.stride)
        video = [
            clip_times(record, place * latest, self.num_frames, self.stride)
            for place in places
        ]
        return {"video": np.stack(video)}


def clip_times(record, start, num_frames, stride):
    """Times of the frames of a clip; a video that is too short is looped.

    Args:
        record: anything with `fps` and `duration` (seconds).
        start: float. First time, in seconds.
        num_frames: int. Frames of the clip.
        stride: int. Frames of the video from one to the next.

    Returns:
        float array `(num_frames,)`, each in `[0, duration)`.
    """
    return times_in_video(record, start + np.arange(num_frames) * stride / record.fps)


def times_in_video(record, times):
    """Times that lie beyond the end of a video, brought into it by looping.

    Args:
        record: anything with `fps` and `duration` (seconds).
        times: float array of seconds.

    Returns:
        float array of the same shape, each in `[0, duration)`.
    """
    last = last_time(record)
    # The last half frame is the last frame: containers round their duration.
    inside = times < record.duration - 1e-9
    return np.where(inside, np.minimum(times, last), times % record.duration)


def latest_start(record, num_frames, stride):
    """Last second at which a clip can start; 0 in a video shorter than a clip."""
    return max(0.0, record.duration - ((num_frames - 1) * stride + 1) / record.fps)


def last_time(record):
    """A time at which the last frame is shown."""
    return max(record.duration - 0.5 / record.fps, 0.0)
