"""A world written to real media files with annotations."""

import json
from pathlib import Path

import numpy as np

from keras_avrep.data import write_video
from keras_avrep.data.files import write_text
from keras_avrep.data.manifest import ANNOTATIONS


def render_world(world, folder, counts, progress=None, boxes=None):
    """Write the videos of a world as MP4, with `annotations.jsonl`.

    What is there already is kept, so an interrupted rendering goes on where it
    was.

    Args:
        world: for example `ScenesWorld`.
        folder: where to; one sub-folder for each split.
        counts: dict from split to number of videos.
        progress: called with (videos done, videos in all). Defaults to `None`.
        boxes: bool or `None`. Whether the annotations have the `boxes` of the
            sprites in every frame, as of `world.boxes` with four decimals, and
            the `phases` of their motions, as of `world.phase_ranges`. Defaults to
            `None`: if there are several sprites.

    Returns:
        Path of the folder.

    Raises:
        ValueError: if the folder holds a world with another configuration.

    Example:
    ```python
    world = keras_avrep.worlds.ScenesWorld(seed=1)
    render_world(world, "videos", {"pretrain": 256, "train": 128, "test": 128})
    ```
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = {"world": world.name, **world.get_config()}
    _check_same(folder / "world.json", config)
    if boxes is None:
        boxes = getattr(world, "num_sprites", 1) > 1
    total, done = sum(counts.values()), 0
    lines = []
    for split, count in counts.items():
        (folder / split).mkdir(exist_ok=True)
        for index in range(count):
            plan = world.plan(split, index)
            path = folder / split / f"{index:05d}.mp4"
            if not path.exists():
                frames = world.frames(plan)
                write_video(path, frames, world.fps, crf=12, keyframe_interval=12)
            entry = _annotation(path.relative_to(folder), split, plan)
            if boxes:
                entry["phases"] = world.phase_ranges(plan)
                # Decimals of float32 are many and say nothing.
                entry["boxes"] = np.round(world.boxes(plan).astype(float), 4).tolist()
            lines.append(json.dumps(entry) + "\n")
            done += 1
            if progress is not None:
                progress(done, total)
    write_text(folder / ANNOTATIONS, "".join(lines))
    return folder


def _annotation(path, split, plan):
    return {
        "video": path.as_posix(),
        "split": split,
        "labels": plan["labels"],
        "motions": plan["motions"],
        "scene": plan["scene"],
        "sprites": plan["sprites"],
    }


def _check_same(path, config):
    config = json.loads(json.dumps(config))
    if path.exists() and json.loads(path.read_text()) != config:
        raise ValueError(
            f"{path} describes another world; choose an empty folder or the same "
            "arguments."
        )
    write_text(path, json.dumps(config, indent=1))
