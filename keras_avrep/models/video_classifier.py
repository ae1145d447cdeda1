import keras
from keras_hub.models import Task

from keras_avrep.backbones import ResNet3DBackbone, VideoResNetBackbone
from keras_avrep.layers import unit_length
from keras_avrep.models.pixel_features import pixel_features
from keras_avrep.models.systems import LOCALISERS, system_of
from keras_avrep.models.weights_without_optimizer import WeightsWithoutOptimizer


@keras.saving.register_keras_serializable(package="keras_avrep")
class VideoClassifier(WeightsWithoutOptimizer, Task):
    """A linear classifier on a video backbone, for fine-tuning or a linear probe.

    Args:
        backbone: a `keras_avrep.backbones.VideoBackbone`.
        num_classes: int.
        dropout: float. Before the class layer. Defaults to `0`.
        train_backbone: bool. `False` freezes the backbone, batch norm
            included. Defaults to `True`.
        unit_features: bool. Whether features are scaled to unit length before the
            class layer, as a linear probe has it. Defaults to `False`.

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
        unit_features=False,
        preprocessor=None,
        **kwargs,
    ):
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        backbone.trainable = train_backbone
        # === Functional model ===
        video, _, features = pixel_features(backbone)
        x = unit_length(features) if unit_features else features
        x = keras.layers.Dropout(dropout, dtype="float32")(x)
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
        self.unit_features = unit_features

    @classmethod
    def for_backbone(cls, backbone, num_classes, **kwargs):
        """A classifier of the class that keras-hub expects for a backbone."""
        classes = [cls, *cls.__subclasses__()]
        own = [c for c in classes if c.backbone_cls is type(backbone)]
        return (own or [cls])[0](backbone, num_classes, **kwargs)

    @property
    def representation(self):
        """The model from pixels `(B, T, H, W, 3)` to features `(B, D)`."""
        outputs = self.get_layer("embedding").output
        return keras.Model(self.inputs[0], outputs, name="representation")

    def inference_models(self):
        """What can be exported, from name to a `keras.Model` of pixels.

        Returns:
            Dict of `representation`, to features `(B, D)`, and `logits`, to
            `(B, num_classes)`.

        Example:
        ```python
        keras_avrep.export.export_litert(
            classifier, "sport.tflite", clip_shape=(16, 112, 112, 3), part="logits"
        )
        ```
        """
        logits = keras.Model(self.inputs[0], self.outputs[0], name="logits")
        return {"representation": self.representation, "logits": logits}

    def inference_inputs(self, name, clips):
        """Examples of what one of the `inference_models` takes.

        Args:
            name: string. A key of `inference_models`.
            clips: array `(N, T, H, W, 3)` of pixels.

        Returns:
            Dict from input name to an array `(N, ...)`.
        """
        return {"video": clips}

    def open_axes(self, name):
        """Axes of what an inference model takes that may have any length: none."""
        return {}

    @classmethod
    def from_preset(cls, preset, load_weights=True, **kwargs):
        """A classifier on the backbone of any system, or a saved classifier.

        Args:
            preset: string. A built-in name of any system, a directory that
                `save_to_preset` wrote, or a handle of keras-hub.
            load_weights: bool. Defaults to `True`.
            **kwargs: constructor arguments, `num_classes` at least for presets
                of other tasks.

        Returns:
            A `VideoClassifier`.
        """
        system = system_of(preset)
        if system in LOCALISERS:
            raise ValueError(
                f"The preset {preset!r} has no video backbone: {system.__name__} sees "
                "single pictures. Give a preset of a system that learns from video."
            )
        if system is not None:
            folder = system.packaged_weights(preset)
            if folder is None and load_weights:
                raise ValueError(
                    f"The preset {preset!r} is a configuration without weights: pass "
                    "`load_weights=False`, or give a directory of a trained model."
                )
            if folder is None:
                dtype = {k: v for k, v in kwargs.items() if k == "dtype"}
                backbone = system.backbone_cls(
                    **system.presets[preset]["backbone"], **dtype
                )
                return cls.for_backbone(backbone, **kwargs)
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
            "unit_features": self.unit_features,
        }


@keras.saving.register_keras_serializable(package="keras_avrep")
class ResNet3DVideoClassifier(VideoClassifier):
    """The `VideoClassifier` on a `ResNet3DBackbone`.

    `VideoClassifier.from_preset` picks it for presets with that backbone.
    """

    backbone_cls = ResNet3DBackbone
