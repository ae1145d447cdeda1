"""Boxes in views, and where they lie in the frame that was cropped."""

from keras import ops, random

# Boxes end a little before the edge.
END = 0.999
# Of a known box at least this share of the area is seen in a view that has it.
LEAST_SEEN = 0.25


def draw_boxes(
    batch,
    num_boxes,
    seed,
    width=(0.1, 0.5),
    aspect=(0.5, 2.0),
    min_side=0.01,
    shared_draw=False,
):
    """Draw boxes: a uniform corner, a uniform width, a height by aspect.

    What lies beyond the edge is cut off; where less than `min_side` would be left,
    the corner moves in.

    Args:
        batch: int. Number of clips.
        num_boxes: int. Boxes of each.
        seed: SeedGenerator.
        width: range of the width, relative. Defaults to (0.1, 0.5).
        aspect: range of height by width. Defaults to (0.5, 2).
        min_side: float. Least side, relative. Defaults to `0.01`.
        shared_draw: bool. Whether one number makes all four of a box, which puts
            every box on the diagonal: what the released code very likely does, as
            all its draws have one seed. Defaults to `False`.

    Returns:
        float32 tensor `(batch, num_boxes, 4)`: relative `y1, x1, y2, x2`.

    Example:
    ```python
    draw_boxes(2, 8, keras.random.SeedGenerator(0)).shape  # (2, 8, 4)
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 2.
    """
    draws = random.uniform((4, batch, num_boxes), seed=seed)
    if shared_draw:
        draws = ops.broadcast_to(draws[:1], ops.shape(draws))
    wide = width[0] + (width[1] - width[0]) * draws[2]
    high = wide * (aspect[0] + (aspect[1] - aspect[0]) * draws[3])
    y2 = ops.minimum(draws[0] + high, END)
    x2 = ops.minimum(draws[1] + wide, END)
    y1 = ops.minimum(draws[0], y2 - min_side)
    x1 = ops.minimum(draws[1], x2 - min_side)
    return ops.stack([y1, x1, y2, x2], axis=-1)


def boxes_in_frame(boxes, crops, flips):
    """Where boxes of cropped views lie in the whole frame.

    Args:
        boxes: `(batch, boxes, 4)`, relative to the view.
        crops: `(batch, 4)`, relative to the frame; see `augment.draw_crops`.
        flips: bool `(batch,)`. Whether the view is mirrored.

    Returns:
        Tensor `(batch, boxes, 4)`: `y1, x1, y2, x2` relative to the frame.

    Example:
    ```python
    half = keras.ops.array([[0.0, 0.0, 0.5, 0.5]])
    boxes_in_frame(half[None], half, keras.ops.array([False]))  # 0, 0, 0.25, 0.25
    ```
    """
    boxes, crops = ops.convert_to_tensor(boxes), ops.convert_to_tensor(crops)
    y1, x1, y2, x2 = (boxes[..., i] for i in range(4))
    flips = ops.convert_to_tensor(flips)[:, None]
    x1, x2 = ops.where(flips, 1.0 - x2, x1), ops.where(flips, 1.0 - x1, x2)
    # No `crops[:, 0, None]`: TensorFlow's graph optimiser loses the new axis of that.
    top, left, bottom, right = (crops[:, i : i + 1] for i in range(4))
    height, width = bottom - top, right - left
    return ops.stack(
        [
            top + y1 * height,
            left + x1 * width,
            top + y2 * height,
            left + x2 * width,
        ],
        axis=-1,
    )


def boxes_in_view(boxes, crops, flips, mask, least_seen=LEAST_SEEN, min_side=0.01):
    """Where boxes of whole frames lie in cropped views.

    Args:
        boxes: `(batch, boxes, 4)`, `y1, x1, y2, x2` relative to the frame.
        crops: `(batch, 4)`, relative to the frame; see `augment.draw_crops`.
        flips: bool `(batch,)`. Whether the view is mirrored.
        mask: bool `(batch, boxes)`. Slots that hold a box.
        least_seen: float. Share of a box's area that has to be left. Defaults to
            0.25.
        min_side: float. Least side, relative to the view. Defaults to `0.01`.

    Returns:
        Tensor `(batch, boxes, 4)` relative to the view, cut at its edges, zeros in
        slots without a box, and a bool tensor `(batch, boxes)`: which hold one that
        is seen.

    Example:
    ```python
    half, mask = keras.ops.array([[0.0, 0.0, 0.5, 0.5]]), keras.ops.array([[True]])
    boxes_in_view(half[None], half, keras.ops.array([False]), mask)[0]  # 0, 0, .999, …
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 2.
    """
    boxes, crops = ops.convert_to_tensor(boxes), ops.convert_to_tensor(crops)
    flips, mask = ops.convert_to_tensor(flips)[:, None], ops.convert_to_tensor(mask)
    y1, x1, y2, x2 = (boxes[..., i] for i in range(4))
    top, left, bottom, right = (crops[:, i : i + 1] for i in range(4))
    y1, y2 = ((y - top) / (bottom - top) for y in (y1, y2))
    x1, x2 = ((x - left) / (right - left) for x in (x1, x2))
    x1, x2 = ops.where(flips, 1.0 - x2, x1), ops.where(flips, 1.0 - x1, x2)
    area = (y2 - y1) * (x2 - x1)
    y1, x1, y2, x2 = (ops.clip(side, 0.0, END) for side in (y1, x1, y2, x2))
    high, wide = y2 - y1, x2 - x1
    # Whole boxes lose a little at the edge.
    large = high * wide >= least_seen * area
    seen = mask & large & (high >= min_side) & (wide >= min_side)
    cut = ops.stack([y1, x1, y2, x2], axis=-1)
    return ops.where(seen[..., None], cut, 0.0), seen
