"""What excites the units of a model most, to be looked at."""

from pathlib import Path

import numpy as np

from keras_avrep.data import MediaError, read_sample, spaced_records
from keras_avrep.data.files import replacing
from keras_avrep.evaluation.map_alignment import aligned_clip_maps
from keras_avrep.views import UniformClips

MOST_CLIPS = 256


def write_units(path, model, records, clip, count=16, top=4, most_clips=MOST_CLIPS):
    """Write the strongest and most varied units, and the clips that excite each.

    Args:
        path: the `.npz` file.
        model: has `units`, from clips `(N, T, H, W, 3)` to a dict from kind to
            maps `(N, t, h, w, K)`, one for each unit; such as
            `StaticDynamicConcepts`.
        records: list of `VideoRecord`; one clip from the middle of each is shown
            to the units. Videos that cannot be decoded are left out.
        clip: dict of `num_frames`, `stride` and `size`.
        count: int. Units of each kind. Defaults to 16.
        top: int. Clips of each unit. Defaults to 4.
        most_clips: int. Clips shown in all, of videos equally spaced over the
            records. Defaults to 256.

    Returns:
        `None`. For each kind the file has `KIND_units` int `(U,)`, `KIND_clips`
        uint8 `(U, top, T, H, W, 3)`, `KIND_maps` float32
        `(U, top, t, h, w)` and `KIND_strength` float32 `(U, top)`, the mean of
        each map. Nothing is written if the model has no units or no video can
        be decoded.

    Example:
    ```python
    clip = {"num_frames": 8, "stride": 1, "size": 48}
    write_units("units.npz", model, manifest.split("test"), clip)
    ```

    Reference: note of Static and Dynamic Concepts (arXiv:2207.12795), section 3.3.
    """
    clips = _middle_clips(records, clip, most_clips)
    found = model.units(clips) if len(clips) else {}
    centre = getattr(getattr(model, "backbone", None), "map_centre", 0.5)
    arrays = {}
    for kind, maps in found.items():
        strength = maps.mean(axis=(1, 2, 3))
        units = choose_units(strength, count, top)
        if not len(units):
            continue
        clip_order = np.argsort(-strength[:, units], axis=0, kind="stable")[:top].T
        arrays[f"{kind}_units"] = units
        arrays[f"{kind}_clips"] = clips[clip_order]
        arrays[f"{kind}_maps"] = np.stack(
            [
                aligned_clip_maps(maps[order][..., u], centre)
                for u, order in zip(units, clip_order, strict=True)
            ]
        )
        arrays[f"{kind}_strength"] = np.stack(
            [strength[order, u] for u, order in zip(units, clip_order, strict=True)]
        ).astype("float32")
    # Those of a former evaluation must not pass for this one's.
    Path(path).unlink(missing_ok=True)
    if arrays:
        with replacing(path) as temporary:
            np.savez_compressed(temporary, **arrays)


def choose_units(strength, count, top):
    """Units that some clips excite far more than others, each other clips.

    A unit's rank is how far its strongest clips lie above its mean clip. Units are
    taken one by one; what is left of a unit's rank is reduced by its correlation,
    over clips, with the units taken before.

    Args:
        strength: array `(clips, units)`.
        count: int. Units to choose, fewer where fewer are excited at all.
        top: int. Clips that count as a unit's strongest.

    Returns:
        int array of at most `count` units, best first.

    Example:
    ```python
    choose_units(model.units(clips)["static"].mean(axis=(1, 2, 3)), 6, 4)
    ```
    """
    strength = np.nan_to_num(np.asarray(strength, "float64"))
    centred = strength - strength.mean(axis=0)
    # Of few clips at most half can be the strongest.
    top = min(top, max(1, len(strength) // 2))
    rank = np.sort(centred, axis=0)[-top:].mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    directions = centred / np.maximum(length, 1e-12)
    alike = np.maximum(directions.T @ directions, 0)
    chosen: list[int] = []
    left = rank.copy()
    while len(chosen) < min(count, strength.shape[1]):
        best = int(np.argmax(left))
        if left[best] <= 1e-12:
            break
        chosen.append(best)
        left = rank * (1 - alike[:, chosen].max(axis=1))
        left[chosen] = -1
    return np.array(chosen, int)


def _middle_clips(records, clip, most):
    sampler = UniformClips(1, clip["num_frames"], clip["stride"])
    clips = []
    for record in spaced_records(records, most):
        try:
            sample = read_sample(record, sampler(record), clip["size"])
        except MediaError:
            continue
        clips.append(sample["video"][0])
    return np.stack(clips) if clips else np.zeros((0,), "uint8")
