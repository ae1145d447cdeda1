import keras

from keras_avrep.layers import ScaleShift, SilentGate
from keras_avrep.models.csol.csol_phases import csol_phases
from keras_avrep.models.csol.csol_presets import FOLDER, PRESETS
from keras_avrep.models.localisation_task import LocalisationTask
from keras_avrep.models.loss_weights import check_loss_weights

WEIGHTS = {"category": 1.0, "correspondence": 0.5}


@keras.saving.register_keras_serializable(package="keras_avrep")
class CSOL(LocalisationTask):
    """Which object sounds, and where, from videos without labels.

    Stage one learns from clips with one source where picture and sound fit, and
    clusters what sounds into a dictionary of objects. Stage two learns from mixtures:
    the dictionary gives a map for each class, the correspondence map mutes what is
    silent, and what is left must be the classes that the frozen sound classifier of
    stage one hears.

    Args:
        backbone: `keras_avrep.backbones.ImageResNetBackbone`.
        audio_backbone: `keras_avrep.backbones.AudioResNetBackbone`.
        views: `FrameViews`, or `None` for its defaults at 224 pixels.
        spectrogram: `keras_avrep.layers.LogMel`, or `None` for its defaults.
        num_classes: int. K, rows of the dictionary. Defaults to 11.
        embedding_dim: int. Defaults to 128.
        duration: float. Seconds of sound. Defaults to 1.
        av_map: `AVCosineMap`, or `None` for its defaults: a learned scale of 5.
        sounding_mask: `SoundingMask`, or `None` for its defaults.
        object_divisor: string. `"map"` or `"area"`. Defaults to `"map"`.
        loss_weights: dict from `"category"` and `"correspondence"` to floats, of stage
            two; 0 switches a term off. Defaults to 1 and 0.5.
        unit_rows: bool. See `keras_avrep.layers.ObjectDictionary`. Defaults to
            `False`, as released.
        gate: string. `"product"`, `"minimum"` or `"off"`; see `SilentGate`. Defaults
            to `"product"`.
        sharpness: float. Of the softmax over classes in the output. Defaults to 3.
        seed: int. Defaults to `None`.

    Example:
    ```python
    model = keras_avrep.models.CSOL.from_preset("csol_tiny", load_weights=False)
    second = {"frame": frames, "waveform": waveforms}  # (N, H, W, 3), (N, 16000)
    model.predict(second)["class_maps"]  # (N, H / 16, W / 16, 11)
    ```

    Reference: Hu et al., arXiv:2112.11749; note of CSOL.
    """

    # Its arguments are those of a schedule.
    phases_function = staticmethod(csol_phases)

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
        unit_rows=False,
        gate="product",
        sharpness=3.0,
        seed=None,
        **kwargs,
    ):
        weights = {**WEIGHTS, **(loss_weights or {})}
        weights = check_loss_weights(weights, WEIGHTS, WEIGHTS)
        self.gate_mode = gate
        self.unit_rows = unit_rows
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

    presets = PRESETS
    preset_folder = FOLDER

    def make_class_layers(self, num_classes, size):
        self.scale_shift = ScaleShift(name="scale_shift")
        self.gate = SilentGate(self.gate_mode, name="gate")

    def muted_maps(self, seen, fits, gate=None):
        """Maps of classes `(B, h, w, K)`, those of what is silent muted."""
        maps = self.scale_shift(self.dictionary(seen["features"]))
        return (self.gate if gate is None else gate)(maps, fits)

    def class_outputs(self, seen, heard, fits):
        maps = self.sharpen(self.muted_maps(seen, fits))
        return {"class_maps": self.over_classes(maps), "sounding_map": fits}

    def training_phases(self, solo, mixed=None, **schedule):
        """What is learned when; see `csol_phases` for the schedule's arguments.

        Args:
            solo: `keras_avrep.data.MomentSet` of videos with one source.
            mixed: `keras_avrep.data.MomentSet` of videos with several, or `None` for
                stage one alone.
            **schedule: see `csol_phases`.

        Returns:
            List of `keras_avrep.training.Phase`.

        Example:
        ```python
        phases = model.training_phases(solo, mixed, solo_epochs=15, mixed_epochs=5)
        keras_avrep.training.train_phases(phases, "runs/instruments")
        ```
        """
        return self.phases_function(self, solo, mixed, **schedule)

    def get_config(self):
        return {
            **super().get_config(),
            "gate": self.gate_mode,
            "unit_rows": self.unit_rows,
        }
