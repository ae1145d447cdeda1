from keras import ops, random


def channel_gray(clip, seed, probability=0.5, each_frame=False):
    """Turn some clips gray by one colour channel, drawn at random, in all three.

    Args:
        clip: float tensor `(batch, T, H, W, 3)`.
        seed: SeedGenerator.
        probability: float. Share of gray clips. Defaults to `0.5`.
        each_frame: bool. Whether every frame draws its own channel: a gray clip
            then flickers. Defaults to `False`.

    Returns:
        Tensor of the clip's shape.

    Example:
    ```python
    clip = keras.random.uniform((1, 2, 8, 8, 3))
    channel_gray(clip, keras.random.SeedGenerator(0), probability=1.0)
    ```

    Reference: note of Static and Dynamic Concepts (arXiv:2207.12795), section 2.
    """
    clip = ops.convert_to_tensor(clip)
    batch, time = ops.shape(clip)[0], clip.shape[1]
    chosen = random.uniform((batch, 1, 1, 1, 1), seed=seed) < probability
    shape = (batch, time if each_frame else 1)
    channel = random.randint(shape, 0, 3, seed=seed)
    one_hot = ops.one_hot(channel, 3, dtype=clip.dtype)[:, :, None, None, :]
    gray = ops.sum(clip * one_hot, axis=-1, keepdims=True)
    return ops.where(chosen, gray, clip)
