"""A world cut into seconds, in the layout that MUSIC is published in."""

import json
from pathlib import Path

from keras_avrep.data import write_audio
from keras_avrep.data.files import replacing, write_text
from keras_avrep.worlds.render import check_same_world

# Pictures are numbered like the frames of a video that shows so many a second.
PICTURE_RATE = 30


def render_seconds(world, folder, counts, progress=None):
    """Write a world as one sound and some pictures for each second of its videos.

    `wav_frames/NAME/SSS.wav` is the sound of second SSS and
    `video_frames/NAME/frame_SSS/FFFFF.jpg` a picture shown in it, FFFFF its number
    in a video of 30 frames a second. NAME is `SPLIT00000_0_1000`: the video
    `SPLIT00000`. `MUSIC_KIND_videos.json` has the videos of each class, `SPLIT.txt`
    the names of each split, `KINDtest.json` the boxes of what sounds in the pictures
    of the test split, `classes.txt` the classes that they number, one a line. What
    is silent or unseen is not told, as in the published boxes. What is left of a
    second is not written. Splits may be written one after the other.

    Args:
        world: `OrchestraWorld`.
        folder: where to.
        counts: dict from split to number of videos.
        progress: called with (videos done, videos in all). Defaults to `None`.

    Returns:
        Path of the folder.

    Raises:
        ValueError: if the videos are shorter than a second, or the folder holds a
            world with another configuration, or other files.

    Example:
    ```python
    world = keras_avrep.worlds.OrchestraWorld("duet", seconds=3)
    render_seconds(world, "cut", {"train": 4, "test": 2})
    manifest = keras_avrep.data.read_music_solo("cut", pairs="cut/test.txt")
    ```

    Reference: note of CSOL (arXiv:2112.11749), section 2.2.
    """
    if world.seconds < 1:
        raise ValueError(
            f"`seconds` of the world is {world.seconds}; there is no whole second to "
            "cut."
        )
    folder = Path(folder)
    check_same_world(folder, world)
    write_text(folder / "classes.txt", "".join(f"{c}\n" for c in world.classes))
    labels = folder / f"MUSIC_{world.kind}_videos.json"
    videos = _read_json(labels).get("videos", {})
    boxes = _read_json(folder / f"{world.kind}test.json")
    done, total = 0, sum(counts.values())
    for split, count in counts.items():
        if not count:
            continue
        names = [f"{split}{index:05d}_0_1000" for index in range(count)]
        lines = "".join(f"{name}.flac {name}.mp4\n" for name in names)
        write_text(folder / f"{split}.txt", lines)
        for index, name in enumerate(names):
            plan = world.plan(split, index)
            _write(world, plan, folder, name)
            truth = world.annotation(plan)
            label = truth["labels"]["class"].replace("+", " ")
            _add(videos.setdefault(label, []), f"{split}{index:05d}")
            if split == "test":
                boxes |= _boxes(world, truth, name)
            done += 1
            if progress is not None:
                progress(done, total)
    _write_json(labels, {"videos": videos})
    if boxes:
        _write_json(folder / f"{world.kind}test.json", boxes)
    return folder


def _write(world, plan, folder, name):
    """The files of one video; the sounds come last, so they say that all is there."""
    from PIL import Image

    sounds = folder / "wav_frames" / name
    paths = [sounds / f"{second:03d}.wav" for second in range(int(world.seconds))]
    if all(path.exists() for path in paths):
        return
    frames = world.frames(plan)
    for index, place in _pictures(world):
        with replacing(folder / "video_frames" / name / place) as temporary:
            image = Image.fromarray(frames[index])
            image.save(temporary, quality=95, subsampling=0)
    waveform, rate = world.waveform(plan), world.sample_rate
    for second, path in enumerate(paths):
        write_audio(path, waveform[second * rate : (second + 1) * rate], rate)


def _pictures(world):
    """Pairs of a frame and where it is written, of those in whole seconds."""
    rate = max(PICTURE_RATE, world.fps)
    for index in range(world.num_frames):
        number = round(index * rate / world.fps)
        second = int(number // rate)
        if second < int(world.seconds):
            yield index, f"frame_{second:03d}/{number:05d}.jpg"


def _boxes(world, truth, name):
    """The boxes of each picture of a video, as the published files have them."""
    seen = [s for s in truth["sources"] if s["sounding"] and s["on_screen"]]
    return {
        f"{name}/{place}": {
            "bbox": [_box(source, index, world.size) for source in seen],
            "wdith": world.size,  # so spelt in the published files
            "height": world.size,
        }
        for index, place in _pictures(world)
    }


def _box(source, index, size):
    y1, x1, y2, x2 = source["boxes"][index]
    place = [x1, y1, x2 - x1, y2 - y1]
    return {
        "box": [round(value * size, 2) for value in place],
        "normbox": [round(value, 6) for value in place],
        "category_id": source["class_id"],
    }


def _add(names, name):
    if name not in names:
        names.append(name)


def _read_json(path):
    return json.loads(path.read_text()) if path.exists() else {}


def _write_json(path, content):
    write_text(path, json.dumps(content, indent=1) + "\n")
