"""A world of mixtures as a folder of waveforms, pictures and boxes."""

from pathlib import Path

import numpy as np

from keras_avrep.data import write_audio
from keras_avrep.data.files import replacing, write_text
from keras_avrep.worlds.render import check_same_world

# Where CSOL's sets have the splits.
CSOL_PLACES = {"train": "train/train", "test": "test1"}


def render_mixtures(world, folder, counts, progress=None, layout="ier"):
    """Write a world as mixtures with one picture each, in a published layout.

    That of IEr's note: `SPLIT/audio/ID.npy` is the mixture, `SPLIT/stems/ID.npz` has
    `stems`, `gains_db`, `class_ids`, `on_screen` (and last the noise bed, of class
    -1), `SPLIT/frame/ID.jpg` is the first frame, `SPLIT/box/ID.npy` has rows
    `x, y, w, h, class, sounding`, relative.

    That of CSOL: `train/train/{audio,video}` for the split `"train"`,
    `test1/{audio,video,box}` for `"test"`, with rows `x, y, w, h, class` of what can
    be seen and sounds. Nothing else is told of a sample. Sounds are WAV files, from
    which the published log-mel arrays would be made. Other splits are folders of
    their name, without boxes.

    `classes.txt` names the classes, one a line. `read_synthetic_mixtures` reads both.

    Args:
        world: `OrchestraWorld`.
        folder: where to.
        counts: dict from split to number of samples.
        progress: called with (samples done, samples in all). Defaults to `None`.
        layout: string. `"ier"` or `"csol"`. Defaults to `"ier"`.

    Returns:
        Path of the folder.

    Raises:
        ValueError: if there is no such layout, or the folder holds a world with
            another configuration, or other files.

    Example:
    ```python
    world = keras_avrep.worlds.OrchestraWorld("unconstrained")
    render_mixtures(world, "mixtures", {"train": 8, "test": 4})
    ```

    Reference: notes of IEr (arXiv:2202.06406) and CSOL (arXiv:2112.11749), section
    2.2 of each.
    """
    if layout not in ("ier", "csol"):
        raise ValueError(f"`layout` is {layout!r}; give 'ier' or 'csol'.")
    folder = Path(folder)
    check_same_world(folder, world)
    write_text(folder / "classes.txt", "".join(f"{c}\n" for c in world.classes))
    done, total = 0, sum(counts.values())
    for split, count in counts.items():
        for index in range(count):
            plan, name = world.plan(split, index), f"{index:05d}"
            if layout == "csol":
                place = folder / CSOL_PLACES.get(split, split)
                _write_as_csol(world, plan, place, name, with_boxes=split == "test")
            else:
                _write_as_ier(world, plan, folder / split, name)
            done += 1
            if progress is not None:
                progress(done, total)
    return folder


def _write_as_ier(world, plan, folder, name):
    paths = {
        "audio": folder / "audio" / f"{name}.npy",
        "stems": folder / "stems" / f"{name}.npz",
        "box": folder / "box" / f"{name}.npy",
        "frame": folder / "frame" / f"{name}.jpg",
    }
    if all(path.exists() for path in paths.values()):
        return
    truth = world.annotation(plan)
    stems = world.stems(plan)
    with replacing(paths["audio"]) as temporary:
        np.save(temporary, stems.sum(axis=0))
    with replacing(paths["stems"]) as temporary:
        np.savez(temporary, stems=stems, **_facts(truth))
    with replacing(paths["box"]) as temporary:
        np.save(temporary, _boxes(truth))
    _write_picture(world, plan, paths["frame"])


def _write_as_csol(world, plan, folder, name, with_boxes):
    """The sound comes last, so it says that all of a sample is there."""
    sound = folder / "audio" / f"{name}.wav"
    if sound.exists():
        return
    if with_boxes:
        rows = _boxes(world.annotation(plan))
        with replacing(folder / "box" / f"{name}.npy") as temporary:
            np.save(temporary, rows[rows[:, 5] > 0, :5])
    _write_picture(world, plan, folder / "video" / f"{name}.jpg")
    write_audio(sound, world.waveform(plan), world.sample_rate)


def _write_picture(world, plan, path):
    from PIL import Image

    with replacing(path) as temporary:
        image = Image.fromarray(world.frames(plan)[0])
        image.save(temporary, quality=95, subsampling=0)


def _facts(truth):
    """What is known of each stem, as arrays."""
    facts = [
        (s["gain_db"], s["class_id"], s["on_screen"])
        for s in truth["sources"]
        if s["sounding"]
    ]
    if truth["noise_db"] is not None:
        facts.append((truth["noise_db"], -1, False))
    gains, ids, seen = zip(*facts, strict=True)
    return {
        "gains_db": np.array(gains, np.float32),
        "class_ids": np.array(ids, np.int64),
        "on_screen": np.array(seen, bool),
    }


def _boxes(truth):
    rows = []
    for source in truth["sources"]:
        if source["on_screen"]:
            y1, x1, y2, x2 = source["boxes"][0]
            place = [x1, y1, x2 - x1, y2 - y1]
            rows.append([*place, source["class_id"], source["sounding"]])
    return np.array(rows, np.float64)
