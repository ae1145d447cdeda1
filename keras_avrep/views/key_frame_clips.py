"""Clips around key frames, where what happens is annotated."""

import numpy as np

from keras_avrep.views.samplers import last_time


class KeyFrameClips:
    """A clip around a random key frame of a video; edge frames are repeated.

    The key frame is the one in the middle, `num_frames // 2`.

    Args:
        key_frames: dict from the `video_id` of a record to the seconds of its key
            frames in the file.
        num_frames: int. Frames of a clip. Defaults to 32.
        stride: int. Frames of the video from one to the next. Defaults to 2.

    Returns, when called:
        Dict of `video` `(num_frames,)` seconds, and in `numbers` the position
        `key_frame` of what was drawn in the video's list.

    Raises:
        ValueError: when called with a record that has no key frame.

    Example:
    ```python
    manifest = keras_avrep.data.read_ava("trainval", "ava_train_v2.2.csv", "train")
    key_frames = {
        record.video_id: [
            second - keras_avrep.data.clip_start(record)
            for second in manifest.annotation(record)
        ]
        for record in manifest.records
    }
    sampler = keras_avrep.views.KeyFrameClips(key_frames)
    dataset = keras_avrep.data.clip_dataset(manifest.records, sampler)
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 6.
    """

    def __init__(self, key_frames, num_frames=32, stride=2):
        self.key_frames = key_frames
        self.num_frames = num_frames
        self.stride = stride

    def __call__(self, record, rng):
        seconds = self.key_frames.get(record.video_id, ())
        if not len(seconds):
            raise ValueError(
                f"`key_frames` has none of {record.video_id!r}: leave that video out."
            )
        position = int(rng.integers(len(seconds)))
        times = key_frame_times(record, seconds[position], self.num_frames, self.stride)
        return {"video": times, "numbers": {"key_frame": np.int64(position)}}


def key_frame_times(record, second, num_frames=32, stride=2):
    """Times of the frames of a clip around a key frame; edge frames are repeated.

    Args:
        record: anything with `fps` and `duration` (seconds).
        second: float. Of the key frame, in the file.
        num_frames: int. Frames of the clip. Defaults to 32.
        stride: int. Frames of the video from one to the next. Defaults to 2.

    Returns:
        float array `(num_frames,)` of seconds in the video, that of the key frame at
        `num_frames // 2`.

    Example:
    ```python
    times = {"video": key_frame_times(record, 904 - clip_start(record))}
    clip = keras_avrep.data.read_sample(record, times, size=224)["video"]
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 6.
    """
    offsets = np.arange(num_frames) - num_frames // 2
    times = second + offsets * stride / record.fps
    return np.clip(times, 0.0, last_time(record))
