import keras
from keras import ops

from keras_avrep.views import ControllableAugment


@keras.saving.register_keras_serializable(package="keras_avrep")
class ControllableAugmentationsViews(keras.layers.Layer):
    """Local clips and a global view, augmented, with records of what was done.

    Args:
        size: int. Height and width of the views, in pixels. Defaults to `112`.
        local_crop_scale: range of the share of the area that a local clip's crop
            has. Defaults to (0.2, 0.6).
        global_crop_scale: the same of the global view. Defaults to (0.5, 1).
        flip: float. Probability of a horizontal flip; 0 where direction is what
            is to be learned. Defaults to `0.5`.
        gray: float. Probability of a gray clip. Defaults to `0.2`.
        jitter: float. Probability of colour jitter. Defaults to `0.8`.
        blur: float. Probability of Gaussian blur. Defaults to `0.0`.
        seed: int. Defaults to `None`.

    Call arguments:
        batch: dict of `local` `(B, N, T, H, W, 3)` and `global` `(B, T, H, W, 3)`,
            pixels from 0 to 255, and the numbers of `LocalGlobalSampler`.

    Returns:
        Dict of float32 tensors; the global view is the last of the `N + 1`:
        `clips` `(B, N + 1, T, size, size, 3)`, `records` `(B, N + 1, 8)`, see
        `keras_avrep.layers.RegionOverlap`, `colours` `(B, N + 1, 6)`, see
        `keras_avrep.views.ControllableAugment`, and `ordered` `(B,)`.

    Example:
    ```python
    views = ControllableAugmentationsViews(size=32)(batch)
    views["records"].shape  # (B, 4, 8)
    ```

    Reference: note of Controllable Augmentations (arXiv:2203.16632), section 2.
    """

    def __init__(
        self,
        size=112,
        local_crop_scale=(0.2, 0.6),
        global_crop_scale=(0.5, 1.0),
        flip=0.5,
        gray=0.2,
        jitter=0.8,
        blur=0.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(**{**kwargs, "dtype": "float32"}, autocast=False)
        self.local_crop_scale = tuple(local_crop_scale)
        self.global_crop_scale = tuple(global_crop_scale)
        self.flip = flip
        self.gray = gray
        self.jitter = jitter
        self.blur = blur
        self.seed = seed
        scales = (self.local_crop_scale, self.global_crop_scale)
        self.local_augment, self.global_augment = (
            ControllableAugment(
                size,
                scale,
                flip,
                gray,
                jitter,
                blur=blur,
                seed=None if seed is None else seed + position,
            )
            for position, scale in enumerate(scales)
        )
        self.built = True

    @property
    def size(self):
        """Pixels of a view; may be changed before training."""
        return self.local_augment.size

    @size.setter
    def size(self, size):
        self.local_augment.size = self.global_augment.size = size

    def call(self, batch):
        local, whole = batch["local"], batch["global"]
        count, frames = local.shape[1], local.shape[2]
        flat = ops.reshape(local, (-1, *local.shape[2:]))
        parts = [
            [
                ops.reshape(x, (-1, count, *x.shape[1:]))
                for x in self.local_augment(flat)
            ],
            [x[:, None] for x in self.global_augment(whole)],
        ]
        clips, placements, colours = (
            ops.concatenate(pair, axis=1) for pair in zip(*parts, strict=True)
        )
        times = self._times(batch, count, frames)
        return {
            "clips": clips,
            "records": ops.concatenate([times, placements], axis=-1),
            "colours": colours,
            "ordered": ops.cast(batch["ordered"], "float32"),
        }

    def _times(self, batch, count, frames):
        """Start, stride and frames of every view, `(B, N + 1, 3)`."""
        numbers = {
            name: ops.cast(batch[name], "float32")
            for name in ("local_start", "local_stride", "global_start", "global_stride")
        }
        starts = ops.concatenate(
            [numbers["local_start"], numbers["global_start"][:, None]], axis=1
        )
        local_strides = ops.repeat(numbers["local_stride"][:, None], count, axis=1)
        strides = ops.concatenate(
            [local_strides, numbers["global_stride"][:, None]], axis=1
        )
        lengths = ops.full_like(starts, frames)
        return ops.stack([starts, strides, lengths], axis=-1)

    def get_config(self):
        return {
            **super().get_config(),
            "size": self.size,
            "local_crop_scale": self.local_crop_scale,
            "global_crop_scale": self.global_crop_scale,
            "flip": self.flip,
            "gray": self.gray,
            "jitter": self.jitter,
            "blur": self.blur,
            "seed": self.seed,
        }
