"""Where it sounds in a video, frame by frame, with a trained localiser."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from keras_avrep.data import probe, read_waveform, stream_timed_frames
from keras_avrep.evaluation.map_alignment import aligned_maps

CHUNK_FRAMES = 128
INPUTS = {"frame", "waveform"}
MAPS = ("class_maps", "sounding_map")
# Of models that say what they hear, beside what they see.
HEARD = ("audible_scores", "audio_distribution")


@dataclass
class VideoMaps:
    """Where each cluster sounds in the frames of a video.

    Args:
        times: float64 array `(N,)`. Seconds from the first frame.
        class_maps: float32 array `(N, h, w, K)`. At every place a distribution
            over the clusters.
        sounding_maps: float32 array `(N, h, w)` in [0, 1].
        has_audio: whether the video has a sound track. Without one the maps are
            those of silence.
        audible_scores: float32 array `(N, K)`, how surely each cluster is heard, seen
            or not, or `None` if the model does not say. Defaults to `None`.
        audio_distribution: float32 array `(N, K)`, the shares of what is heard, or
            `None` likewise. Defaults to `None`.
    """

    times: np.ndarray
    class_maps: np.ndarray
    sounding_maps: np.ndarray
    has_audio: bool
    audible_scores: np.ndarray | None = None
    audio_distribution: np.ndarray | None = None


def localize_video(
    model,
    path: str | os.PathLike,
    size: int = 224,
    duration: float = 1.0,
    sample_rate: int = 16000,
    every: float | None = None,
    batch_size: int = 32,
    progress: Callable[[float], None] | None = None,
) -> VideoMaps:
    """Maps of every frame of a video and the sound around it.

    The sound of a frame is the `duration` seconds that it is in the middle of, near
    the start and the end of a video the first and the last so many. The whole picture
    is scaled, in its proportion if the model takes any, so maps cover all of it.
    Frames and sound are read in parts: a long video needs no more memory than its
    maps.

    Args:
        model: from a dict of `frame` `(B, size, size, 3)`, 0 to 255, and
            `waveform` `(B, S)` to a dict of `class_maps` `(B, h, w, K)` and
            `sounding_map` `(B, h, w, 1)`; such as `CSOL`.
        path: the video file.
        size: int. Shorter side that the model takes, in pixels. Defaults to 224.
        duration: float. Seconds of sound the model takes. Defaults to 1.
        sample_rate: int. Of that sound, in Hz. Defaults to 16000.
        every: float or `None`. Seconds from one frame to the next. Defaults to
            `None`, all frames by their own times.
        batch_size: int. Defaults to 32.
        progress: called with the seconds done. Defaults to `None`.

    Returns:
        `VideoMaps`.

    Raises:
        MediaError: if picture or sound cannot be decoded.
        ValueError: if the model is no localiser.

    Example:
    ```python
    maps = localize_video(model, "duet.mp4", size=96)
    loudest = maps.sounding_maps.max(axis=(1, 2))
    ```

    Reference: notes of CSOL (arXiv:2112.11749), sections 2.1 and 3.4, and IEr
    (arXiv:2202.06406), section 3.6.
    """
    check_localiser(model)
    square = None not in model.input["frame"].shape[1:3]
    frames = stream_timed_frames(path, size, every, square)
    length = probe(path).duration
    times, found, has_audio = [], [], False
    while part := list(islice(frames, CHUNK_FRAMES)):
        at, images = zip(*part, strict=True)
        at = np.array(at, np.float64)
        sound, has_audio = _sound_around(path, at, duration, sample_rate, length)
        for first in range(0, len(at), batch_size):
            chosen = slice(first, first + batch_size)
            inputs = {"frame": np.stack(images[chosen]), "waveform": sound[chosen]}
            maps = predict_maps(model, inputs, batch_size)
            found.append({name: maps[name] for name in (*MAPS, *HEARD) if name in maps})
        times.append(at)
        if progress is not None:
            progress(float(at[-1]))
    outputs = {
        name: np.concatenate([maps[name] for maps in found]) for name in found[0]
    }
    return VideoMaps(
        np.concatenate(times),
        outputs["class_maps"],
        outputs["sounding_map"][..., 0],
        has_audio,
        outputs.get("audible_scores"),
        outputs.get("audio_distribution"),
    )


def predict_maps(model, inputs: dict, batch_size: int = 32) -> dict[str, np.ndarray]:
    """What a localiser says of a batch, always called with one shape.

    Args:
        model: as of `localize_video`.
        inputs: dict of `frame` `(B, H, W, 3)` and `waveform` `(B, S)`, or what else
            the model takes.
        batch_size: int, B or more. Defaults to 32.

    Returns:
        Dict of float32 arrays, as the model names them. Maps are aligned with the
        picture if the model has a `map_centre`; see `aligned_maps`.
    """
    count = len(inputs["frame"])
    # A compiled backend would compile again for every other number.
    rows = np.minimum(np.arange(batch_size), count - 1)
    inputs = {name: np.asarray(x, np.float32)[rows] for name, x in inputs.items()}
    outputs = model.predict_on_batch(inputs)
    outputs = {k: np.asarray(v, np.float32)[:count] for k, v in outputs.items()}
    centre = getattr(model, "map_centre", 0.5)
    return {
        k: aligned_maps(v, centre) if v.ndim == 4 else v for k, v in outputs.items()
    }


def is_localiser(model) -> bool:
    """Whether a model goes from `frame` and `waveform` to maps of what sounds.

    Args:
        model: `keras.Model`.

    Returns:
        bool.

    Example:
    ```python
    keras_avrep.evaluation.is_localiser(csol)  # True
    ```
    """
    inputs, outputs = getattr(model, "input", None), getattr(model, "output", None)
    if not isinstance(inputs, dict) or not isinstance(outputs, dict):
        return False
    return set(inputs) >= INPUTS and set(outputs) >= set(MAPS)


def check_localiser(model) -> None:
    """Refuse a model that is no localiser.

    Raises:
        ValueError: if it is none.
    """
    if not is_localiser(model):
        raise ValueError(
            f"`model` is a {type(model).__name__}, which does not say where it "
            "sounds; give a localiser such as CSOL or InterferenceEraser."
        )


def _sound_around(
    path, times, duration, sample_rate, length
) -> tuple[np.ndarray, bool]:
    """float32 `(N, S)`, each row centred at its time as far as the video's seconds
    allow; and whether there is sound."""
    count = round(duration * sample_rate)
    firsts = np.rint(times * sample_rate).astype(np.int64) - count // 2
    firsts = np.clip(firsts, 0, max(0, round(length * sample_rate) - count))
    span = int(firsts[-1] - firsts[0]) + count
    if span > len(times) * count:
        # Far apart: what lies between them need not be decoded.
        return read_waveform(path, firsts / sample_rate, duration, sample_rate)
    whole, has_audio = read_waveform(
        path, firsts[0] / sample_rate, span / sample_rate, sample_rate
    )
    rows: Iterator = (whole[first : first + count] for first in firsts - firsts[0])
    return np.stack(list(rows)), has_audio
