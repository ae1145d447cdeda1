"""A world written to real media files with annotations."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from keras_avrep.data import write_audio, write_video
from keras_avrep.data.annotations import some_names
from keras_avrep.data.files import replacing, write_text
from keras_avrep.data.video_files import ANNOTATIONS


def render_world(
    world,
    folder,
    counts,
    progress=None,
    boxes=None,
    wav=False,
    stems=False,
    workers=None,
):
    """Write the videos of a world as MP4, with `annotations.jsonl`.

    The videos of a world that sounds have an AAC track. What is there already is
    kept, so an interrupted rendering goes on where it was.

    Args:
        world: for example `ScenesWorld`: has `name`, `fps`, `get_config`, `plan`,
            `frames` and `annotation`; if it sounds, `waveform` and `sample_rate`
            and `stems` as well.
        folder: where to; one sub-folder for each split.
        counts: dict from split to number of videos.
        progress: called with (videos done, videos in all). Defaults to `None`.
        boxes: bool or `None`. For `ScenesWorld`: whether the annotations have the
            `boxes` of the sprites in every frame, as of `world.boxes` with four
            decimals, and the `phases` of their motions, as of
            `world.phase_ranges`. Defaults to `None`: if there are several sprites.
        wav: bool. Whether to write the sound without loss beside each video, as
            `NUMBER.wav`. Defaults to `False`.
        stems: bool. Whether to write the sound of each source beside each video,
            as float32 `(sources, samples)` `stems` in `NUMBER.npz`, with
            `sample_rate`. Defaults to `False`.
        workers: int. Videos that are drawn and encoded at a time; what is written
            does not depend on it. Defaults to `None`, one for each core.

    Returns:
        Path of the folder.

    Raises:
        ValueError: if the folder holds a world with another configuration or
            other files, or `wav` or `stems` is asked of a world without.

    Example:
    ```python
    world = keras_avrep.worlds.ScenesWorld(seed=1)
    render_world(world, "scenes", {"pretrain": 16, "train": 8, "test": 8})
    ```
    """
    if (wav or stems) and not hasattr(world, "waveform"):
        raise ValueError(
            f"The world {world.name} has no sound; leave `wav` and `stems` off."
        )
    folder = Path(folder)
    check_same_world(folder, world)
    if boxes is None:
        boxes = getattr(world, "num_sprites", 1) > 1
    for split in counts:
        (folder / split).mkdir(exist_ok=True)

    def render(video):
        split, index = video
        plan = world.plan(split, index)
        path = folder / split / f"{index:05d}.mp4"
        _write(world, plan, path, wav, stems)
        name = path.relative_to(folder).as_posix()
        return _annotation(world, plan, {"video": name, "split": split}, boxes)

    videos = [(split, i) for split, count in counts.items() for i in range(count)]
    lines, before = [], _lines_of_others(folder, videos)
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for line in pool.map(render, videos):
            lines.append(line)
            if progress is not None:
                progress(len(lines), len(videos))
    write_text(folder / ANNOTATIONS, "".join([*before, *lines]))
    return folder


def _lines_of_others(folder, videos):
    """Annotations of what was rendered before, is there and is not rendered now."""
    path = folder / ANNOTATIONS
    if not path.exists():
        return []
    now = {f"{split}/{index:05d}.mp4" for split, index in videos}
    lines = [line + "\n" for line in path.read_text().split("\n") if line]
    names = [json.loads(line)["video"] for line in lines]
    return [
        line
        for line, name in zip(lines, names, strict=True)
        if name not in now and (folder / name).is_file()
    ]


def _annotation(world, plan, entry, boxes):
    """The line of `annotations.jsonl` of one video, begun by `entry`."""
    entry |= world.annotation(plan)
    if boxes:
        entry["phases"] = world.phase_ranges(plan)
        # Decimals of float32 are many and say nothing.
        entry["boxes"] = np.round(world.boxes(plan).astype(float), 4).tolist()
    return json.dumps(entry) + "\n"


def check_same_world(folder, world):
    """Make the folder and note the world's configuration in it.

    Args:
        folder: `Path`.
        world: with `name` and `get_config`.

    Raises:
        ValueError: if another world is noted there, or there are files and none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "world.json"
    # It is what is written first, so that an interrupted rendering has it.
    others = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
    if others and not path.exists():
        raise ValueError(
            f"{folder} holds other files ({some_names(others)}) and no rendered world; "
            "choose an empty folder."
        )
    config = json.loads(json.dumps({"world": world.name, **world.get_config()}))
    if path.exists() and json.loads(path.read_text()) != config:
        raise ValueError(
            f"{path} describes another world; choose an empty folder or the same "
            "arguments."
        )
    write_text(path, json.dumps(config, indent=1))


def _write(world, plan, path, wav, stems):
    """The files of one video, as far as they are not there."""
    sound, parts = path.with_suffix(".wav"), path.with_suffix(".npz")
    if not path.exists():
        audio = {}
        if hasattr(world, "waveform"):
            audio = {"audio": world.waveform(plan), "sample_rate": world.sample_rate}
        frames = world.frames(plan)
        write_video(path, frames, world.fps, crf=12, keyframe_interval=12, **audio)
    if wav and not sound.exists():
        write_audio(sound, world.waveform(plan), world.sample_rate)
    if stems and not parts.exists():
        with replacing(parts) as temporary:
            np.savez(temporary, stems=world.stems(plan), sample_rate=world.sample_rate)
