import keras
from keras import ops

from keras_avrep.layers import CentredPosition, ConcatHeadDecoder, ROIAlign2D
from keras_avrep.models.const_cl.region_task import RegionTask
from keras_avrep.models.pixel_features import normalise_layer


@keras.saving.register_keras_serializable(package="keras_avrep")
class ActionLocaliser(RegionTask):
    """What happens in each of given boxes of the middle frame of a clip.

    A box's query is the largest feature under it in the mean over time; a decoder
    lets it look at the whole clip.

    Args:
        backbone: `keras_avrep.backbones.ResNet3DBackbone`.
        num_classes: int.
        dropout: float. Before the class layer. Defaults to `0.5`.
        roi_size: int. Bins of a box along each side. Defaults to `4`.
        num_layers: int. Layers of the decoder. Defaults to `3`.
        num_heads: int. Heads of a layer. Defaults to `3`.
        head_dim: int. Channels of a head. Defaults to `128`.
        train_backbone: bool. `False` freezes the backbone, batch norm included.
            Defaults to `True`.

    Call arguments:
        inputs: dict of `video`, pixels `(batch, T, H, W, 3)` from 0 to 255, and
            `boxes` `(batch, N, 4)`, relative `y1, x1, y2, x2`; any boxes fill the
            slots that are left.

    Returns:
        Logits `(batch, N, num_classes)`, float32, a yes or no for each class. Train
        them with `keras_avrep.losses.masked_binary_crossentropy`.

    Example:
    ```python
    localiser = keras_avrep.models.ActionLocaliser.from_preset(
        "runs/first/preset", num_classes=80
    )
    localiser.compile("sgd", keras_avrep.losses.masked_binary_crossentropy)
    localiser.fit({"video": clips, "boxes": boxes}, labels)
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 6.
    """

    def __init__(
        self,
        backbone,
        num_classes,
        dropout=0.5,
        roi_size=4,
        num_layers=3,
        num_heads=3,
        head_dim=128,
        train_backbone=True,
        preprocessor=None,
        **kwargs,
    ):
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        backbone.trainable = train_backbone
        # === Functional model ===
        video = keras.Input(backbone.input_shape[1:], name="video")
        boxes = keras.Input((None, 4), name="boxes")
        places = CentredPosition(name="position")(backbone(normalise_layer()(video)))
        crops = ROIAlign2D(roi_size, name="crops")(_mean_over_time(places), boxes)
        memory = keras.layers.Reshape((-1, places.shape[-1]), name="tokens")(places)
        decoder = ConcatHeadDecoder(num_layers, num_heads, head_dim, name="decoder")
        x = decoder(ops.max(crops, axis=(2, 3)), memory)
        x = keras.layers.Dropout(dropout, dtype="float32", name="dropout")(x)
        logits = keras.layers.Dense(num_classes, dtype="float32", name="logits")(x)
        inputs = {"video": video, "boxes": boxes}
        super().__init__(inputs=inputs, outputs=logits, compile=False, **kwargs)
        # === Config ===
        self.num_classes = num_classes
        self.dropout = dropout
        self.roi_size = roi_size
        self.num_layers = num_layers
        self.num_heads = num_heads
        self.head_dim = head_dim
        self.train_backbone = train_backbone

    @property
    def scores(self):
        """The exportable model from the same inputs to probabilities."""
        probabilities = ops.sigmoid(self.output)
        return keras.Model(self.input, probabilities, name="scores")

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "dropout": self.dropout,
            "roi_size": self.roi_size,
            "num_layers": self.num_layers,
            "num_heads": self.num_heads,
            "head_dim": self.head_dim,
            "train_backbone": self.train_backbone,
        }


def _mean_over_time(x):
    return ops.mean(ops.cast(x, "float32"), axis=1)
