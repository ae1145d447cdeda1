"""Where a model sees the sound, batch after batch: metrics of Keras."""

import keras
from keras import ops

from keras_avrep.evaluation.localization import SHARES, SILENT_BELOW, THRESHOLD


class _OverlapMetric(keras.metrics.Metric):
    """How many frames reach each of some overlaps.

    Args:
        levels: list of floats in [0, 1].
        threshold: float. Of a map's maximum.
    """

    def __init__(self, levels, threshold, name=None, dtype="float32"):
        super().__init__(name=name, dtype=dtype)
        self.levels = [float(level) for level in levels]
        self.threshold = threshold
        self.reached = self.add_variable((len(self.levels),), "zeros", name="reached")
        self.frames = self.add_variable((), "zeros", name="frames")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count some frames.

        Args:
            y_true: bool or float tensor `(B, H, W)`, what the boxes cover; or
                `(B, H, W, K)`, a mask for each class. See
                `keras_avrep.evaluation.box_mask` and `class_masks`. Frames without
                any are passed over.
            y_pred: tensor `(B, h, w)` or `(B, h, w, K)`, maps of any size.
            sample_weight: tensor `(B,)`. Defaults to `None`, 1 each.
        """
        overlaps, known = frame_overlaps(y_pred, y_true, self.threshold)
        weights = frame_weights(known, sample_weight)
        # A little less, as float32 has 0.3 slightly above 3 / 10.
        levels = ops.convert_to_tensor(self.levels, "float32") - 1e-6
        reached = ops.cast(overlaps[:, None] >= levels, "float32")
        self.reached.assign(self.reached + ops.sum(reached * weights[:, None], axis=0))
        self.frames.assign(self.frames + ops.sum(weights))

    def shares(self):
        """The share of frames that reach each level; NaN before there is one."""
        return share_of(ops.convert_to_tensor(self.reached), self.frames)

    def get_config(self):
        return {**super().get_config(), "threshold": self.threshold}


@keras.saving.register_keras_serializable(package="keras_avrep")
class LocalizationIoU(_OverlapMetric):
    """The share of frames in which a map covers what its boxes cover.

    The measure of `localization_scores` in float32 and constant memory, for sets whose
    maps are too many to keep, and on any backend.

    Args:
        at: float. The overlap that counts as found. Defaults to 0.5.
        threshold: float. Of a map's maximum, above which it is positive. Defaults to
            0.1, as for solos.
        name: string. Defaults to `"localization_iou"`.
        dtype: see `keras.metrics.Metric`. Defaults to `"float32"`.

    Returns:
        float32 scalar; NaN as long as no frame has a box.

    Raises:
        ValueError: if `at` is not in (0, 1].

    Example:
    ```python
    metric = LocalizationIoU(at=0.5)
    metric.update_state(masks, maps)
    float(metric.result())
    ```

    Reference: CSOL (arXiv:2112.11749), note section 6. The measure saturates: read
    it beside `localization_floors`.
    """

    def __init__(
        self, at=0.5, threshold=THRESHOLD, name="localization_iou", dtype="float32"
    ):
        if not 0 < at <= 1:
            raise ValueError(f"`at` is {at}; give a number above 0, at most 1.")
        super().__init__([at], threshold, name, dtype)
        self.at = at

    def result(self):
        return self.shares()[0]

    def get_config(self):
        return {**super().get_config(), "at": self.at}


@keras.saving.register_keras_serializable(package="keras_avrep")
class ClassAwareIoU(LocalizationIoU):
    """The share of frames in which the maps of classes cover their boxes.

    As `LocalizationIoU`, where the overlap of a frame is the mean over the classes
    that have a box.

    Args:
        at: float. Defaults to 0.3.
        threshold: float. Defaults to 0.5, as for composites.
        name: string. Defaults to `"class_aware_iou"`.
        dtype: see `keras.metrics.Metric`. Defaults to `"float32"`.

    Returns:
        float32 scalar.

    Raises:
        ValueError: if `at` is not in (0, 1].

    Example:
    ```python
    metrics = [ClassAwareIoU(), NoSoundingArea()]
    for inputs, masks in batches:
        maps = localiser.predict_on_batch(inputs)["class_maps"]
        for metric in metrics:
            metric.update_state(masks, maps)
    ```

    Reference: CSOL (arXiv:2112.11749), note section 6.
    """

    def __init__(self, at=0.3, threshold=0.5, name="class_aware_iou", dtype="float32"):
        super().__init__(at, threshold, name, dtype)


@keras.saving.register_keras_serializable(package="keras_avrep")
class LocalizationAUC(_OverlapMetric):
    """The area under the share of frames that reach an overlap of 0, 0.05 … 1.

    Args:
        threshold: float. Of a map's maximum. Defaults to 0.1.
        name: string. Defaults to `"localization_auc"`.
        dtype: see `keras.metrics.Metric`. Defaults to `"float32"`.

    Returns:
        float32 scalar.

    Example:
    ```python
    metric = LocalizationAUC(threshold=0.5)
    metric.update_state(class_masks, class_maps)
    ```

    Reference: CSOL (arXiv:2112.11749), note section 6.
    """

    def __init__(self, threshold=THRESHOLD, name="localization_auc", dtype="float32"):
        super().__init__(SHARES, threshold, name, dtype)

    def result(self):
        shares = self.shares()
        return ops.mean((shares[1:] + shares[:-1]) / 2)


@keras.saving.register_keras_serializable(package="keras_avrep")
class NoSoundingArea(keras.metrics.Metric):
    """How much of the maps of classes without a box is left alone.

    Args:
        silent_below: float. A place of a map at or below it is left alone. Defaults
            to 0.2.
        name: string. Defaults to `"no_sounding_area"`.
        dtype: see `keras.metrics.Metric`. Defaults to `"float32"`.

    Returns:
        float32 scalar: the mean over frames that have both a box and a class without
        one; NaN as long as there is none.

    Example:
    ```python
    metric = NoSoundingArea()
    metric.update_state(class_masks, class_maps)
    ```

    Reference: CSOL (arXiv:2112.11749), note section 6. A uniform softmax over 5 or
    more classes gets 1.
    """

    def __init__(
        self, silent_below=SILENT_BELOW, name="no_sounding_area", dtype="float32"
    ):
        super().__init__(name=name, dtype=dtype)
        self.silent_below = silent_below
        self.area = self.add_variable((), "zeros", name="area")
        self.frames = self.add_variable((), "zeros", name="frames")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Count some frames.

        Args:
            y_true: bool or float tensor `(B, H, W, K)`, a mask for each class.
            y_pred: tensor `(B, h, w, K)`, softmax over the classes at every place.
            sample_weight: tensor `(B,)`. Defaults to `None`, 1 each.
        """
        masks = ops.cast(y_true, "bool")
        maps = _resized(ops.cast(y_pred, "float32"), masks)
        silent = ops.logical_not(ops.any(masks, axis=(1, 2)))
        counted = ops.cast(silent, "float32")
        alone = ops.cast(maps <= self.silent_below, "float32")
        number = ops.sum(counted, axis=-1)
        area = ops.sum(ops.mean(alone, axis=(1, 2)) * counted, axis=-1)
        known = ops.logical_and(number > 0, number < masks.shape[-1])
        weights = frame_weights(known, sample_weight)
        share = area / ops.maximum(number, 1.0)
        self.area.assign(self.area + ops.sum(share * weights))
        self.frames.assign(self.frames + ops.sum(weights))

    def result(self):
        return share_of(self.area, self.frames)

    def get_config(self):
        return {**super().get_config(), "silent_below": self.silent_below}


def frame_overlaps(maps, masks, threshold):
    """The overlap of each frame: the mean over its maps that have a mask.

    Args:
        maps: tensor `(B, h, w)` or `(B, h, w, K)`.
        masks: tensor `(B, H, W)` or `(B, H, W, K)`.
        threshold: float. Of a map's maximum; only what is above counts.

    Returns:
        float32 tensor `(B,)`, and bool `(B,)`, whether a frame has a mask.
    """
    maps, masks = ops.cast(maps, "float32"), ops.cast(masks, "bool")
    if len(masks.shape) == 3:
        maps, masks = maps[..., None], masks[..., None]
    maps = _resized(maps, masks)
    positive = maps > threshold * ops.max(maps, axis=(1, 2), keepdims=True)
    right = _area(ops.logical_and(positive, masks))
    wrong = _area(ops.logical_and(positive, ops.logical_not(masks)))
    true = _area(masks)
    present = ops.cast(true > 0, "float32")
    each = present * right / ops.maximum(true + wrong, 1.0)
    number = ops.sum(present, axis=-1)
    return ops.sum(each, axis=-1) / ops.maximum(number, 1.0), number > 0


def _resized(maps, masks):
    return ops.image.resize(
        maps, masks.shape[1:3], "bilinear", data_format="channels_last"
    )


def _area(masks):
    return ops.sum(ops.cast(masks, "float32"), axis=(1, 2))


def frame_weights(known, sample_weight):
    """Weights `(B,)` of frames, 0 for those that are passed over."""
    weights = ops.cast(known, "float32")
    if sample_weight is None:
        return weights
    return weights * ops.cast(sample_weight, "float32")


def share_of(part, whole):
    """A quotient; NaN where the whole is 0."""
    whole = ops.convert_to_tensor(whole)
    return ops.where(whole > 0, part / ops.maximum(whole, 1e-12), float("nan"))
