"""What a localiser says of moments: a picture each, and a second of sound."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from keras_avrep.data import MediaError, MomentRecord, fit_sound, read_moment
from keras_avrep.evaluation.localize_video import check_localiser, predict_maps


@dataclass
class MomentMaps:
    """Maps of moments.

    Args:
        records: list of N `MomentRecord`s that could be read.
        class_maps: float32 array `(N, h, w, K)`, distributions over clusters.
        sounding_maps: float32 array `(N, h, w)` in [0, 1].
        audible_scores: float32 array `(N, K)`, how surely each cluster is heard, or
            `None` if the model does not say.
        audio_distribution: float32 array `(N, K)`, or `None` likewise.
        rejects: list of `{"path", "reason"}` of moments left out.
    """

    records: list[MomentRecord]
    class_maps: np.ndarray
    sounding_maps: np.ndarray
    audible_scores: np.ndarray | None = None
    audio_distribution: np.ndarray | None = None
    rejects: list[dict[str, str]] = field(default_factory=list)

    def take(self, rows) -> "MomentMaps":
        """The maps of some of the moments."""
        scores, shares = self.audible_scores, self.audio_distribution
        return MomentMaps(
            [self.records[row] for row in rows],
            self.class_maps[rows],
            self.sounding_maps[rows],
            None if scores is None else scores[rows],
            None if shares is None else shares[rows],
        )


def predict_moments(
    model,
    records: list[MomentRecord],
    size: int = 224,
    duration: float = 1.0,
    sample_rate: int = 16000,
    batch_size: int = 32,
    shuffle_sound: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> MomentMaps:
    """Run a localiser over moments.

    Sounds may be waveforms, or log-mel spectrograms if one of the model's
    `inference_models` is a `localiser_log_mel`.

    Args:
        model: as of `localize_video`.
        records: list of `MomentRecord`; of several pictures the middle one is taken.
        size: int. Height and width the model takes, in pixels. Defaults to 224.
        duration: float. Seconds of sound the model takes; shorter sounds are filled
            up with silence, of longer ones the middle is taken. Defaults to 1.
        sample_rate: int. In Hz. Defaults to 16000.
        batch_size: int. Defaults to 32.
        shuffle_sound: int or `None`. As a control every picture gets the sound of
            another moment, drawn with this seed. Defaults to `None`, its own.
        progress: called with (moments done, moments in all). Defaults to `None`.

    Returns:
        `MomentMaps`; moments that cannot be read, or not be heard by the model, are
        in its `rejects`.

    Raises:
        ValueError: if the model is no localiser, or no moment can be used.

    Example:
    ```python
    maps = predict_moments(model, manifest.split("test"), size=96)
    maps.class_maps.shape  # (N, 6, 6, 11)
    ```
    """
    check_localiser(model)
    hearing = _Hearing(model, round(duration * sample_rate))
    partners = list(range(len(records)))
    if shuffle_sound is not None:
        partners = _others(len(records), shuffle_sound)
    kept, rejects, parts, waiting = [], [], [], []

    def flush():
        if waiting:
            forms, frames, sounds = zip(*waiting, strict=True)
            inputs = {"frame": np.stack(frames), forms[0]: np.stack(sounds)}
            parts.append(predict_maps(hearing.models[forms[0]], inputs, batch_size))
            waiting.clear()

    for done, record in enumerate(records, 1):
        sound = records[partners[done - 1]]
        try:
            sample = read_moment(record, size, len(record.pictures) // 2, sample_rate)
            heard = sample
            if sound is not record:
                heard = read_moment(sound, 8, len(sound.pictures) // 2, sample_rate)
            form, array = hearing.sound_of(heard, sound)
        except MediaError as error:
            rejects.append({"path": record.moment_id, "reason": str(error)})
        else:
            if waiting and waiting[0][0] != form:
                flush()
            waiting.append((form, sample["frame"], array))
            kept.append(record)
        if len(waiting) == batch_size:
            flush()
        if progress is not None:
            progress(done, len(records))
    flush()
    if not kept:
        reason = f"; the first reason was: {rejects[0]['reason']}" if rejects else ""
        raise ValueError(f"None of the {len(records)} moments can be used{reason}")
    outputs = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    return MomentMaps(
        kept,
        outputs["class_maps"],
        outputs["sounding_map"][..., 0],
        outputs.get("audible_scores"),
        outputs.get("audio_distribution"),
        rejects,
    )


def dominant_clusters(maps: MomentMaps) -> np.ndarray:
    """The cluster that sounds most in each moment.

    Args:
        maps: `MomentMaps`.

    Returns:
        int64 array `(N,)`: the largest of the class maps, weighted with where it
        sounds.

    Example:
    ```python
    dominant_clusters(predict_moments(model, records))
    ```
    """
    weighted = maps.class_maps * maps.sounding_maps[..., None]
    return weighted.sum(axis=(1, 2)).argmax(axis=-1)


class _Hearing:
    """A localiser for each form that a sound may have."""

    def __init__(self, model, count):
        self.models = {"waveform": model}
        self.count = count

    def sound_of(self, sample, record) -> tuple[str, np.ndarray]:
        """The form of a sound and what the model of that form takes."""
        if "audio" in sample:
            return "waveform", fit_sound(sample["audio"], self.count)
        found = sample["log_mel"]
        if (model := self._log_mel_model()) is None:
            raise MediaError(
                f"{record.sound}: holds a spectrogram; this localiser takes the sound "
                "itself, so cut the dataset again with waveforms."
            )
        taken = tuple(model.input["log_mel"].shape[1:])
        if found.shape != taken:
            raise MediaError(
                f"{record.sound}: holds a spectrogram of the shape {found.shape}, the "
                f"model takes {taken}; cut the dataset again as the model hears."
            )
        return "log_mel", found

    def _log_mel_model(self):
        if "log_mel" not in self.models:
            model = self.models["waveform"]
            parts = getattr(model, "inference_models", dict)()
            self.models["log_mel"] = parts.get("localiser_log_mel")
        return self.models["log_mel"]


def _others(count: int, seed: int) -> list[int]:
    """For each number another one: each is taken once."""
    order = np.random.default_rng(seed).permutation(count)
    partners = np.empty(count, int)
    partners[order] = np.roll(order, 1)
    return partners.tolist()
