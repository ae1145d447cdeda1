from keras import ops

from keras_avrep.layers import ActivationMap
from keras_avrep.models.pixel_features import maps_in_one_batch
from keras_avrep.models.preset_task import PresetTask
from keras_avrep.training import SelfSupervisedTask
from keras_avrep.views import RandomClips


class PretrainingTask(PresetTask, SelfSupervisedTask):
    """A system that learns from video: its presets, its clips, what it exports.

    A subclass is a `SelfSupervisedTask` and says what a `PresetTask` says; `clip` of
    a preset has `num_frames`, `stride` and `size` of a decoded clip.

    Commands and evaluation use only what is here, so they take any system.
    """

    # Constructor arguments that turn the system into the plain contrast it is
    # compared with.
    baseline = {}
    # Clips of a video that a step encodes; speeds are counted in them.
    clips_per_video = 2
    # Whether its views take boxes that are known; see `keras_avrep.data.BoxedClips`.
    takes_boxes = False

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
        """The weights of terms are arguments, which stand above what was saved."""
        self.apply_loss_weights()

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

    def open_axes(self, name):
        """Axes of what an inference model takes that may have any length.

        Args:
            name: string. A key of `inference_models`.

        Returns:
            Dict from input name to the number of its axis, the batch being 0; empty
            by default.
        """
        return {}

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
            kind: ops.convert_to_numpy(ActivationMap()(feature_map))[..., 0]
            for kind, feature_map in self.feature_maps(inputs).items()
        }

    def feature_maps(self, inputs):
        """Maps `(N, t, h, w, C)` that `activation_maps` shows, from its inputs.

        Whole RGB clips are what batch norm is set to; other kinds are seen as in a
        step, all in one batch.
        """
        rgb = {"rgb": self.backbone(inputs["rgb"], training=False)}
        if len(inputs) == 1:
            return rgb
        return {**maps_in_one_batch(self.backbone, inputs), **rgb}

    def map_inputs(self, rgb):
        """Kinds of input that `activation_maps` shows, from normalised clips."""
        return {"rgb": rgb}
