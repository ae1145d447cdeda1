"""Draws from videos that are cut into moments, as `ClipSource` does from whole ones."""

import numpy as np

from keras_avrep.data.loader import ClipSource
from keras_avrep.data.media import MediaError
from keras_avrep.data.moments import MomentRecord, by_video, fit_sound, read_moment


class MomentSource(ClipSource):
    """Draws a moment of one video and a picture of it.

    A pure function of the seed and the position, as `ClipSource` is: where the moment
    drawn cannot be used, one of the next video is taken.

    Args:
        records: list of `MomentRecord`; those of one `video_id` count as one video.
        sampler: has the `duration` of the sound in seconds and its `sample_rate` in
            Hz, such as `keras_avrep.views.RandomMoment`. Shorter sounds are filled up
            with silence, of longer ones the middle is taken.
        size: int. Height and width in pixels. Defaults to 128.
        on_reject: called once with (record, reason) for every moment that was drawn
            and cannot be used. Defaults to `None`.

    Returns, when called with the index of a video and a `numpy.random.Generator`:
        Dict of `frame` uint8 `(size, size, 3)`, `audio` float32 `(S,)`, `has_audio`,
        `sample_rate`, and `record` int64, the position of the video.

    Example:
    ```python
    source = MomentSource(manifest.records, keras_avrep.views.RandomMoment())
    source(0, np.random.default_rng(0))["audio"].shape  # (16000,)
    ```
    """

    def __init__(self, records, sampler, size=128, on_reject=None):
        super().__init__(records, sampler, size, on_reject)
        self.records = by_video(records)

    def choose(self, position: int, rng: np.random.Generator) -> MomentRecord:
        moments = self.records[position]
        return moments[rng.integers(len(moments))]

    def read(self, record: MomentRecord, rng: np.random.Generator) -> dict:
        rate = self.sampler.sample_rate
        picture = int(rng.integers(len(record.pictures)))
        sample = read_moment(record, self.size, picture, rate)
        if "audio" not in sample:
            raise MediaError(
                f"{record.sound}: holds a spectrogram; what finds sounds learns from "
                "the sound itself, so cut the dataset again with waveforms."
            )
        count = round(self.sampler.duration * rate)
        return {**sample, "audio": fit_sound(sample["audio"], count)}
