import keras

from keras_avrep.backbones.video_backbone import VideoBackbone
from keras_avrep.layers import (
    FoldedBatchNormalization,
    FoldedConv3D,
    FoldedMaxPool3D,
)

STAGES = ("stage1", "stage2", "stage3", "stage4")


@keras.saving.register_keras_serializable(package="keras_avrep")
class ResNet3DBackbone(VideoBackbone):
    """Bottleneck 3-D residual network that keeps time: the trunk of CVRL.

    Only the stem strides in time, so there is one step for every two frames.

    Args:
        blocks: list of 4 ints. Bottlenecks of each stage. Defaults to
            `[3, 4, 6, 3]`, 50 layers.
        temporal_kernels: list of 4 ints. Length in time of the first
            convolution of each stage's bottlenecks. Defaults to `[1, 1, 3, 3]`.
        width_multiplier: float. Scales every channel count. Defaults to `1.0`.
        spatial_strides: list of 4 ints. Stride in height and width of each
            stage's first bottleneck. Defaults to `[1, 2, 2, 2]`.
        dilations: list of 4 ints. Dilation in height and width of each stage's
            3x3 convolutions, which keeps what they see where strides are taken
            out. Defaults to `[1, 1, 1, 1]`.
        image_shape: tuple. `(time, height, width, channels)` of the input, any
            of the first three `None`. Defaults to `(None, None, None, 3)`.
        fold: bool. Whether convolutions run in their 2-D form.
            Defaults to `True`.
        time_padding: string. What convolutions see before the first and behind the
            last frame: `"zeros"`, as released, or `"edge"`, those frames again; see
            `FoldedConv3D`. Defaults to `"zeros"`.
        dtype: dtype policy of the layers.

    Returns:
        A model from video `(batch, T, H, W, 3)`, normalised, to a map
        `(batch, T / 2, H / 32, W / 32, 2048 * width_multiplier)`.

    Example:
    ```python
    backbone = ResNet3DBackbone(blocks=[1, 1, 1, 1], width_multiplier=0.125)
    backbone(keras.random.normal((1, 8, 64, 64, 3))).shape  # (1, 4, 2, 2, 256)
    ```

    Reference: CVRL (arXiv:2008.03800); note of ConST-CL (arXiv:2112.05181),
    section 3.
    """

    def __init__(
        self,
        blocks=(3, 4, 6, 3),
        temporal_kernels=(1, 1, 3, 3),
        width_multiplier=1.0,
        spatial_strides=(1, 2, 2, 2),
        dilations=(1, 1, 1, 1),
        image_shape=(None, None, None, 3),
        fold=True,
        time_padding="zeros",
        dtype=None,
        **kwargs,
    ):
        widths = [max(1, round(c * width_multiplier)) for c in (64, 128, 256, 512)]
        # === Functional model ===
        video = keras.Input(shape=image_shape, name="video")
        build = BottleneckBuilder(fold, time_padding, dtype)
        x = build.stem(video, widths[0])
        stages = {"stem": x}
        layout = zip(
            STAGES,
            widths,
            blocks,
            temporal_kernels,
            spatial_strides,
            dilations,
            strict=True,
        )
        for name, *arguments in layout:
            x = stages[name] = build.stage(x, *arguments, name)
        super().__init__(inputs=video, outputs=x, dtype=dtype, **kwargs)
        # === Config ===
        self.blocks = list(blocks)
        self.temporal_kernels = list(temporal_kernels)
        self.width_multiplier = width_multiplier
        self.spatial_strides = list(spatial_strides)
        self.dilations = list(dilations)
        self.image_shape = tuple(image_shape)
        self.fold = fold
        self.time_padding = time_padding
        self.feature_dim = 4 * widths[-1]
        self.stages = stages

    def stage_copy(self, name, copy_name):
        """A fresh stage like one of this network, with weights of its own.

        Args:
            name: string. `"stage1"` to `"stage4"`.
            copy_name: string. Names the copy and its layers.

        Returns:
            `keras.Model` from the map before that stage to its map.

        Example:
        ```python
        branch = backbone.stage_copy("stage4", "stage4_local")
        branch(backbone.with_stages(["stage3"])(clips)["stage3"])
        ```

        Reference: the Y-shaped trunk of ConST-CL (arXiv:2112.05181), note
        section 3.
        """
        index = STAGES.index(name)
        before = "stem" if index == 0 else STAGES[index - 1]
        inputs = keras.Input(self.stages[before].shape[1:], name="feature_map")
        build = BottleneckBuilder(self.fold, self.time_padding, self.dtype_policy)
        outputs = build.stage(
            inputs,
            self.stages[name].shape[-1] // 4,
            self.blocks[index],
            self.temporal_kernels[index],
            self.spatial_strides[index],
            self.dilations[index],
            copy_name,
        )
        return keras.Model(inputs, outputs, name=copy_name)

    def get_config(self):
        return {
            **super().get_config(),
            "blocks": self.blocks,
            "temporal_kernels": self.temporal_kernels,
            "width_multiplier": self.width_multiplier,
            "spatial_strides": self.spatial_strides,
            "dilations": self.dilations,
            "image_shape": self.image_shape,
            "fold": self.fold,
            "time_padding": self.time_padding,
        }


class BottleneckBuilder:
    """Assembles the layers of a bottleneck network, padding as TensorFlow does."""

    def __init__(self, fold, time_padding, dtype):
        self.fold = fold
        self.time_padding = time_padding
        self.dtype = dtype

    def conv(self, x, filters, kernel, strides, name, dilation=1):
        # Scaled over the fan-in, as Keras does by default and CVRL with it.
        return FoldedConv3D(
            filters,
            kernel,
            strides,
            fold=self.fold,
            time_padding=self.time_padding,
            padding="same",
            kernel_initializer=keras.initializers.VarianceScaling(),
            dilation=dilation,
            dtype=self.dtype,
            name=name,
        )(x)

    def norm(self, x, name):
        return FoldedBatchNormalization(
            momentum=0.9, epsilon=1e-5, dtype=self.dtype, name=name
        )(x)

    def relu(self, x, name):
        return keras.layers.ReLU(dtype=self.dtype, name=name)(x)

    def stem(self, x, width):
        x = self.conv(x, width, (5, 7, 7), (2, 2, 2), "stem_conv")
        x = self.relu(self.norm(x, "stem_norm"), "stem_relu")
        return FoldedMaxPool3D(3, 2, dtype=self.dtype, name="stem_pool")(x)

    def stage(self, x, width, depth, temporal_kernel, stride, dilation, name):
        for block in range(depth):
            x = self.bottleneck(
                x,
                width,
                temporal_kernel,
                stride if block == 0 else 1,
                dilation,
                f"{name}_block{block + 1}",
            )
        return x

    def bottleneck(self, x, width, temporal_kernel, stride, dilation, name):
        spatial = (1, stride, stride)
        y = self.conv(x, width, (temporal_kernel, 1, 1), (1, 1, 1), f"{name}_conv1")
        y = self.relu(self.norm(y, f"{name}_norm1"), f"{name}_relu1")
        y = self.conv(y, width, (1, 3, 3), spatial, f"{name}_conv2", dilation)
        y = self.relu(self.norm(y, f"{name}_norm2"), f"{name}_relu2")
        y = self.conv(y, 4 * width, (1, 1, 1), (1, 1, 1), f"{name}_conv3")
        y = self.norm(y, f"{name}_norm3")
        if stride != 1 or x.shape[-1] != 4 * width:
            x = self.conv(x, 4 * width, (1, 1, 1), spatial, f"{name}_shortcut")
            x = self.norm(x, f"{name}_shortcut_norm")
        y = keras.layers.Add(dtype=self.dtype, name=f"{name}_add")([x, y])
        return self.relu(y, f"{name}_relu3")
