import keras
from keras import ops

from keras_avrep.layers import (
    CentredPosition,
    ConcatHeadDecoder,
    ContextSampler,
    ProjectionMLP,
    ROIAlign2D,
    unit_length,
)

HEADS = ("decoder", "mlp")


@keras.saving.register_keras_serializable(package="keras_avrep")
class RegionTransformHead(keras.layers.Layer):
    """Rewrites regions of one view into what they should be in the other.

    A region is the mean of the unit-length features under its box in the middle
    step. A decoder rewrites it with cells of the other view as context; it and the
    projection are shared by both directions.

    Args:
        head: string. `"decoder"`, or `"mlp"`: dense layers that see no context.
            Defaults to `"decoder"`.
        context_length: int, odd. Steps of context. Defaults to `5`.
        roi_size: int. Bins of a box along each side. Defaults to `4`.
        num_layers: int. Of the decoder, or hidden ones of the MLP. Defaults to `3`.
        num_heads: int. Heads of a decoder layer. Defaults to `3`.
        head_dim: int. Channels of a head; the MLP is `num_heads * head_dim` wide.
            Defaults to `128`.

    Call arguments:
        inputs: feature maps `(2 B, t, h, w, C)`, the first views of all videos,
            then the second ones.
        boxes: `(2 B, N, 4)`, relative `y1, x1, y2, x2`, in the same order.
        training: bool.

    Returns:
        Dict of `regions` `(2 B, N, C)`, not normalised, and `transformed`
        `(2 B, N, C)`: those of the first half as they should be in the second
        view, and the reverse; float32.

    Example:
    ```python
    maps = keras.random.normal((2, 4, 7, 7, 64))
    boxes = keras.ops.array([[[0.0, 0.0, 0.5, 0.5]]] * 2)
    head = RegionTransformHead(context_length=3)
    head(maps, boxes)["transformed"].shape  # (2, 1, 64)
    ```

    Reference: ConST-CL (arXiv:2112.05181), note section 3.
    """

    def __init__(
        self,
        head="decoder",
        context_length=5,
        roi_size=4,
        num_layers=3,
        num_heads=3,
        head_dim=128,
        **kwargs,
    ):
        # Half precision would move the boxes; sublayers cast what they need to.
        super().__init__(**{**kwargs, "autocast": False})
        if head not in HEADS:
            raise ValueError(f"`head` must be one of {HEADS}, got {head!r}.")
        self.head = head
        self.context_length = context_length
        self.roi_size = roi_size
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.head_dim = head_dim
        self.regions = RegionFeatures(roi_size, name="regions")
        if head == "decoder":
            self.context = ContextSampler(context_length, dtype=self.dtype_policy)
            self.position = CentredPosition(dtype=self.dtype_policy, name="position")
            self.decoder = ConcatHeadDecoder(
                num_layers, num_heads, head_dim, dtype=self.dtype_policy, name="decoder"
            )

    def build(self, inputs_shape, boxes_shape):
        # As wide as the trunk: the loss takes their inner product.
        channels, width = inputs_shape[-1], self.num_heads * self.head_dim
        queries = (*boxes_shape[:2], channels)
        self.regions.build(inputs_shape, boxes_shape)
        if self.head == "mlp":
            self.projection = ProjectionMLP(
                width,
                channels,
                self.num_layers,
                dtype=self.dtype_policy,
                name="projection",
            )
            self.projection.build(queries)
            return
        self.projection = keras.layers.Dense(
            channels, dtype=self.dtype_policy, name="projection"
        )
        self.position.build(inputs_shape)
        places = self.position.compute_output_shape(inputs_shape)
        self.decoder.build(queries, (inputs_shape[0], None, places[-1]))
        self.projection.build((*boxes_shape[:2], width))

    def call(self, inputs, boxes, training=False):
        regions = self.regions(inputs, boxes)
        if self.head == "mlp":
            transformed = self.projection(regions, training=training)
        else:
            memory = self._other_view(self._memory(inputs))
            x = self.decoder(regions, memory, training=training)
            transformed = self.projection(x)
        return {"regions": regions, "transformed": ops.cast(transformed, "float32")}

    def _memory(self, inputs):
        """Tokens `(2 B, cells, C + 16)` of the context of each view."""
        context = ops.cast(unit_length(self.context(inputs)), self.compute_dtype)
        context = self.position(context)
        cells = context.shape[1] * context.shape[2] * context.shape[3]
        return ops.reshape(context, (-1, cells, context.shape[-1]))

    def _other_view(self, x):
        first, second = ops.split(x, 2, axis=0)
        return ops.concatenate([second, first], axis=0)

    def get_config(self):
        return {
            **super().get_config(),
            "head": self.head,
            "context_length": self.context_length,
            "roi_size": self.roi_size,
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "head_dim": self.head_dim,
        }


@keras.saving.register_keras_serializable(package="keras_avrep")
class RegionFeatures(keras.layers.Layer):
    """Mean feature under each box in the middle step of a map.

    Features are brought to unit length before, not after.

    Args:
        roi_size: int. Bins of a box along each side. Defaults to `4`.

    Call arguments:
        inputs: feature maps `(B, t, h, w, C)`.
        boxes: `(B, N, 4)`, relative `y1, x1, y2, x2`.

    Returns:
        float32 tensor `(B, N, C)`.

    Example:
    ```python
    boxes = keras.ops.array([[[0.0, 0.0, 0.5, 0.5]]])
    RegionFeatures()(keras.random.normal((1, 4, 7, 7, 64)), boxes).shape  # (1, 1, 64)
    ```

    Reference: ConST-CL (arXiv:2112.05181), note section 3.
    """

    def __init__(self, roi_size=4, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.roi_size = roi_size
        self.align = ROIAlign2D(roi_size)

    def build(self, inputs_shape, boxes_shape):
        self.align.built = True

    def call(self, inputs, boxes):
        key = unit_length(inputs[:, ops.shape(inputs)[1] // 2])
        return ops.mean(self.align(key, boxes), axis=(2, 3))

    def compute_output_shape(self, inputs_shape, boxes_shape):
        return (*boxes_shape[:2], inputs_shape[-1])

    def get_config(self):
        return {**super().get_config(), "roi_size": self.roi_size}
