"""Features of every frame of a video file, for heads that label frames."""

import numpy as np

from keras_avrep.data import VideoRecord, read_sample


def frame_features(extract, record: VideoRecord, size: int) -> np.ndarray:
    """Features of every frame of a video.

    Args:
        extract: with a method `per_frame` from frames `(F, H, W, 3)` to features
            `(F, C)`, such as `keras_avrep.models.StepFeatureExtractor`.
        record: of the video; all its frames are held at once.
        size: int. Height and width in pixels that the model takes.

    Returns:
        float32 array `(F, C)`, F being the video's duration times its frame rate.

    Raises:
        MediaError: if the video cannot be decoded.

    Example:
    ```python
    extract = StepFeatureExtractor(model.inference_models()["steps"])
    sequences = [frame_features(extract, record, 224) for record in records]
    head = train_mstcn(sequences, labels, classes)
    ```

    Reference: note of TeG (arXiv:2112.04480), section 6.
    """
    count = max(1, round(record.duration * record.fps))
    times = (np.arange(count) + 0.5) / record.fps
    return extract.per_frame(read_sample(record, {"video": times}, size)["video"])
