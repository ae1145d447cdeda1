"""Which region of the other view a region is compared with."""

from keras import ops

from keras_avrep.layers import unit_length


def match_most_similar(source, target, target_mask=None):
    """For each region the most similar one of the other view of its video.

    Args:
        source: features `(batch, regions, dim)`.
        target: features `(batch, other regions, dim)`.
        target_mask: bool `(batch, other regions)`. Regions that may be chosen.
            Defaults to all.

    Returns:
        int32 tensor `(batch, regions)`; nothing can be differentiated through it.

    Example:
    ```python
    eye = keras.ops.eye(3)[None]
    match_most_similar(eye, eye)  # [[0, 1, 2]]
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 4.
    """
    source, target = unit_length(source), unit_length(target)
    similarity = ops.matmul(source, ops.transpose(target, (0, 2, 1)))
    if target_mask is not None:
        similarity = ops.where(target_mask[:, None], similarity, -float("inf"))
    return ops.cast(ops.argmax(similarity, axis=-1), "int32")


def match_same_index(source, target):
    """For each region the one of the same index.

    Args:
        source: features `(batch, regions, dim)`.
        target: features `(batch, regions, dim)`.

    Returns:
        int32 tensor `(batch, regions)`, each row `0, 1, ..., regions - 1`.

    Raises:
        ValueError: if there are not equally many.

    Example:
    ```python
    eye = keras.ops.eye(3)[None]
    match_same_index(eye, eye)  # [[0, 1, 2]]
    ```
    """
    if source.shape[1] != target.shape[1]:
        raise ValueError(
            f"There are {source.shape[1]} and {target.shape[1]} regions; matching by "
            "index needs equally many."
        )
    numbers = ops.arange(source.shape[1], dtype="int32")
    return ops.broadcast_to(numbers[None], ops.shape(source)[:2])


def match_most_overlapping(source_boxes, target_boxes, target_mask=None):
    """For each box the one of the other view that it overlaps most.

    Args:
        source_boxes: `(batch, regions, 4)`, `y1, x1, y2, x2` in coordinates that
            both views share, those of the frame before it was cropped.
        target_boxes: `(batch, other regions, 4)`.
        target_mask: bool `(batch, other regions)`. Defaults to all.

    Returns:
        int32 tensor `(batch, regions)`, and a bool tensor of the same shape: whether
        there is any overlap at all.

    Example:
    ```python
    boxes = keras.ops.array([[[0.0, 0.0, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0]]])
    match_most_overlapping(boxes, keras.ops.flip(boxes, axis=1))[0]  # [[1, 0]]
    ```
    """
    a, b = source_boxes[:, :, None], target_boxes[:, None]
    low = ops.maximum(a[..., :2], b[..., :2])
    high = ops.minimum(a[..., 2:], b[..., 2:])
    common = ops.prod(ops.maximum(high - low, 0.0), axis=-1)
    overlap = common / ops.maximum(_area(a) + _area(b) - common, 1e-12)
    if target_mask is not None:
        overlap = ops.where(target_mask[:, None], overlap, 0.0)
    found = ops.cast(ops.argmax(overlap, axis=-1), "int32")
    return found, ops.max(overlap, axis=-1) > 0


def _area(boxes):
    return ops.prod(ops.maximum(boxes[..., 2:] - boxes[..., :2], 0.0), axis=-1)
