"""Following one thing through a video, frame by frame, with a Siamese tracker."""

from dataclasses import dataclass

import numpy as np

STRIDE = 8


@dataclass(frozen=True)
class TrackingSettings:
    """How a tracker searches.

    Args:
        num_scales: int, odd. Sizes tried in each frame. Defaults to 3.
        scale_step: float. From one to the next. Defaults to 1.0375.
        scale_penalty: float. Factor of responses at another size. Defaults to
            0.9745.
        scale_rate: float. Share of a new size that is taken on. Defaults to 0.59.
        window: float. Share of the Hann window in the response. Defaults to 0.176.
        upsample: int. Finer places in a response. Defaults to 16.
        context: float. Of the mean side, added around a target. Defaults to 0.5.

    Reference: note of ConST-CL (arXiv:2112.05181), section 6.
    """

    num_scales: int = 3
    scale_step: float = 1.0375
    scale_penalty: float = 0.9745
    scale_rate: float = 0.59
    window: float = 0.176
    upsample: int = 16
    context: float = 0.5


def track(tracker, frames, box, settings=None):
    """Boxes of one thing in all frames; the template is never updated.

    Args:
        tracker: `SiameseTracker`.
        frames: array `(T, H, W, 3)` of pixels, 0 to 255, or anything that gives one
            frame after the other; only one is held. `None` stands for a frame that
            cannot be read.
        box: 4 floats, `left, top, width, height` in pixels, in the first frame.
        settings: `TrackingSettings`. Defaults to those of the recipe.

    Returns:
        float array `(T, 4)` of such boxes, the given one first; not a number where
        there is no frame.

    Raises:
        ValueError: if there is no first frame.

    Example:
    ```python
    boxes = track(tracker, frames, (20, 12, 16, 16))
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 6.
    """
    settings = settings or TrackingSettings()
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise ValueError("`frames` has no first frame, in which the box would be.")
    state = _State(tracker, np.asarray(first), box, settings)
    boxes = [np.asarray(box, "float64")]
    for frame in frames:
        if frame is None:
            boxes.append(np.full(4, np.nan))
            continue
        state.follow(np.asarray(frame))
        boxes.append(state.box())
    return np.stack(boxes)


class _State:
    """Where the target is, how large, and what it looks like."""

    def __init__(self, tracker, frame, box, settings):
        left, top, width, height = (float(x) for x in box)
        self.tracker, self.settings = tracker, settings
        self.centre = np.array([top + (height - 1) / 2, left + (width - 1) / 2])
        self.size = np.array([height, width])
        self.side = context_side(self.size, settings.context)
        self.limits = 0.2 * self.side, 5.0 * self.side
        middle = settings.num_scales // 2
        self.scales = settings.scale_step ** (
            np.arange(settings.num_scales, dtype="float64") - middle
        )
        self.penalties = np.where(self.scales == 1, 1.0, settings.scale_penalty)
        crop = context_crop(frame, self.centre, self.side, tracker.exemplar_size)
        template = np.asarray(tracker.template.predict_on_batch(crop[None]))
        self.template = np.repeat(template, settings.num_scales, axis=0)

    def follow(self, frame):
        """Move to where the response is largest."""
        settings, tracker = self.settings, self.tracker
        wide = self.side * tracker.search_size / tracker.exemplar_size
        crops = [
            context_crop(frame, self.centre, wide * scale, tracker.search_size)
            for scale in self.scales
        ]
        inputs = {"search": np.stack(crops), "template": self.template}
        responses = np.asarray(tracker.search.predict_on_batch(inputs), "float64")
        fine = [upsample(response, settings.upsample) for response in responses]
        # A response below zero must not gain by being made smaller.
        fine = np.stack(fine) - np.min(fine)
        fine *= self.penalties[:, None, None]
        best = int(fine.max(axis=(1, 2)).argmax())
        cells = self._windowed(fine[best])
        pixels = cells * STRIDE / settings.upsample
        self.centre += pixels * wide * self.scales[best] / tracker.search_size
        self._resize(self.scales[best])

    def _windowed(self, response):
        """Offset of the largest place from the middle, in fine cells."""
        # Of this scale alone: what another one is below zero says nothing of places.
        response = response - response.min()
        response = response / (response.sum() + 1e-16)
        window = np.outer(*(np.hanning(n) for n in response.shape))
        share = self.settings.window
        response = (1 - share) * response + share * window / window.sum()
        place = np.unravel_index(response.argmax(), response.shape)
        return np.array(place) - (np.array(response.shape) - 1) / 2

    def _resize(self, scale):
        rate = self.settings.scale_rate
        factor = (1 - rate) + rate * scale
        factor = np.clip(self.side * factor, *self.limits) / self.side
        self.size, self.side = self.size * factor, self.side * factor

    def box(self):
        """`left, top, width, height`."""
        corner = self.centre - (self.size - 1) / 2
        return np.array([corner[1], corner[0], self.size[1], self.size[0]])


def training_pair(tracker, exemplar, search, shift, context=0.5):
    """What a tracker is shown of a target in two frames, the second off its middle.

    Args:
        tracker: `SiameseTracker`.
        exemplar: frame `(H, W, 3)` and its box `left, top, width, height` in pixels.
        search: another frame and its box.
        shift: 2 floats, `y, x`. Where the target is to lie from the centre of the
            search image, in pixels of it.
        context: float. Of the mean side, added around a target. Defaults to 0.5.

    Returns:
        Exemplar and search image, float32.

    Example:
    ```python
    box = (20, 12, 16, 16)
    training_pair(tracker, (frames[0], box), (frames[4], box), shift=(8, 0))
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 6.
    """
    sizes = (tracker.exemplar_size, tracker.search_size)
    crops = []
    for (frame, box), size, offset in zip(
        (exemplar, search), sizes, (np.zeros(2), np.asarray(shift)), strict=True
    ):
        left, top, width, height = (float(x) for x in box)
        side = context_side((height, width), context) * size / tracker.exemplar_size
        centre = np.array([top + (height - 1) / 2, left + (width - 1) / 2])
        crops.append(context_crop(frame, centre - offset * side / size, side, size))
    return crops


def context_side(size, context=0.5):
    """Side of the square around a target, `size` being its height and width."""
    return float(np.sqrt(np.prod(np.asarray(size) + context * np.sum(size))))


def context_crop(frame, centre, side, size):
    """A square of a frame, resized; what lies outside has the frame's mean colour.

    Args:
        frame: array `(H, W, 3)`.
        centre: 2 floats, `y, x` in pixels; whole numbers are centres of pixels.
        side: float. Side of the square in pixels of the frame.
        size: int. Pixels of the result.

    Returns:
        float32 array `(size, size, 3)`.

    Example:
    ```python
    exemplar = context_crop(frame, (32, 40), side=30.0, size=120)
    ```
    """
    frame = np.asarray(frame, "float32")
    offsets = (np.arange(size) + 0.5) / size * side - side / 2
    weights, inside = zip(
        *(
            _sampling(centre[axis] + offsets, frame.shape[axis], side / size)
            for axis in (0, 1)
        ),
        strict=True,
    )
    crop = np.einsum("ih,hwc->iwc", weights[0], frame)
    crop = np.einsum("jw,iwc->ijc", weights[1], crop)
    inside = inside[0][:, None, None] & inside[1][None, :, None]
    return np.where(inside, crop, frame.mean((0, 1))).astype("float32")


def _sampling(places, length, step):
    """Weights `(places, length)`, antialiased, and which places are inside."""
    distance = np.abs(places[:, None] - np.arange(length))
    weights = np.maximum(1 - distance / max(step, 1.0), 0)
    inside = (places >= -0.5) & (places <= length - 0.5)
    weights[inside] /= weights[inside].sum(axis=1, keepdims=True)
    return weights.astype("float32"), inside


def upsample(response, factor):
    """A response with `factor` times as many places along each side, cubic."""
    from scipy.ndimage import zoom

    return zoom(response, factor, order=3, mode="nearest", grid_mode=True)
