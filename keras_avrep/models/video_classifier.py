import keras
from keras_hub.models import Task

from keras_avrep.backbones import VideoResNetBackbone
from keras_avrep.models.dclr.dclr_presets import PRESETS, packaged_weights
from keras_avrep.views.augment import IMAGENET_MEAN, IMAGENET_STD


@keras.saving.register_keras_serializable(package="keras_avrep")
class VideoClassifier(Task):
    """A linear classifier on a video backbone, for fine-tuning or a linear probe.

    Args:
        backbone: `keras_avrep.backbones.VideoResNetBackbone`.
        num_classes: int.
        dropout: float. Before the class layer. Defaults to `0`.
        train_backbone: bool. `False` freezes the backbone, batch norm
            included. Defaults to `True`.

    Call arguments:
        inputs: pixels `(batch, T, H, W, 3)`, 0 to 255.

    Returns:
        Logits `(batch, num_classes)`, float32.

    Example:
    ```python
    classifier = keras_avrep.models.VideoClassifier.from_preset(
        "runs/first/preset", num_classes=5
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile("adam", loss)
    classifier.fit(clips, labels)
    ```

    Reference: note of DCLR (arXiv:2207.05340), sections 6.1 and 6.2.
    """

    backbone_cls = VideoResNetBackbone

    def __init__(
        self,
        backbone,
        num_classes,
        dropout=0.0,
        train_backbone=True,
        preprocessor=None,
        **kwargs,
    ):
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        backbone.trainable = train_backbone
        # === Functional model ===
        video = keras.Input(shape=backbone.input_shape[1:], name="video")
        scale = [1 / (255 * s) for s in IMAGENET_STD]
        offset = [-m / s for m, s in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True)]
        x = keras.layers.Rescaling(scale, offset, dtype="float32", name="normalise")(
            video
        )
        pool = keras.layers.GlobalAveragePooling3D(dtype="float32", name="embedding")
        features = pool(backbone(x))
        x = keras.layers.Dropout(dropout, dtype="float32")(features)
        logits = keras.layers.Dense(
            num_classes,
            kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
            dtype="float32",
            name="logits",
        )(x)
        super().__init__(inputs=video, outputs=logits, compile=False, **kwargs)
        # === Config ===
        self.num_classes = num_classes
        self.dropout = dropout
        self.train_backbone = train_backbone

    @property
    def representation(self):
        """The model from pixels `(B, T, H, W, 3)` to features `(B, D)`."""
        outputs = self.get_layer("embedding").output
        return keras.Model(self.inputs[0], outputs, name="representation")

    @classmethod
    def from_preset(cls, preset, load_weights=True, **kwargs):
        """A classifier on the backbone of a DCLR preset, or a saved classifier.

        Args:
            preset: string. A name of `DCLR.presets`, a directory that
                `save_to_preset` wrote, or a handle of keras-hub.
            load_weights: bool. Defaults to `True`.
            **kwargs: constructor arguments, `num_classes` at least for presets
                of other tasks.

        Returns:
            A `VideoClassifier`.
        """
        if preset in PRESETS:
            folder = packaged_weights(preset)
            if folder is None and load_weights:
                raise ValueError(
                    f"The preset {preset!r} is a configuration without weights: pass "
                    "`load_weights=False`, or give a directory of a trained model."
                )
            if folder is None:
                backbone = VideoResNetBackbone(**PRESETS[preset]["backbone"])
                return cls(backbone, **kwargs)
            preset = str(folder)
        # Keras-hub cannot read a mixed policy back, and today's machine decides.
        kwargs.setdefault("dtype", keras.config.dtype_policy())
        return super().from_preset(preset, load_weights, **kwargs)

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "dropout": self.dropout,
            "train_backbone": self.train_backbone,
        }
