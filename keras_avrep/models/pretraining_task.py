import keras
from keras import ops

from keras_avrep.layers import ActivationMap
from keras_avrep.training import SelfSupervisedTask
from keras_avrep.views import RandomClips


class PretrainingTask(SelfSupervisedTask):
    """A system that learns from video: its presets, its clips, what it exports.

    A subclass is a `SelfSupervisedTask` and says, as class attributes:

    - `presets`: dict from name to a dict of `backbone`, `views`, `task` (all
      arguments), `clip` (`num_frames`, `stride`, `size` of a decoded clip) and
      `description`;
    - `preset_folder`: path of the directories of presets that have weights;
    - `backbone_cls` and `views_cls`: what the first two are arguments of.

    Commands and evaluation use only what is here, so they take any system.
    """

    presets = {}
    preset_folder = None
    views_cls = None
    # Constructor arguments that turn the system into the plain contrast it is
    # compared with.
    baseline = {}
    # Clips of a video that a step encodes; speeds are counted in them.
    clips_per_video = 2

    @classmethod
    def packaged_weights(cls, name):
        """Directory of a preset whose weights come with the package, or `None`."""
        folder = cls.preset_folder / name
        return folder if (folder / "model.weights.h5").exists() else None

    @classmethod
    def from_preset(cls, preset, load_weights=True, **kwargs):
        """A model from a built-in name, a directory, `hf://` or `kaggle://`.

        Args:
            preset: string. A name of the class's `presets`, a directory that
                `save_to_preset` wrote, or a handle of keras-hub.
            load_weights: bool. `False` for a fresh model. Defaults to `True`.
            **kwargs: constructor arguments to change.

        Returns:
            A model of this class.

        Raises:
            ValueError: if weights are asked of a name that has none.

        Example:
        ```python
        model = keras_avrep.models.DCLR.from_preset("dclr_tiny", load_weights=False)
        ```
        """
        if preset in cls.presets:
            folder = cls.packaged_weights(preset)
            if folder is None and load_weights:
                raise ValueError(
                    f"The preset {preset!r} is a configuration without weights: pass "
                    "`load_weights=False` and pretrain it, or give a directory that "
                    "`save_to_preset` wrote."
                )
            if folder is None or not load_weights:
                return cls(**cls.preset_arguments(cls.presets[preset], kwargs))
            preset = str(folder)
        # Keras-hub cannot read a mixed policy back, and today's machine decides.
        kwargs.setdefault("dtype", keras.config.dtype_policy())
        model = super().from_preset(preset, load_weights, **kwargs)
        model.after_loading()
        return model

    @classmethod
    def preset_arguments(cls, preset, changes):
        """Constructor arguments of a built-in configuration."""
        dtype = {k: changes.pop(k) for k in ("dtype",) if k in changes}
        backbone = cls.backbone_cls(**preset["backbone"], **dtype)
        views = cls.views_cls(**preset["views"], seed=changes.get("seed"))
        return {"backbone": backbone, "views": views, **preset["task"], **changes}

    @classmethod
    def changes_for(cls, preset, num_videos, batch_size, steps):
        """Constructor arguments that follow from the data and length of a run.

        Args:
            preset: string. A name of `presets`.
            num_videos: int. Videos to train on.
            batch_size: int.
            steps: int. Train steps of the run.

        Returns:
            Dict of arguments; empty by default.
        """
        return {}

    def after_loading(self):
        """Set what does not come with a backbone's weights; nothing by default."""

    def training_sampler(self, clip):
        """Which frames of a video a step needs.

        Args:
            clip: dict of `num_frames` and `stride`.

        Returns:
            A sampler; see `keras_avrep.views`. Two random clips by default.
        """
        return RandomClips(2, clip["num_frames"], clip["stride"])

    def warmup_batches(self, batch_size):
        """Batches that fill the queues before the first step; 0 by default."""
        return 0

    def inference_models(self):
        """What can be exported, from name to a `keras.Model`.

        The first is the representation; a system adds what is special to it.
        """
        return {"representation": self.representation}

    def inference_inputs(self, name, clips):
        """Examples of what one of the `inference_models` takes.

        Args:
            name: string. A key of `inference_models`.
            clips: array `(N, T, H, W, 3)` of pixels.

        Returns:
            Dict from input name to an array `(N, ...)`; the clips by default.
        """
        return {"video": clips}

    def calibrated_model(self):
        """The model from pixels whose batch norm is set to whole clips in the end.

        The representation by default; more where heads are used at inference.
        """
        return self.representation

    def activation_maps(self, clips):
        """What in a clip activates the backbone, for looking at.

        Args:
            clips: array `(N, T, H, W, 3)` of pixels, 0 to 255.

        Returns:
            Dict from the kind of input, `rgb` and others that a system has, to
            mean-one float32 arrays `(N, t, h, w)`.
        """
        inputs = self.map_inputs(
            self.get_layer("normalise")(ops.cast(clips, "float32"))
        )
        return {
            kind: ops.convert_to_numpy(
                ActivationMap()(self.backbone(x, training=False))
            )[..., 0]
            for kind, x in inputs.items()
        }

    def map_inputs(self, rgb):
        """Kinds of input that `activation_maps` shows, from normalised clips."""
        return {"rgb": rgb}

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        if isinstance(config.get("views"), dict):
            config["views"] = keras.layers.deserialize(config["views"])
        return super().from_config(config)

    def get_config(self):
        return {**super().get_config(), "views": keras.layers.serialize(self.views)}
