"""Pictures of the world `orchestra`, and where its instruments are in them."""

import numpy as np

from keras_avrep.worlds.mixing import loudness


def render_frames(world, plan):
    """The pictures of a plan, as of `OrchestraWorld.frames`."""
    canvas = np.zeros((world.size, world.size, 3))
    for area in plan["scenes"]:
        rows, columns = _pixels(world, area["cell"])
        shape = rows.stop - rows.start, columns.stop - columns.start
        canvas[rows, columns] = world.sources.paint_scene(area["scene"], *shape)
    images = np.repeat(canvas[None], world.num_frames, axis=0)
    for _, t, rows, columns, mask, colors in _painted(world, plan):
        part = images[t, rows, columns]
        images[t, rows, columns] = part + (colors - part) * mask[..., None]
    return np.clip(np.rint(images * 255), 0, 255).astype(np.uint8)


def render_masks(world, plan):
    """The masks of a plan, as of `OrchestraWorld.object_masks`."""
    shape = len(_seen(plan)), world.num_frames, world.size, world.size
    masks = np.zeros(shape, np.float32)
    for number, t, rows, columns, mask, _ in _painted(world, plan):
        masks[number, t, rows, columns] = mask
    return masks


def tight_boxes(masks):
    """Boxes around what is covered by half or more.

    Args:
        masks: array `(..., H, W)` in [0, 1].

    Returns:
        float64 array `(..., 4)` of relative `y1, x1, y2, x2`; zeros where nothing
        is covered.

    Example:
    ```python
    tight_boxes(np.eye(4)[None, 1:3])  # [[0.0, 0.25, 1.0, 0.75]]
    ```
    """
    covered = np.asarray(masks) >= 0.5
    height, width = covered.shape[-2:]
    boxes = np.zeros((*covered.shape[:-2], 4))
    for place in np.ndindex(covered.shape[:-2]):
        rows = np.flatnonzero(covered[place].any(axis=1))
        columns = np.flatnonzero(covered[place].any(axis=0))
        if len(rows):
            top, bottom = rows[0] / height, (rows[-1] + 1) / height
            left, right = columns[0] / width, (columns[-1] + 1) / width
            boxes[place] = top, left, bottom, right
    return boxes


def _painted(world, plan):
    """Objects in every frame: number, frame, rows, columns, mask, colours."""
    for number, source in enumerate(_seen(plan)):
        rows, columns = _pixels(world, source["cell"])
        shape = rows.stop - rows.start, columns.stop - columns.start
        previous = None
        for t, growth in enumerate(_growth(world, source)):
            if growth != previous:
                painted = world.sources.paint(
                    source["class"], source["look"], *shape, growth
                )
                previous = growth
            yield number, t, rows, columns, *painted


def _growth(world, source):
    """Relative size of an object in each frame."""
    if not (world.pulse and source["sounding"]):
        return np.ones(world.num_frames)
    level = loudness(world.solo_sound(source), world.num_frames)
    return 1 + world.pulse * level


def _seen(plan):
    return [source for source in plan["sources"] if source["on_screen"]]


def _pixels(world, cell):
    y1, x1, y2, x2 = (round(c * world.size) for c in cell)
    return slice(y1, y2), slice(x1, x2)
