import keras
import numpy as np
from keras import ops
from keras_hub.models import Task

from keras_avrep.backbones import AudioResNetBackbone, ImageResNetBackbone
from keras_avrep.layers import (
    AVCosineMap,
    LogMel,
    MaskedObjectFeature,
    ObjectDictionary,
    SoundingMask,
)
from keras_avrep.models.pixel_features import normalise_layer
from keras_avrep.models.preset_task import PresetTask
from keras_avrep.views import FrameViews, RandomMoment

# Constructor arguments that are layers, beside the backbone and the views.
OWN_LAYERS = ("audio_backbone", "spectrogram", "av_map", "sounding_mask")


class LocalisationTask(PresetTask, Task):
    """What in a picture sounds, class by class, learned without labels.

    The room that `CSOL` and `InterferenceEraser` share: a picture and a second of
    sound go through two networks; a map says where they fit; objects that sound are
    clustered into classes nobody named. A subclass adds its maps of classes in
    `class_outputs`, and says in `training_phases` what it learns from what.

    Args:
        backbone: `keras_avrep.backbones.ImageResNetBackbone`.
        audio_backbone: `keras_avrep.backbones.AudioResNetBackbone`.
        views: `FrameViews`, or `None` for its defaults at 224 pixels.
        spectrogram: `keras_avrep.layers.LogMel`, or `None` for its defaults.
        num_classes: int. K, clusters of objects. Defaults to 11.
        embedding_dim: int. In which picture and sound are compared. Defaults to 128.
        duration: float. Seconds of sound. Defaults to 1.
        av_map: `AVCosineMap`, or `None` for its defaults.
        sounding_mask: `SoundingMask`, or `None` for its defaults.
        object_divisor: string. `"map"` or `"area"`; see `MaskedObjectFeature`.
            Defaults to `"map"`.
        loss_weights: dict from name to float, of the last stage; a subclass says of
            which terms. Defaults to none.
        sharpness: float. Of the softmax over classes in the output. Defaults to 3.
        seed: int. Of views, clusters and fresh heads. Defaults to `None`.

    Call arguments:
        Dict of `frame` `(B, H, W, 3)`, 0 to 255, and `waveform` `(B, S)` in [-1, 1],
        S being `duration` seconds.

    Returns:
        Dict of float32 `class_maps` `(B, h, w, K)`, a distribution over the classes at
        every place, and `sounding_map` `(B, h, w, 1)` in [0, 1]; a subclass may add
        others.

    Reference: CSOL (arXiv:2112.11749), note section 3.
    """

    backbone_cls = ImageResNetBackbone
    views_cls = FrameViews
    # Where objects are compared: "features" of the backbones, or "embedding".
    object_space = "features"
    # Whether the dictionary's rows count by direction alone; see `ObjectDictionary`.
    unit_rows = False
    # Where in its cell a value of the maps was seen: at the corner, as the backbones
    # pad both sides alike. What draws or scores maps puts them right by it.
    map_centre = 0.0

    def __init__(
        self,
        backbone,
        audio_backbone,
        views=None,
        spectrogram=None,
        num_classes=11,
        embedding_dim=128,
        duration=1.0,
        av_map=None,
        sounding_mask=None,
        object_divisor="map",
        loss_weights=None,
        sharpness=3.0,
        seed=None,
        preprocessor=None,
        **kwargs,
    ):
        # === Layers ===
        self.backbone = backbone
        self.preprocessor = preprocessor
        self.audio_backbone = audio_backbone
        self.spectrogram = LogMel() if spectrogram is None else spectrogram
        self.av_map = AVCosineMap(name="av_map") if av_map is None else av_map
        self.sounding_mask = SoundingMask() if sounding_mask is None else sounding_mask
        self.object_feature = MaskedObjectFeature(object_divisor)
        self.normalise = normalise_layer()
        self.audio_stages = audio_backbone.with_stages(["stage3", "stage4"])
        self.image_head = two_layers(embedding_dim, 2, "image_head")
        self.audio_head = two_layers(embedding_dim, 0, "audio_head")
        size = backbone.feature_dim
        if self.object_space == "embedding":
            size = embedding_dim
        self.dictionary = ObjectDictionary(
            num_classes,
            size,
            seed=seed or 0,
            unit_rows=self.unit_rows,
            name="dictionary",
        )
        self.make_class_layers(num_classes, size)
        # A layer and no operator, as three backends export it.
        self.sharpen = keras.layers.Rescaling(sharpness, dtype="float32")
        self.over_classes = keras.layers.Softmax(dtype="float32", name="over_classes")
        # === Functional model ===
        samples = round(duration * self.spectrogram.sample_rate)
        inputs = {
            "frame": keras.Input(backbone.input_shape[1:], name="frame"),
            "waveform": keras.Input((samples,), name="waveform"),
        }
        seen = self.see(inputs["frame"], training=None)
        heard = self.hear(inputs["waveform"], training=None)
        fits = self.av_map(seen["embedding"], heard["embedding"])
        outputs = self.class_outputs(seen, heard, fits)
        super().__init__(inputs=inputs, outputs=outputs, compile=False, **kwargs)
        # === Config ===
        self.num_classes = num_classes
        self.embedding_dim = embedding_dim
        self.duration = duration
        self.object_divisor = object_divisor
        self.loss_weights = dict(loss_weights or {})
        self.sharpness = sharpness
        self.seed = seed
        self.sample_rate = self.spectrogram.sample_rate
        self.views = views if views is not None else FrameViews(seed=seed)
        # What is clustered: learned from one source at a time.
        self.solo_model = keras.Model(
            inputs,
            {
                "object": self.object_vector(seen, fits),
                "sound": heard[self.object_space],
            },
            name="solo",
        )
        self.image_classifier = linear_head(num_classes, size, "image_classifier")
        self.audio_classifier = linear_head(num_classes, size, "audio_classifier")

    def make_class_layers(self, num_classes, size):
        """Create what `class_outputs` needs; nothing by default.

        Args:
            num_classes: int.
            size: int. Channels in which objects are compared.
        """

    def class_outputs(self, seen, heard, fits):
        """Outputs of the model, by name.

        Args:
            seen: dict of what `see` returns.
            heard: dict of what `hear` returns.
            fits: tensor `(B, h, w, 1)`, where picture and sound fit.

        Returns:
            Dict with `class_maps` and `sounding_map` at least.
        """
        raise NotImplementedError

    def training_phases(self, solo, mixed=None, **schedule):
        """What is learned when, as a list of `keras_avrep.training.Phase`."""
        raise NotImplementedError

    def see(self, frames, training):
        """Maps of pictures, 0 to 255: `features` and `embedding`, `(B, h, w, C)`."""
        features = self.backbone(self.normalise(frames), training=training)
        return {"features": features, "embedding": self.image_head(features)}

    def hear(self, waveforms, training):
        """Vectors of sounds: `features` and `embedding` `(B, C)`, and the map of
        the stage before the last one, `middle`."""
        return self.hear_log_mel(self.spectrogram(waveforms), training)

    def hear_log_mel(self, log_mel, training):
        """What `hear` returns, of spectrograms `(B, time, mel)`."""
        stages = self.audio_stages(log_mel[..., None], training=training)
        x = ops.cast(stages["stage4"], "float32")
        # A pool of the whole map: the gradient of `ops.max` looks for a maximum that
        # XLA may have computed anew, a little differently. It was seen to be NaN.
        features = ops.max_pool(x, x.shape[1:3], strides=1)[:, 0, 0]
        return {
            "features": features,
            "embedding": self.audio_head(features),
            "middle": stages["stage3"],
        }

    def object_vector(self, seen, fits):
        """What sounds in each picture, as one vector `(B, C)`."""
        return self.object_feature(seen[self.object_space], self.sounding_mask(fits))

    def solo_features(self, batches):
        """What is clustered: objects and sounds of clips with one source.

        Args:
            batches: iterable of batches, as of `keras_avrep.data.MomentSet.each_once`.

        Returns:
            Three arrays: objects `(N, C)`, sounds `(N, C)` and the record of each.
        """
        objects, sounds, records = [], [], []
        for batch in batches:
            inputs = {"frame": batch["frame"], "waveform": batch["audio"]}
            outputs = self.solo_model.predict_on_batch(inputs)
            objects.append(outputs["object"])
            sounds.append(outputs["sound"])
            records.append(batch["record"])
        return tuple(np.concatenate(x) for x in (objects, sounds, records))

    def training_sampler(self):
        """Which moment of a video a step takes."""
        return RandomMoment(self.duration, self.sample_rate)

    def inference_models(self):
        """What can be exported: the `localiser`, this model itself, and
        `localiser_log_mel`, which takes `log_mel` `(B, time, mel)` instead of
        `waveform`."""
        models = {
            "localiser": keras.Model(self.input, self.output, name="localiser"),
            "localiser_log_mel": self.log_mel_model(),
        }
        for model in models.values():
            model.map_centre = self.map_centre
        return models

    def log_mel_model(self):
        """The same model for sounds that are log-mel spectrograms already, made as
        `spectrogram` makes them."""
        shape = self.spectrogram.compute_output_shape(self.input["waveform"].shape)
        inputs = {
            "frame": keras.Input(self.input["frame"].shape[1:], name="frame"),
            "log_mel": keras.Input(shape[1:], name="log_mel"),
        }
        seen = self.see(inputs["frame"], training=None)
        heard = self.hear_log_mel(inputs["log_mel"], training=None)
        fits = self.av_map(seen["embedding"], heard["embedding"])
        outputs = self.class_outputs(seen, heard, fits)
        return keras.Model(inputs, outputs, name="localiser_log_mel")

    def inference_inputs(self, name, samples):
        """Examples of what an inference model takes, from a batch of moments."""
        inputs = {"frame": samples["frame"].astype("float32")}
        if name == "localiser_log_mel":
            log_mel = self.spectrogram(samples["audio"])
            return {**inputs, "log_mel": ops.convert_to_numpy(log_mel)}
        return {**inputs, "waveform": samples["audio"]}

    @classmethod
    def preset_arguments(cls, preset, changes):
        """Constructor arguments of a built-in configuration."""
        arguments = super().preset_arguments(preset, dict(changes))
        dtype = {k: changes[k] for k in ("dtype",) if k in changes}
        audio = AudioResNetBackbone(**preset["audio_backbone"], **dtype)
        av_map = AVCosineMap(name="av_map", **preset.get("av_map", {}))
        return {"audio_backbone": audio, "av_map": av_map, **arguments}

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        picture, sound = config.get("backbone"), config.get("audio_backbone")
        if isinstance(picture, dict) and isinstance(sound, dict):
            # `from_preset` gives today's precision to the backbone alone.
            precision = {"dtype": picture["config"].get("dtype")}
            sound = {**sound, "config": {**sound["config"], **precision}}
            config["audio_backbone"] = sound
        for name in OWN_LAYERS:
            if isinstance(config.get(name), dict):
                config[name] = keras.layers.deserialize(config[name])
        return super().from_config(config)

    def get_config(self):
        layers = {n: keras.layers.serialize(getattr(self, n)) for n in OWN_LAYERS}
        return {
            **super().get_config(),
            **layers,
            "num_classes": self.num_classes,
            "embedding_dim": self.embedding_dim,
            "duration": self.duration,
            "object_divisor": self.object_divisor,
            "loss_weights": dict(self.loss_weights),
            "sharpness": self.sharpness,
            "seed": self.seed,
        }


def two_layers(width, spatial, name):
    """Two layers with a ReLU between them, 1 x 1 convolutions on a map."""
    make = {
        2: lambda n: keras.layers.Conv2D(width, 1, dtype="float32", name=n),
        0: lambda n: keras.layers.Dense(width, dtype="float32", name=n),
    }[spatial]
    layers = [
        make(f"{name}_hidden"),
        keras.layers.ReLU(dtype="float32"),
        make(f"{name}_out"),
    ]
    return keras.Sequential(layers, name=name)


def linear_head(num_classes, size, name):
    """A built linear classifier over vectors `(B, size)`."""
    head = keras.layers.Dense(
        num_classes,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        dtype="float32",
        name=name,
    )
    head.build((None, size))
    return head
