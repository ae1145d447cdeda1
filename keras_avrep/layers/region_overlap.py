import math

import keras
from keras import ops

TARGETS = ("overlap", "iou", "gaussian", "hard")
# What a record of a clip's geometry holds, in this order.
RECORD = ("start", "stride", "frames", "y", "x", "height", "width", "flip")
EPSILON = 1e-6


@keras.saving.register_keras_serializable(package="keras_avrep")
class RegionOverlap(keras.layers.Layer):
    """How much the regions of two views of a video show the same place and time.

    A view's record is `[start, stride, frames, y, x, height, width, flip]`: time in
    frames of the video, places in fractions of its picture, `flip` 0 or 1. The
    view is cut into a grid of regions, ordered as `RegionPool` orders them. A
    flip mirrors the order of the cells, not the place of the crop.

    Args:
        grid: tuple of 3 ints. Regions along time, height and width.
        target: string. What the weights are: `"overlap"`, the share of the
            anchor's region inside the other; `"iou"`, intersection over union;
            `"gaussian"`, of the distance of centres; `"hard"`, 1 for the largest
            overlap and 0 elsewhere. Defaults to `"overlap"`.
        sigma: float. Of `"gaussian"`, in regions of the other view. Defaults to
            `0.5`.

    Call arguments:
        anchors: records `(..., 8)`.
        others: records of the same shape.

    Returns:
        Weights `(..., R, R)`, from each region of the anchor (row) to those of
        the other view, and the share `(..., R)` in [0, 1] of the anchor's region
        that the other view shows. float32, without gradient.

    Raises:
        ValueError: if `target` is unknown.

    Example:
    ```python
    local = keras.ops.array([[24.0, 1, 16, 0, 0, 1, 1, 0]])
    whole = keras.ops.array([[0.0, 4, 16, 0, 0, 1, 1, 0]])
    weights, share = RegionOverlap((2, 1, 1))(local, whole)  # [[1, 0], [0, 1]], [1, 1]
    ```

    Reference: note of Controllable Augmentations (arXiv:2203.16632), section 4.2.
    """

    def __init__(self, grid, target="overlap", sigma=0.5, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        if target not in TARGETS:
            raise ValueError(f"`target` must be one of {TARGETS}, got {target!r}.")
        self.grid = tuple(grid)
        self.target = target
        self.sigma = sigma

    def call(self, anchors, others):
        shape = anchors.shape[1:-1]
        regions = math.prod(self.grid)
        pairs = list(
            zip(
                region_intervals(ops.reshape(anchors, (-1, len(RECORD))), self.grid),
                region_intervals(ops.reshape(others, (-1, len(RECORD))), self.grid),
                strict=True,
            )
        )
        overlap = _outer([containment(a, b) for a, b in pairs])
        share = ops.sum(overlap, axis=-1)
        weights = self._weights(overlap, pairs)
        weights = ops.reshape(weights, (-1, *shape, regions, regions))
        share = ops.reshape(ops.clip(share, 0.0, 1.0), (-1, *shape, regions))
        return ops.stop_gradient(weights), ops.stop_gradient(share)

    def _weights(self, overlap, pairs):
        if self.target == "overlap":
            return overlap
        if self.target == "iou":
            return _intersection_over_union(overlap, pairs)
        if self.target == "gaussian":
            return _outer([_closeness(a, b, self.sigma) for a, b in pairs])
        best = ops.one_hot(ops.argmax(overlap, axis=-1), overlap.shape[-1])
        return ops.where(overlap > 0, best, 0.0)

    def compute_output_shape(self, anchors_shape, others_shape=None):
        regions = math.prod(self.grid)
        shape = (*anchors_shape[:-1], regions)
        return (*shape, regions), shape

    def get_config(self):
        return {
            **super().get_config(),
            "grid": self.grid,
            "target": self.target,
            "sigma": self.sigma,
        }


def time_overlap(anchors, others, slots):
    """Share of each time slot of one view that lies in each slot of another.

    Args:
        anchors: records `(..., 8)`; see `RegionOverlap`.
        others: records of the same shape.
        slots: int. Equal parts of a view's time.

    Returns:
        Weights `(..., slots, slots)` and their sums `(..., slots)` in [0, 1].

    Example:
    ```python
    local = keras.ops.array([[28.0, 1, 16, 0, 0, 1, 1, 0]])
    whole = keras.ops.array([[0.0, 4, 16, 0, 0, 1, 1, 0]])
    time_overlap(local, whole, 2)[0]  # [[[0.5, 0.5], [0, 1]]]
    ```
    """
    grid = (slots, 1, 1)
    weights = containment(
        region_intervals(anchors, grid)[0], region_intervals(others, grid)[0]
    )
    share = ops.clip(ops.sum(weights, axis=-1), 0.0, 1.0)
    return ops.stop_gradient(weights), ops.stop_gradient(share)


def region_intervals(records, grid):
    """Where the cells of views are along time, height and width.

    Args:
        records: `(..., 8)`; see `RegionOverlap`.
        grid: tuple of 3 ints.

    Returns:
        Three pairs of starts and ends, each `(..., cells)`, in the order of the
        map's cells: from the right for a view that is flipped.
    """
    records = ops.cast(records, "float32")
    start, stride, frames, y, x, height, width, flip = (
        records[..., i : i + 1] for i in range(len(RECORD))
    )
    time = _cells(start, stride * frames, grid[0])
    rows = _cells(y, height, grid[1])
    columns = _cells(x, width, grid[2])
    mirrored = [ops.flip(side, axis=-1) for side in columns]
    columns = [
        ops.where(flip > 0.5, m, c) for m, c in zip(mirrored, columns, strict=True)
    ]
    return time, rows, columns


def _cells(start, length, count):
    """Starts and ends of equal parts of an interval."""
    places = ops.arange(count, dtype="float32")
    return start + places * length / count, start + (places + 1) * length / count


def containment(anchors, others):
    """Share of each interval that lies in each other one, `(..., cells, cells)`."""
    length = (anchors[1] - anchors[0])[..., None]
    return _intersection(anchors, others) / ops.maximum(length, EPSILON)


def _intersection(anchors, others):
    start = ops.maximum(anchors[0][..., :, None], others[0][..., None, :])
    end = ops.minimum(anchors[1][..., :, None], others[1][..., None, :])
    return ops.maximum(end - start, 0.0)


def _closeness(anchors, others, sigma):
    first, second = (ops.add(*side) / 2 for side in (anchors, others))
    length = ops.maximum(others[1] - others[0], EPSILON)[..., None, :]
    distance = (first[..., :, None] - second[..., None, :]) / length
    return ops.exp(-0.5 * ops.square(distance / sigma))


def _intersection_over_union(overlap, pairs):
    """From shares of the anchors; volumes in units of the anchors' own."""
    sizes = [
        (b[1] - b[0])[..., None, :] / ops.maximum(a[1] - a[0], EPSILON)[..., :, None]
        for a, b in pairs
    ]
    return overlap / ops.maximum(1.0 + _outer(sizes) - overlap, EPSILON)


def _outer(axes):
    """Weights of regions from those of their three axes."""
    time, rows, columns = axes
    product = (
        time[:, :, None, None, :, None, None]
        * rows[:, None, :, None, None, :, None]
        * columns[:, None, None, :, None, None, :]
    )
    regions = time.shape[1] * rows.shape[1] * columns.shape[1]
    others = time.shape[2] * rows.shape[2] * columns.shape[2]
    return ops.reshape(product, (-1, regions, others))
