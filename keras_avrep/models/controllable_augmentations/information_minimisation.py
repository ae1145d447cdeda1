import keras
from keras import ops

from keras_avrep.layers import (
    CLUBMutualInformation,
    GradientReversal,
    JSDMutualInformation,
)

FORMS = ("jsd", "club", "colours")
# Largest changes of brightness, contrast, saturation, hue, gray and blur: the
# prediction of a record is judged in these units.
COLOUR_SCALE = (0.4, 0.4, 0.4, 0.1, 1.0, 2.0)


@keras.saving.register_keras_serializable(package="keras_avrep")
class MutualInformationMinimisation(keras.layers.Layer):
    """Keeps low-level cues out of region embeddings.

    Args:
        form: string. What must not be told from an embedding. `"jsd"`: the
            region's own low-level descriptor, by an adversarial critic of the
            Jensen-Shannon kind; `"club"`: the same by an upper bound; `"colours"`:
            which colour changes were applied, by an adversarial regression.
            Defaults to `"jsd"`.
        hidden_dim: int. Of the critic. Defaults to `256`.

    Call arguments:
        regions: embeddings `(batch, clips, R, dim)`.
        descriptors: low-level descriptors `(batch, clips, R, channels)`; no
            gradient flows to them.
        colours: records of colour changes `(batch, clips, 6)`.
        strength: float or scalar tensor. How strongly the embeddings are held
            to it. Defaults to `1.0`.

    Returns:
        float32 scalar. With `"jsd"` minus the estimate: 1.386 where embedding
        and descriptor are independent, 0 where one tells the other. The note's
        score from 0 to 1 is one minus a 1.386th of it.

    Raises:
        ValueError: if `form` is unknown.

    Example:
    ```python
    layer = MutualInformationMinimisation()
    regions = keras.random.normal((4, 2, 8, 16))
    layer(regions, regions, keras.ops.zeros((4, 2, 6)))  # 1.386
    ```

    Reference: note of Controllable Augmentations (arXiv:2203.16632), section
    4.3, a reconstruction.
    """

    def __init__(self, form="jsd", hidden_dim=256, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        if form not in FORMS:
            raise ValueError(f"`form` must be one of {FORMS}, got {form!r}.")
        self.form = form
        self.hidden_dim = hidden_dim
        self.reverse = GradientReversal()
        if form == "colours":
            self.hidden = keras.layers.Dense(
                hidden_dim, activation="relu", dtype="float32", name="hidden"
            )
            self.predicted = keras.layers.Dense(
                len(COLOUR_SCALE), dtype="float32", name="predicted"
            )
        else:
            layers = {"jsd": JSDMutualInformation, "club": CLUBMutualInformation}
            self.critic = layers[form](hidden_dim, name="critic")

    def build(self, regions_shape, descriptors_shape, colours_shape=None):
        if self.form == "colours":
            self.hidden.build((None, regions_shape[-1]))
            self.predicted.build((None, self.hidden_dim))
        else:
            self.critic.build(regions_shape, descriptors_shape)

    def call(self, regions, descriptors, colours, strength=1.0):
        if self.form == "colours":
            return self._predict_colours(
                self.reverse(regions, strength=strength), colours
            )
        descriptors = standardise(ops.stop_gradient(descriptors))
        if self.form == "club":
            bound, fit = self.critic(ops.cast(regions, "float32"), descriptors)
            # Reversed twice: the strength scales the gradient, not the value.
            return fit + self.reverse(bound, strength=-strength)
        return -self.critic(self.reverse(regions, strength=strength), descriptors)

    def _predict_colours(self, regions, colours):
        wanted = ops.cast(colours, "float32") / ops.array(COLOUR_SCALE, "float32")
        difference = self.predicted(self.hidden(regions)) - wanted[:, :, None]
        return ops.mean(ops.square(difference))

    def compute_output_shape(self, *shapes, **named_shapes):
        return ()

    def get_config(self):
        return {
            **super().get_config(),
            "form": self.form,
            "hidden_dim": self.hidden_dim,
        }


def standardise(x):
    """Mean 0 and deviation 1 of every channel over a batch."""
    x = ops.cast(x, "float32")
    axes = tuple(range(len(x.shape) - 1))
    mean = ops.mean(x, axis=axes, keepdims=True)
    return (x - mean) / ops.sqrt(ops.var(x, axis=axes, keepdims=True) + 1e-5)
