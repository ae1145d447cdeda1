import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_avrep")
class SinkhornAssignment(keras.layers.Layer):
    """Soft assignments of samples to concepts that use all concepts alike.

    Alternately every concept gets the same share of all samples and every sample
    the same share, starting from `exp(scores / epsilon)`. Computed with logarithms
    in float32, so nothing overflows; no gradient flows.

    Args:
        epsilon: float. Lower is closer to one concept a sample. Defaults to
            `0.05`.
        iterations: int. Defaults to `3`.

    Call arguments:
        scores: tensor `(..., samples, concepts)`. With fewer samples than twice
            the concepts, codes are close to noise.
        valid: bool tensor `(samples,)`. Samples that count in the shares of
            concepts; all where it is true of none. Defaults to all.

    Returns:
        float32 codes of the shape of `scores`; every row sums to one.

    Example:
    ```python
    codes = SinkhornAssignment()(keras.random.uniform((8, 4)))
    keras.ops.sum(codes, axis=-1)  # 1 for each of 8 samples
    ```

    Reference: SwAV (arXiv:2006.09882); note of Static and Dynamic Concepts
    (arXiv:2207.12795), section 4.2.
    """

    def __init__(self, epsilon=0.05, iterations=3, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.epsilon = epsilon
        self.iterations = iterations

    def call(self, scores, valid=None):
        scores = ops.stop_gradient(ops.cast(scores, "float32"))
        codes = scores / self.epsilon
        if valid is not None:
            # Shares of no sample at all would be no numbers.
            valid = ops.logical_or(valid, ops.logical_not(ops.any(valid)))
        # Constant factors of the shares cancel, as rows come last.
        for _ in range(self.iterations):
            counted = codes
            if valid is not None:
                counted = ops.where(valid[:, None], codes, -float("inf"))
            codes = codes - ops.logsumexp(counted, axis=-2, keepdims=True)
            codes = codes - ops.logsumexp(codes, axis=-1, keepdims=True)
        return ops.stop_gradient(ops.softmax(codes, axis=-1))

    def compute_output_shape(self, scores_shape, valid_shape=None):
        return scores_shape

    def get_config(self):
        return {
            **super().get_config(),
            "epsilon": self.epsilon,
            "iterations": self.iterations,
        }
