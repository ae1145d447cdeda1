import keras
from keras import ops

from keras_avrep.views import (
    PairedClipViews,
    boxes_in_frame,
    boxes_in_view,
    draw_boxes,
)

# What of a batch is for the views.
NAMES = ("video", "boxes", "box_mask")


@keras.saving.register_keras_serializable(package="keras_avrep")
class ConSTCLViews(PairedClipViews):
    """From two clips of each video to two views with boxes in each.

    Boxes are random, or those that come with the clips: of a detector, say.

    The two are treated unlike: the first is always blurred and never solarised,
    the second is blurred and solarised now and then.

    Args:
        size: int. Height and width of the views, in pixels. Defaults to `224`.
        crop_scale: range of the crop's share of the area. Defaults to (0.3, 1).
        crop_ratio: range of its aspect ratio. Defaults to (0.5, 2).
        flip: float. Probability of a horizontal flip; 0 where direction is
            what is to be learned. Defaults to `0.5`.
        jitter: float. Probability of colour jitter. Defaults to `0.8`.
        gray: float. Probability of a gray clip. Defaults to `0.2`.
        blur: 2 floats. Probability of Gaussian blur of the first and the second
            view. Defaults to (1, 0.1).
        solarise: 2 floats. Probability of solarising either. Defaults to
            (0, 0.2).
        num_boxes: int. Random boxes of each view. Defaults to `8`.
        shared_draw: bool. Whether one number makes a whole box, as the released
            code very likely does; see `draw_boxes`. Defaults to `False`.
        seed: int. Defaults to `None`.

    Call arguments:
        batch: dict with `video` uint8 `(B, 2, T, H, W, 3)`. With `boxes`
            `(B, 2, N, 4)`, relative to the frame, and `box_mask` bool `(B, 2, N)`,
            as `BoxedClips` gives, no boxes are drawn.

    Returns:
        Dict of `video` float32 `(B, 2, T, size, size, 3)`, `boxes` `(B, 2, N, 4)`
        relative to the view, `frame_boxes`, the same relative to the frame before
        cropping, and `box_mask` bool `(B, 2, N)`, all true of random boxes. Known
        boxes of which a view shows less than a quarter are zeros there, and false.

    Example:
    ```python
    video = keras.ops.zeros((2, 2, 4, 40, 40, 3), "uint8")
    views = ConSTCLViews(size=32)({"video": video})
    views["video"].shape, views["boxes"].shape  # (2, 2, 4, 32, 32, 3), (2, 2, 8, 4)
    ```

    Reference: ConST-CL (arXiv:2112.05181), note section 2.
    """

    def __init__(
        self,
        size=224,
        crop_scale=(0.3, 1.0),
        crop_ratio=(0.5, 2.0),
        flip=0.5,
        jitter=0.8,
        gray=0.2,
        blur=(1.0, 0.1),
        solarise=(0.0, 0.2),
        num_boxes=8,
        shared_draw=False,
        seed=None,
        **kwargs,
    ):
        super().__init__(
            size,
            crop_scale,
            crop_ratio,
            flip,
            jitter,
            gray,
            blur,
            solarise,
            seed,
            **kwargs,
        )
        self.num_boxes = num_boxes
        self.shared_draw = shared_draw

    def call(self, batch):
        views = [
            self._view({n: batch[n][:, view] for n in NAMES if n in batch}, view)
            for view in (0, 1)
        ]
        return {
            name: ops.stack([view[name] for view in views], axis=1) for name in views[0]
        }

    def _view(self, batch, view):
        video = batch["video"]
        crops, flips = self.draw_placement(ops.shape(video)[0])
        x = self.crop(video, (crops, flips))
        x = self.change_colours(x, is_first=view == 0)
        return {"video": x, **self._boxes(batch, crops, flips)}

    def _boxes(self, batch, crops, flips):
        """Of all frames' boxes only the middle one's are used: these are they."""
        if "boxes" in batch:
            known, mask = ops.cast(batch["boxes"], "float32"), batch["box_mask"]
            boxes, seen = boxes_in_view(known, crops, flips, mask)
            return {"boxes": boxes, "frame_boxes": known, "box_mask": seen}
        boxes = draw_boxes(
            ops.shape(crops)[0],
            self.num_boxes,
            self.seed_generator,
            shared_draw=self.shared_draw,
        )
        return {
            "boxes": boxes,
            "frame_boxes": boxes_in_frame(boxes, crops, flips),
            "box_mask": ops.ones(ops.shape(boxes)[:2], "bool"),
        }

    def get_config(self):
        return {
            **super().get_config(),
            "num_boxes": self.num_boxes,
            "shared_draw": self.shared_draw,
        }
