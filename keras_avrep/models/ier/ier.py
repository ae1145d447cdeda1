import keras
from keras import ops

from keras_avrep.layers import (
    AudioInstanceIdentifier,
    CrossModalReferrer,
    MatchedPrototypeScore,
    PrototypeBank,
)
from keras_avrep.models.ier.ier_phases import ier_phases
from keras_avrep.models.ier.ier_presets import FOLDER, PRESETS
from keras_avrep.models.ier.prototype_referrer import PrototypeReferrer
from keras_avrep.models.localisation_task import LocalisationTask
from keras_avrep.models.loss_weights import check_loss_weights

TAPS = ("middle", "features")
WEIGHTS = {
    "distillation": 1.0,
    "correspondence": 0.5,
    "identification": 0.5,
    "entropy": 0.0,
}


@keras.saving.register_keras_serializable(package="keras_avrep")
class InterferenceEraser(LocalisationTask):
    """Which object sounds, and where, when much of the sound is of something else.

    A re-creation of IEr, of which no code exists. The one vector of a sound hides its
    quiet sources: learned steps turn it into one vector for each class, near the
    prototype of that class if it is audible. Picture and sound then clean each other:
    the sound mutes what is seen and silent, the picture erases what is heard and not
    seen, and what is left on either side has to agree.

    Args:
        backbone: `keras_avrep.backbones.ImageResNetBackbone`.
        audio_backbone: `keras_avrep.backbones.AudioResNetBackbone`.
        views: `FrameViews`, or `None` for its defaults at 224 pixels.
        spectrogram: `keras_avrep.layers.LogMel`, or `None` for its defaults.
        num_classes: int. K. Defaults to 11.
        embedding_dim: int. C, in which pictures, sounds and both kinds of prototypes
            are compared. Defaults to 512.
        duration: float. Seconds of sound. Defaults to 1.
        av_map: `AVCosineMap`, or `None` for its defaults: a learned scale of 5.
        sounding_mask: `SoundingMask`, or `None` for its defaults.
        object_divisor: string. `"map"` or `"area"`. Defaults to `"map"`.
        loss_weights: dict from `"distillation"`, `"correspondence"`,
            `"identification"` (of the replay) and `"entropy"` (of the distribution
            that is seen) to floats, of stage two; 0 switches a term off. Defaults to
            1, 0.5, 0.5 and 0.
        identifier: bool. Whether there are steps; without, all classes have the
            vector of the sound. Defaults to `True`.
        tap: string. What steps are computed from: the map of the `"middle"` of the
            sound's network or the `"features"` at its end. Defaults to `"middle"`.
        rank: int or `None`. See `AudioInstanceIdentifier`. Defaults to `None`.
        silent_filter: bool. See `CrossModalReferrer`, as the next seven. Defaults to
            `True`.
        off_screen_filter: bool. Defaults to `True`.
        order: string. `"figure"` or `"notes"`. Defaults to `"notes"`, which measured
            better on the world `orchestra`.
        amount: string. `"area"` or `"any"`. Defaults to `"area"`.
        threshold: float. Defaults to 0.2.
        relative_threshold: float. Defaults to 0.5.
        visual_logit_scale: float. Defaults to 10.
        audio_logit_scale: float. Defaults to 10.
        sharpness: float. Of the softmax over classes in the output. Defaults to 3.
        seed: int. Defaults to `None`.

    Returns:
        Dict of float32 `class_maps` `(B, h, w, K)`, a distribution over the classes at
        every place; `raw_class_maps` before that, in [0, 1]; `sounding_map`
        `(B, h, w, 1)`; `audible_scores` `(B, K)`, cosines, of which more than 0.5
        counts as audible; and `audio_distribution` `(B, K)`, what is heard and seen.

    Raises:
        ValueError: if `loss_weights` names other terms, or `tap` is unknown.

    Example:
    ```python
    InterferenceEraser = keras_avrep.models.InterferenceEraser
    model = InterferenceEraser.from_preset("ier_tiny", load_weights=False)
    second = {"frame": frames, "waveform": waveforms}  # (N, H, W, 3), (N, 16000)
    model.predict(second)["audible_scores"]  # (N, 11)
    ```

    Reference: Liu et al., arXiv:2202.06406; note of IEr.
    """

    presets = PRESETS
    preset_folder = FOLDER
    object_space = "embedding"

    # Its arguments are those of a schedule.
    phases_function = staticmethod(ier_phases)

    def __init__(
        self,
        backbone,
        audio_backbone,
        views=None,
        spectrogram=None,
        num_classes=11,
        embedding_dim=512,
        duration=1.0,
        av_map=None,
        sounding_mask=None,
        object_divisor="map",
        loss_weights=None,
        identifier=True,
        tap="middle",
        rank=None,
        silent_filter=True,
        off_screen_filter=True,
        order="notes",
        amount="area",
        threshold=0.2,
        relative_threshold=0.5,
        visual_logit_scale=10.0,
        audio_logit_scale=10.0,
        sharpness=3.0,
        seed=None,
        **kwargs,
    ):
        weights = {**WEIGHTS, **(loss_weights or {})}
        weights = check_loss_weights(weights, WEIGHTS, WEIGHTS)
        if tap not in TAPS:
            raise ValueError(f"`tap` must be one of {TAPS}, got {tap!r}.")
        self.has_identifier = identifier
        self.tap = tap
        self.rank = rank
        self.switches = {
            "silent_filter": silent_filter,
            "off_screen_filter": off_screen_filter,
            "order": order,
            "amount": amount,
            "threshold": threshold,
            "relative_threshold": relative_threshold,
            "visual_logit_scale": visual_logit_scale,
            "audio_logit_scale": audio_logit_scale,
        }
        super().__init__(
            backbone,
            audio_backbone,
            views=views,
            spectrogram=spectrogram,
            num_classes=num_classes,
            embedding_dim=embedding_dim,
            duration=duration,
            av_map=av_map,
            sounding_mask=sounding_mask,
            object_divisor=object_divisor,
            loss_weights=weights,
            sharpness=sharpness,
            seed=seed,
            **kwargs,
        )

    def make_class_layers(self, num_classes, size):
        self.identifier = None
        if self.has_identifier:
            self.identifier = AudioInstanceIdentifier(
                num_classes, self.rank, name="identifier"
            )
        self.audio_prototypes = PrototypeBank(
            num_classes, size, name="audio_prototypes"
        )
        self.referrer = PrototypeReferrer(
            CrossModalReferrer(**self.switches),
            self.dictionary,
            self.audio_prototypes,
            name="referrer",
        )
        self.score = MatchedPrototypeScore(name="score")

    def expand(self, heard):
        """The vector of a sound for each class, `(B, K, C)`, of what `hear` returns."""
        if self.identifier is None:
            return ops.repeat(
                heard["embedding"][:, None], self.dictionary.num_classes, 1
            )
        return self.identifier(heard[self.tap], heard["embedding"])

    def audible_scores(self, vectors):
        """Cosine of each class's vector with its prototype, `(B, K)`."""
        rows = ops.convert_to_tensor(self.audio_prototypes.prototypes)
        return self.score(vectors, rows)

    def refer(self, seen, heard):
        """What picture and sound make of each other; see `CrossModalReferrer`.

        Args:
            seen: dict of what `see` returns.
            heard: dict of what `hear` returns.

        Returns:
            Dict of tensors.
        """
        vectors = self.expand(heard)
        maps = self.av_map(seen["embedding"], vectors)
        return self.referrer(seen["embedding"], maps, vectors)

    def class_outputs(self, seen, heard, fits):
        outputs = self.refer(seen, heard)
        return {
            "class_maps": self.over_classes(self.sharpen(outputs["class_maps"])),
            "raw_class_maps": outputs["class_maps"],
            "sounding_map": fits,
            "audible_scores": outputs["audible_scores"],
            "audio_distribution": outputs["audio_distribution"],
        }

    def training_phases(self, solo, mixed=None, **schedule):
        """What is learned when; see `ier_phases` for the schedule's arguments.

        Args:
            solo: `keras_avrep.data.MomentSet` of videos with one source.
            mixed: `keras_avrep.data.MomentSet` of any videos, or `None` for stage one
                alone.
            **schedule: see `ier_phases`.

        Returns:
            List of `keras_avrep.training.Phase`.

        Example:
        ```python
        phases = model.training_phases(solo, wild, solo_epochs=15, mixed_epochs=5)
        keras_avrep.training.train_phases(phases, "runs/in_the_wild")
        ```
        """
        return self.phases_function(self, solo, mixed, **schedule)

    def get_config(self):
        return {
            **super().get_config(),
            **self.switches,
            "identifier": self.has_identifier,
            "tap": self.tap,
            "rank": self.rank,
        }
