"""Clips with the boxes that are known of them."""

import numpy as np

from keras_avrep.data.box_targets import in_centre_square


class BoxedClips:
    """What another sampler draws, with known boxes of the frame in each clip's middle.

    Boxes may be true, tracked or detected ones. Where there are more than slots, as
    many are drawn, the same for all clips of a video: boxes of one number are of one
    thing, as far as they are so in `boxes`.

    Args:
        sampler: such as `LinearDecaySampler`, which gives `video`.
        boxes: dict from the `video_id` of a record to a dict of `seconds` `(K,)` in
            the file, rising, and `boxes` `(K, N, 4)`, relative `y1, x1, y2, x2` in
            the whole frame, NaN where a thing is not seen; see `read_box_tracks`. A
            video that is not there has no boxes.
        num_boxes: int. Slots for boxes. Defaults to 8.
        within: float. Seconds that boxes may be from the middle of a clip, beyond
            which it has none. Defaults to 0.5.

    Returns, when called:
        What `sampler` gives, with `numbers`: float32 `boxes` `(..., num_boxes, 4)`,
        relative to the centre square that the loader decodes and cut at its edges,
        and bool `box_mask` `(..., num_boxes)`, false in slots that are left.

    Example:
    ```python
    boxes = keras_avrep.data.read_box_tracks(manifest).tracks
    clips = keras_avrep.views.LinearDecaySampler(num_frames=8, stride=1)
    sampler = keras_avrep.data.BoxedClips(clips, boxes, num_boxes=2)
    dataset = keras_avrep.data.clip_dataset(manifest.records, sampler)
    dataset[0]["boxes"].shape  # (32, 2, 2, 4)
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 2, region sources.
    """

    def __init__(self, sampler, boxes, num_boxes=8, within=0.5):
        self.sampler = sampler
        self.boxes = boxes
        self.num_boxes = num_boxes
        self.within = within

    def __call__(self, record, rng):
        sample = self.sampler(record, rng)
        times = np.asarray(sample["video"])
        middles = times[..., times.shape[-1] // 2]
        boxes = np.full((*middles.shape, self.num_boxes, 4), np.nan)
        known = self.boxes.get(record.video_id)
        if known is not None and len(known["seconds"]):
            found = self._nearest(known, middles)
            chosen = self._choose(found.shape[-2], rng)
            boxes[..., : len(chosen), :] = found[..., chosen, :]
        seen = in_centre_square(boxes, (record.width, record.height))
        seen = np.clip(seen, 0.0, 1.0)
        # Not so of NaN, too.
        mask = np.all(seen[..., :2] < seen[..., 2:], axis=-1)
        numbers = {
            "boxes": np.where(mask[..., None], seen, 0.0).astype("float32"),
            "box_mask": mask,
        }
        return {**sample, "numbers": {**sample.get("numbers", {}), **numbers}}

    def _nearest(self, known, middles):
        """Boxes `(..., N, 4)` of the nearest times, NaN where none is near."""
        gaps = np.abs(np.asarray(known["seconds"]) - middles[..., None])
        boxes = np.asarray(known["boxes"], "float64")[gaps.argmin(axis=-1)]
        near = gaps.min(axis=-1) <= self.within
        return np.where(near[..., None, None], boxes, np.nan)

    def _choose(self, count, rng):
        if count <= self.num_boxes:
            return np.arange(count)
        return np.sort(rng.permutation(count)[: self.num_boxes])
