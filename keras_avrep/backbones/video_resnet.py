import keras

from keras_avrep.backbones.renormalise import renormalise
from keras_avrep.backbones.video_backbone import VideoBackbone
from keras_avrep.layers import (
    FoldedBatchNormalization,
    FoldedConv3D,
    FoldedMaxPool3D,
)

CONVOLUTIONS = ("2plus1d", "3d", "mixed")


@keras.saving.register_keras_serializable(package="keras_avrep")
class VideoResNetBackbone(VideoBackbone):
    """Residual network over video: R(2+1)D, R3D or MC3.

    Args:
        convolution: string. `"2plus1d"` factors every 3-D convolution into a
            spatial and a temporal one, `"3d"` uses full 3x3x3 kernels,
            `"mixed"` uses them in the stem and first stage only (MC3).
        blocks: list of 4 ints. Residual blocks of each stage. Defaults to
            `[2, 2, 2, 2]`; DCLR's released code builds `[1, 1, 1, 1]`.
        width_multiplier: float. Scales every channel count. Defaults to `1.0`.
        stem_frames: int. Frames that the stem's kernel spans where it is not
            factored: 3 as torchvision has it, 7 in the R3D-18 of Static and Dynamic
            Concepts and its siblings. Defaults to 3.
        stem_pool: bool. Whether the stem ends in max-pooling over 3x3 pixels with
            stride 2, as in that R3D-18. Defaults to `False`.
        image_shape: tuple. `(time, height, width, channels)` of the input, any
            of the first three `None`. Defaults to `(None, None, None, 3)`.
        fold: bool. Whether convolutions run in their 2-D form.
            Defaults to `True`.
        input_scale: list of a float for each channel, which the video is multiplied
            by first, for weights that were trained with another normalisation
            than this library's; see `keras_avrep.models.renormalisation`.
            Defaults to `None`.
        input_offset: list of a float for each channel, added after that. Defaults
            to `None`.
        dtype: dtype policy of the layers.

    Returns:
        A model from video `(batch, T, H, W, 3)`, normalised, to a map
        `(batch, T / 8, H / 16, W / 16, 512 * width_multiplier)`
        (`"mixed"` keeps T; `stem_pool` halves H and W once more).

    Raises:
        ValueError: if there is no such `convolution`, or `stem_frames` is given for
            a factored one.

    Example:
    ```python
    backbone = VideoResNetBackbone(blocks=[1, 1, 1, 1], width_multiplier=0.125)
    backbone(keras.random.normal((1, 8, 32, 32, 3))).shape  # (1, 1, 2, 2, 64)
    ```

    Reference: arXiv:1711.11248; strides and initialisation as in DCLR's
    released `view_resnet.py`.
    """

    # Strided convolutions that pad both sides alike look at the first of two pixels.
    map_centre = 0.0

    def __init__(
        self,
        convolution="2plus1d",
        blocks=(2, 2, 2, 2),
        width_multiplier=1.0,
        stem_frames=3,
        stem_pool=False,
        image_shape=(None, None, None, 3),
        fold=True,
        input_scale=None,
        input_offset=None,
        dtype=None,
        **kwargs,
    ):
        if convolution not in CONVOLUTIONS:
            raise ValueError(
                f"`convolution` must be one of {CONVOLUTIONS}, got {convolution!r}."
            )
        if convolution == "2plus1d" and stem_frames != 3:
            raise ValueError(
                f"`stem_frames` is {stem_frames}, but '2plus1d' factors its stem: "
                "its kernel in time is 3; leave it out."
            )
        widths = [max(1, round(c * width_multiplier)) for c in (64, 128, 256, 512)]
        # === Functional model ===
        video = keras.Input(shape=image_shape, name="video")
        build = _Builder(convolution, fold, dtype, stem_frames, stem_pool)
        x = renormalise(video, input_scale, input_offset)
        x = build.stem(x, widths[0], max(1, round(45 * width_multiplier)))
        stages = {"stem": x}
        for stage, (width, depth) in enumerate(zip(widths, blocks, strict=True)):
            for block in range(depth):
                stride = 2 if stage > 0 and block == 0 else 1
                name = f"stage{stage + 1}_block{block + 1}"
                x = build.block(x, width, stride, stage, name)
            stages[f"stage{stage + 1}"] = x
        super().__init__(inputs=video, outputs=x, dtype=dtype, **kwargs)
        # === Config ===
        self.convolution = convolution
        self.blocks = list(blocks)
        self.width_multiplier = width_multiplier
        self.stem_frames = stem_frames
        self.stem_pool = stem_pool
        self.image_shape = tuple(image_shape)
        self.fold = fold
        self.input_scale = None if input_scale is None else list(input_scale)
        self.input_offset = None if input_offset is None else list(input_offset)
        self.feature_dim = widths[-1]
        self.stages = stages

    def get_config(self):
        return {
            **super().get_config(),
            "convolution": self.convolution,
            "blocks": self.blocks,
            "width_multiplier": self.width_multiplier,
            "stem_frames": self.stem_frames,
            "stem_pool": self.stem_pool,
            "image_shape": self.image_shape,
            "fold": self.fold,
            "input_scale": self.input_scale,
            "input_offset": self.input_offset,
        }


class _Builder:
    """Assembles the layers of one backbone."""

    def __init__(self, convolution, fold, dtype, stem_frames, stem_pool):
        self.convolution = convolution
        self.fold = fold
        self.dtype = dtype
        self.stem_frames = stem_frames
        self.stem_pool = stem_pool

    def conv(self, x, filters, kernel, strides, name):
        return FoldedConv3D(
            filters, kernel, strides, fold=self.fold, dtype=self.dtype, name=name
        )(x)

    def norm(self, x, name):
        return FoldedBatchNormalization(
            momentum=0.9, epsilon=1e-5, dtype=self.dtype, name=name
        )(x)

    def relu(self, x, name):
        return keras.layers.ReLU(dtype=self.dtype, name=name)(x)

    def stem(self, x, width, mid_width):
        if self.convolution != "2plus1d":
            kernel = (self.stem_frames, 7, 7)
            x = self.conv(x, width, kernel, (1, 2, 2), "stem_conv")
        else:
            x = self.conv(x, mid_width, (1, 7, 7), (1, 2, 2), "stem_spatial")
            x = self.relu(self.norm(x, "stem_spatial_norm"), "stem_spatial_relu")
            x = self.conv(x, width, (3, 1, 1), (1, 1, 1), "stem_temporal")
        x = self.relu(self.norm(x, "stem_norm"), "stem_relu")
        if not self.stem_pool:
            return x
        pool = FoldedMaxPool3D(3, 2, "symmetric", dtype=self.dtype, name="stem_pool")
        return pool(x)

    def block(self, x, width, stride, stage, name):
        time_stride = stride
        if self.convolution == "mixed" and stage > 0:
            time_stride = 1
        strides = (time_stride, stride, stride)
        # One middle width for both convolutions of a block, as released.
        mid_width = 27 * x.shape[-1] * width // (9 * x.shape[-1] + 3 * width)
        y = self.conv3x3(x, width, mid_width, strides, stage, f"{name}_conv1")
        y = self.relu(self.norm(y, f"{name}_norm1"), f"{name}_relu1")
        y = self.conv3x3(y, width, mid_width, (1, 1, 1), stage, f"{name}_conv2")
        y = self.norm(y, f"{name}_norm2")
        if stride != 1 or x.shape[-1] != width:
            x = self.conv(x, width, (1, 1, 1), strides, f"{name}_shortcut")
            x = self.norm(x, f"{name}_shortcut_norm")
        y = keras.layers.Add(dtype=self.dtype, name=f"{name}_add")([x, y])
        return self.relu(y, f"{name}_relu2")

    def conv3x3(self, x, width, mid_width, strides, stage, name):
        if self.convolution == "3d" or (self.convolution == "mixed" and stage == 0):
            return self.conv(x, width, (3, 3, 3), strides, name)
        if self.convolution == "mixed":
            return self.conv(x, width, (1, 3, 3), strides, name)
        time, height, width_stride = strides
        spatial = f"{name}_spatial"
        x = self.conv(x, mid_width, (1, 3, 3), (1, height, width_stride), spatial)
        x = self.relu(self.norm(x, f"{spatial}_norm"), f"{spatial}_relu")
        return self.conv(x, width, (3, 1, 1), (time, 1, 1), f"{name}_temporal")
