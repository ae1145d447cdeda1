from keras_avrep.views.samplers import last_time


class RandomMoment:
    """A span of sound at a random place, and one frame that is shown in it.

    Args:
        duration: float. Seconds of sound. Defaults to 1.
        sample_rate: int. Of the sound, in Hz. Defaults to 16000.

    Returns, when called:
        Dict of `frame`, a time in seconds within the span and within the video, and
        `audio`, a dict of `start`, `duration` and `sample_rate`. A video that is
        shorter than the span starts it at 0; silence fills the rest.

    Raises:
        ValueError: if `duration` is not above 0.

    Example:
    ```python
    dataset = keras_avrep.data.clip_dataset(records, RandomMoment(), batch_size=8)
    dataset[0]["audio"].shape  # (8, 16000)
    ```

    Reference: CSOL (arXiv:2112.11749), note section 2.1.
    """

    def __init__(self, duration=1.0, sample_rate=16000):
        if duration <= 0:
            raise ValueError(f"`duration` is {duration}; give seconds above 0.")
        self.duration = duration
        self.sample_rate = sample_rate

    def __call__(self, record, rng):
        start = rng.uniform(0, 1) * max(0.0, record.duration - self.duration)
        frame = min(start + rng.uniform(0, 1) * self.duration, last_time(record))
        span = {"duration": self.duration, "sample_rate": self.sample_rate}
        return {"frame": frame, "audio": {"start": start, **span}}
