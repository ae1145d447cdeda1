import keras

from keras_avrep.backbones.renormalise import renormalise
from keras_avrep.backbones.staged_backbone import StagedBackbone


@keras.saving.register_keras_serializable(package="keras_avrep")
class ImageResNetBackbone(StagedBackbone):
    """Residual network of basic blocks over pictures: ResNet-18.

    Padding is explicit and symmetric, so weights of torchvision's networks give
    the same numbers; `convert_torchvision` loads them.

    Args:
        blocks: list of 4 ints. Residual blocks of each stage. Defaults to
            `[2, 2, 2, 2]`; `[3, 4, 6, 3]` is ResNet-34.
        width_multiplier: float. Scales every channel count. Defaults to `1.0`.
        last_stride: int. Of the last stage: 1 keeps a finer map, 2 is
            torchvision's. Defaults to `1`.
        third_stride: int. Of the stage before it: 1 keeps a map of twice the height
            and width, for small pictures. Defaults to `2`.
        image_shape: tuple. `(height, width, channels)` of the input, the first
            two may be `None`. Defaults to `(None, None, 3)`.
        input_scale: list of a float for each channel, which pictures are multiplied
            by first, for weights that know another normalisation than this library's;
            see `keras_avrep.models.renormalisation`. Defaults to `None`.
        input_offset: list of a float for each channel, added after that. Defaults
            to `None`.
        dtype: dtype policy of the layers.

    Returns:
        A model from pictures `(batch, H, W, 3)`, normalised, to a map
        `(batch, H / 16, W / 16, 512 * width_multiplier)`.

    Example:
    ```python
    backbone = ImageResNetBackbone(width_multiplier=0.125)
    backbone(keras.random.normal((1, 224, 224, 3))).shape  # (1, 14, 14, 64)
    ```

    Reference: arXiv:1512.03385; note of CSOL (arXiv:2112.11749), section 3.1.
    """

    def __init__(
        self,
        blocks=(2, 2, 2, 2),
        width_multiplier=1.0,
        last_stride=1,
        third_stride=2,
        image_shape=(None, None, 3),
        input_scale=None,
        input_offset=None,
        dtype=None,
        **kwargs,
    ):
        # === Functional model ===
        image = keras.Input(shape=image_shape, name="image")
        build = BasicBlockBuilder(
            blocks, width_multiplier, last_stride, dtype, third_stride
        )
        stages = build.stages(renormalise(image, input_scale, input_offset))
        super().__init__(inputs=image, outputs=stages["stage4"], dtype=dtype, **kwargs)
        # === Config ===
        self.blocks = list(blocks)
        self.width_multiplier = width_multiplier
        self.last_stride = last_stride
        self.third_stride = third_stride
        self.image_shape = tuple(image_shape)
        self.input_scale = None if input_scale is None else list(input_scale)
        self.input_offset = None if input_offset is None else list(input_offset)
        self.feature_dim = stages["stage4"].shape[-1]
        self.stages = stages

    def get_config(self):
        return {
            **super().get_config(),
            "blocks": self.blocks,
            "width_multiplier": self.width_multiplier,
            "last_stride": self.last_stride,
            "third_stride": self.third_stride,
            "image_shape": self.image_shape,
            "input_scale": self.input_scale,
            "input_offset": self.input_offset,
        }


class BasicBlockBuilder:
    """Assembles the layers of a ResNet of basic blocks over `(batch, H, W, C)`."""

    def __init__(self, blocks, width_multiplier, last_stride, dtype, third_stride=2):
        for name, stride in (
            ("last_stride", last_stride),
            ("third_stride", third_stride),
        ):
            if stride not in (1, 2):
                raise ValueError(f"`{name}` must be 1 or 2, got {stride!r}.")
        if len(blocks) != 4:
            raise ValueError(f"`blocks` must be 4 ints, got {blocks!r}.")
        self.blocks = blocks
        self.widths = [max(1, round(c * width_multiplier)) for c in (64, 128, 256, 512)]
        self.strides = (1, 2, third_stride, last_stride)
        self.dtype = dtype

    def stages(self, x):
        """Symbolic maps by stage, from `"stem"` to `"stage4"`."""
        stages = {"stem": self.stem(x)}
        x = stages["stem"]
        for index, depth in enumerate(self.blocks):
            for block in range(depth):
                stride = self.strides[index] if block == 0 else 1
                name = f"stage{index + 1}_block{block + 1}"
                x = self.block(x, self.widths[index], stride, name)
            stages[f"stage{index + 1}"] = x
        return stages

    def stem(self, x):
        x = self.conv(x, self.widths[0], 7, 2, "stem_conv")
        x = self.relu(self.norm(x, "stem_norm"), "stem_relu")
        # After a ReLU zeros never win a maximum: they pad as -inf would.
        x = self.pad(x, 1, "stem_pool_pad")
        return keras.layers.MaxPooling2D(3, 2, dtype=self.dtype, name="stem_pool")(x)

    def block(self, x, width, stride, name):
        y = self.conv(x, width, 3, stride, f"{name}_conv1")
        y = self.relu(self.norm(y, f"{name}_norm1"), f"{name}_relu1")
        y = self.norm(self.conv(y, width, 3, 1, f"{name}_conv2"), f"{name}_norm2")
        if stride != 1 or x.shape[-1] != width:
            x = self.conv(x, width, 1, stride, f"{name}_shortcut")
            x = self.norm(x, f"{name}_shortcut_norm")
        y = keras.layers.Add(dtype=self.dtype, name=f"{name}_add")([x, y])
        return self.relu(y, f"{name}_relu2")

    def conv(self, x, filters, kernel, stride, name):
        padding = "same"
        if kernel == 1 and stride > 1:
            # Picked first: kernel gradients of strided 1x1 convolutions were
            # seen to differ between backends.
            pick = keras.layers.MaxPooling2D(
                1, stride, dtype=self.dtype, name=f"{name}_pick"
            )
            x, stride = pick(x), 1
        elif stride > 1:
            x, padding = self.pad(x, kernel // 2, f"{name}_pad"), "valid"
        return keras.layers.Conv2D(
            filters,
            kernel,
            stride,
            padding,
            use_bias=False,
            kernel_initializer=keras.initializers.VarianceScaling(
                2.0, "fan_out", "untruncated_normal"
            ),
            dtype=self.dtype,
            name=name,
        )(x)

    def pad(self, x, size, name):
        return keras.layers.ZeroPadding2D(size, dtype=self.dtype, name=name)(x)

    def norm(self, x, name):
        return keras.layers.BatchNormalization(
            momentum=0.9, epsilon=1e-5, dtype=self.dtype, name=name
        )(x)

    def relu(self, x, name):
        return keras.layers.ReLU(dtype=self.dtype, name=name)(x)
