import keras

from keras_avrep.layers.class_visual_maps import ClassVisualMaps
from keras_avrep.layers.matched_prototype_score import MatchedPrototypeScore
from keras_avrep.layers.off_screen_filter import OffScreenFilter
from keras_avrep.layers.silent_object_filter import SilentObjectFilter


@keras.saving.register_keras_serializable(package="keras_avrep")
class CrossModalReferrer(keras.layers.Layer):
    """Picture and sound clean each other, class by class.

    The sound mutes what is seen and silent; the picture erases what is heard and not
    seen. What is left on either side is a distribution over classes, to be distilled
    into that of the other side.

    Args:
        visual_logit_scale: float. See `SilentObjectFilter`; averaged maps are small.
            Defaults to 10.
        audio_logit_scale: float. See `OffScreenFilter`. Defaults to 10.
        relu: bool. See `ClassVisualMaps`. Defaults to `True`.
        silent_filter: bool. See `SilentObjectFilter`. Defaults to `True`.
        off_screen_filter: bool. See `OffScreenFilter`. Defaults to `True`.
        order: string. `"figure"` or `"notes"`; see `OffScreenFilter`. Defaults to
            `"notes"`.
        amount: string. `"area"` or `"any"`; see `OffScreenFilter`. Defaults to
            `"area"`.
        threshold: float. See `OffScreenFilter`. Defaults to 0.2.
        relative_threshold: float. See `OffScreenFilter`. Defaults to 0.5.

    Call arguments:
        features: tensor `(B, h, w, C)` of the picture.
        sound_maps: tensor `(B, h, w, K)` in [0, 1], where the picture fits the sound
            of each class, from `AVCosineMap`.
        vectors: tensor `(B, K, C)` of the sound, one for each class.
        visual_prototypes: tensor `(K, C)`.
        audio_prototypes: tensor `(K, C)`.

    Returns:
        Dict of float32 `class_maps` `(B, h, w, K)`, where each class is seen and
        heard; `visual_maps`, where it is seen; `audible_scores` `(B, K)`, cosines;
        `visual_log_distribution` and `audio_log_distribution` `(B, K)`, of either
        side after its filter; `audio_distribution`, the latter without the logarithm;
        `heard_log_distribution`, of the sound before it; and `seen` `(B, K)`.

    Example:
    ```python
    features = keras.random.normal((2, 6, 6, 8))
    vectors = keras.random.normal((2, 3, 8))
    prototypes = keras.random.normal((3, 8))
    maps = AVCosineMap()(features, vectors)
    outputs = CrossModalReferrer()(features, maps, vectors, prototypes, prototypes)
    outputs["class_maps"].shape  # (2, 6, 6, 3)
    ```

    Reference: IEr (arXiv:2202.06406), note sections 3.4 and 3.5.
    """

    def __init__(
        self,
        visual_logit_scale=10.0,
        audio_logit_scale=10.0,
        relu=True,
        silent_filter=True,
        off_screen_filter=True,
        order="notes",
        amount="area",
        threshold=0.2,
        relative_threshold=0.5,
        **kwargs,
    ):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.visual_logit_scale = visual_logit_scale
        self.audio_logit_scale = audio_logit_scale
        self.relu = relu
        self.silent_filter = silent_filter
        self.off_screen_filter = off_screen_filter
        self.order = order
        self.amount = amount
        self.threshold = threshold
        self.relative_threshold = relative_threshold
        self.visual_maps = ClassVisualMaps(relu)
        self.score = MatchedPrototypeScore()
        self.mute_silent = SilentObjectFilter(visual_logit_scale, silent_filter)
        self.erase_unseen = OffScreenFilter(
            order,
            amount,
            threshold,
            relative_threshold,
            audio_logit_scale,
            off_screen_filter,
        )
        self.built = True

    def call(self, features, sound_maps, vectors, visual_prototypes, audio_prototypes):
        seen = self.visual_maps(features, visual_prototypes)
        scores = self.score(vectors, audio_prototypes)
        muted = self.mute_silent(seen, sound_maps)
        erased = self.erase_unseen(scores, seen)
        return {
            "class_maps": muted["class_maps"],
            "visual_maps": seen,
            "audible_scores": scores,
            "visual_log_distribution": muted["log_distribution"],
            "audio_log_distribution": erased["log_distribution"],
            "audio_distribution": erased["distribution"],
            "heard_log_distribution": erased["log_unfiltered"],
            "seen": erased["seen"],
        }

    def get_config(self):
        return {
            **super().get_config(),
            "visual_logit_scale": self.visual_logit_scale,
            "audio_logit_scale": self.audio_logit_scale,
            "relu": self.relu,
            "silent_filter": self.silent_filter,
            "off_screen_filter": self.off_screen_filter,
            "order": self.order,
            "amount": self.amount,
            "threshold": self.threshold,
            "relative_threshold": self.relative_threshold,
        }
