"""Augmentations of float clips `(batch, T, H, W, 3)`, one draw for each clip."""

import math

from keras import ops, random

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
LUMA = (0.299, 0.587, 0.114)


def normalise(clip, mean=IMAGENET_MEAN, std=IMAGENET_STD):
    """Subtract the mean and divide by the standard deviation of each channel.

    Args:
        clip: float tensor `(..., 3)`, values in [0, 1].
        mean: 3 floats. Defaults to ImageNet's.
        std: 3 floats. Defaults to ImageNet's.

    Returns:
        Tensor of the clip's shape.

    Example:
    ```python
    normalise(keras.ops.zeros((1, 2, 8, 8, 3)))
    ```
    """
    mean, std = ops.array(mean, clip.dtype), ops.array(std, clip.dtype)
    return (clip - mean) / std


def draw_crops(batch, seed, scale=(0.2, 1.0), ratio=(3 / 4, 4 / 3)):
    """Draw one random-resized-crop box for each clip.

    Args:
        batch: int. Number of clips.
        seed: SeedGenerator.
        scale: range of the crop's share of the area. Defaults to (0.2, 1).
        ratio: range of its aspect ratio. Defaults to (3/4, 4/3).

    Returns:
        Tensor `(batch, 4)`: relative `y1, x1, y2, x2`.

    Example:
    ```python
    draw_crops(2, keras.random.SeedGenerator(0)).shape  # (2, 4)
    ```
    """
    area = random.uniform((batch,), *scale, seed=seed)
    log_ratio = (math.log(ratio[0]), math.log(ratio[1]))
    aspect = ops.exp(random.uniform((batch,), *log_ratio, seed=seed))
    width = ops.minimum(ops.sqrt(area * aspect), 1.0)
    height = ops.minimum(ops.sqrt(area / aspect), 1.0)
    y1 = random.uniform((batch,), seed=seed) * (1.0 - height)
    x1 = random.uniform((batch,), seed=seed) * (1.0 - width)
    return ops.stack([y1, x1, y1 + height, x1 + width], axis=-1)


def draw_flips(batch, seed, probability=0.5):
    """Draw for each clip whether it is mirrored, a bool tensor `(batch,)`.

    Args:
        batch: int. Number of clips.
        seed: SeedGenerator.
        probability: float. Defaults to `0.5`.

    Returns:
        Bool tensor `(batch,)`.

    Example:
    ```python
    draw_flips(2, keras.random.SeedGenerator(0), 0.0)  # [False, False]
    ```
    """
    return random.uniform((batch,), seed=seed) < probability


def crop_and_resize(clip, boxes, flips, size):
    """Crop, mirror and resize all frames of a clip alike, bilinear.

    Resampling is separable, so it is two small matrix products a clip.

    Args:
        clip: float tensor `(batch, T, H, W, C)`.
        boxes: tensor `(batch, 4)`, relative `y1, x1, y2, x2`.
        flips: bool tensor `(batch,)`.
        size: int. Height and width of the result, in pixels.

    Returns:
        Tensor `(batch, T, size, size, C)`.

    Example:
    ```python
    whole = keras.ops.array([[0.0, 0.0, 1.0, 1.0]])
    clip = keras.random.uniform((1, 2, 8, 8, 3))
    crop_and_resize(clip, whole, keras.ops.array([False]), 4).shape
    ```
    """
    time, height, width, channels = clip.shape[1:]
    boxes, flips = ops.convert_to_tensor(boxes), ops.convert_to_tensor(flips)
    rows = _resampling(boxes[:, 0], boxes[:, 2], height, size)
    columns = _resampling(boxes[:, 1], boxes[:, 3], width, size)
    columns = ops.where(flips[:, None, None], ops.flip(columns, axis=1), columns)
    flat = ops.reshape(
        ops.transpose(clip, (0, 2, 1, 3, 4)), (-1, height, time * width * channels)
    )
    x = ops.matmul(rows, flat)
    x = ops.reshape(x, (-1, size, time, width, channels))
    x = ops.reshape(
        ops.transpose(x, (0, 3, 2, 1, 4)), (-1, width, time * size * channels)
    )
    x = ops.reshape(ops.matmul(columns, x), (-1, size, time, size, channels))
    return ops.transpose(x, (0, 2, 3, 1, 4))


def _resampling(start, end, length, size):
    """Matrices `(batch, size, length)` that sample `[start, end)` bilinearly.

    The triangle widens when shrinking, which is antialiasing.
    """
    step = (end - start)[:, None] * length / size
    centres = start[:, None] * length + (ops.arange(size, dtype="float32") + 0.5) * step
    source = ops.arange(length, dtype="float32") + 0.5
    distance = ops.abs(source[None, None, :] - centres[:, :, None])
    weights = ops.maximum(1.0 - distance / ops.maximum(step, 1.0)[:, :, None], 0.0)
    return weights / ops.sum(weights, axis=-1, keepdims=True)


def grayscale(clip, seed, probability=0.2):
    """Turn some clips gray (luma in all channels).

    Args:
        clip: float tensor `(batch, T, H, W, 3)`.
        seed: SeedGenerator.
        probability: float. Defaults to `0.2`.

    Returns:
        Tensor of the clip's shape.

    Example:
    ```python
    grayscale(keras.random.uniform((1, 2, 8, 8, 3)), keras.random.SeedGenerator(0))
    ```
    """
    return ops.where(_chosen(clip, seed, probability), luma(clip), clip)


def color_jitter(
    clip,
    seed,
    brightness=0.4,
    contrast=0.4,
    saturation=0.4,
    hue=0.1,
    probability=0.8,
    random_order=False,
):
    """Change brightness, contrast, saturation and hue, alike for all frames.

    Hue is a rotation about the gray axis, which is linear in RGB.

    Args:
        clip: float tensor `(batch, T, H, W, 3)`, values in [0, 1].
        seed: SeedGenerator.
        brightness: float. Factor in `1 ± brightness`. Defaults to `0.4`.
        contrast: float. Likewise, about the clip's mean luma. Defaults to `0.4`.
        saturation: float. Likewise, about each pixel's luma. Defaults to `0.4`.
        hue: float. Turn in `± hue` of a full circle. Defaults to `0.1`.
        probability: float. Share of clips that are changed. Defaults to `0.8`.
        random_order: bool. Whether each clip draws which of the four comes first and
            so on; otherwise it is brightness, contrast, saturation, hue. Defaults to
            `False`.

    Returns:
        Tensor of the clip's shape, clipped to [0, 1] where changed.

    Example:
    ```python
    color_jitter(keras.random.uniform((1, 2, 8, 8, 3)), keras.random.SeedGenerator(0))
    ```
    """
    chosen = _chosen(clip, seed, probability)
    factors = [
        _factor(clip, seed, strength)
        for strength in (brightness, contrast, saturation, hue)
    ]
    factors[3] = factors[3] - 1.0
    order = None
    if random_order:
        draws = random.uniform((ops.shape(clip)[0], len(factors)), seed=seed)
        order = ops.argsort(draws, axis=-1)
    return ops.where(chosen, adjust_color(clip, *factors, order), clip)


def adjust_color(clip, brightness, contrast, saturation, hue, order=None):
    """Change brightness, contrast, saturation and hue by given amounts.

    Args:
        clip: float tensor `(batch, T, H, W, 3)`, values in [0, 1].
        brightness: factor, a number or a tensor `(batch, 1, 1, 1, 1)`.
        contrast: factor about the clip's mean luma, likewise.
        saturation: factor about each pixel's luma, likewise.
        hue: turn as a share of a full circle, likewise a tensor.
        order: int tensor `(batch, 4)`. The place of each change in the list above, in
            the order in which a clip gets them. Defaults to the list's own.

    Returns:
        Tensor of the clip's shape, clipped to [0, 1] after each change.

    Example:
    ```python
    adjust_color(keras.ops.ones((1, 2, 8, 8, 3)), 0.5, 1.0, 1.0, 0.0)  # 0.5
    ```
    """
    amounts = [_for_each_clip(clip, x) for x in (brightness, contrast, saturation, hue)]
    matrices = ops.stack(_color_matrices(*amounts), axis=1)
    # Contrast adds, beside its matrix, a share of the mean luma at its time.
    none = ops.zeros_like(amounts[0])
    shares = ops.concatenate([none, 1.0 - amounts[1], none, none], axis=1)
    if order is not None:
        matrices = ops.take_along_axis(matrices, order[:, :, None, None], axis=1)
        shares = ops.take_along_axis(shares, order[:, :, None], axis=1)
    x = ops.reshape(clip, (-1, math.prod(clip.shape[1:4]), 3))
    for step in range(matrices.shape[1]):
        mean = luma(ops.mean(x, axis=1, keepdims=True))
        changed = ops.matmul(x, ops.transpose(matrices[:, step], (0, 2, 1)))
        x = ops.clip(changed + shares[:, step, None] * mean, 0.0, 1.0)
    return ops.reshape(x, ops.shape(clip))


def gaussian_blur(clip, seed, kernel_size=11, sigma=(0.1, 2.0), probability=0.5):
    """Blur some clips, with one sigma drawn for each.

    Args:
        clip: float tensor `(batch, T, H, W, C)`.
        seed: SeedGenerator.
        kernel_size: int, odd. In pixels. Defaults to `11`.
        sigma: range of the standard deviation in pixels. Defaults to (0.1, 2).
        probability: float. Defaults to `0.5`.

    Returns:
        Tensor of the clip's shape.

    Example:
    ```python
    gaussian_blur(keras.random.uniform((1, 2, 8, 8, 3)), keras.random.SeedGenerator(0))
    ```
    """
    batch = ops.shape(clip)[0]
    chosen = _chosen(clip, seed, probability)
    sigma = random.uniform((batch, 1, 1), *sigma, seed=seed)
    return ops.where(chosen, blur(clip, sigma, kernel_size), clip)


def blur(clip, sigma, kernel_size=11):
    """Blur clips with a given strength for each.

    Args:
        clip: float tensor `(batch, T, H, W, C)`.
        sigma: tensor `(batch, 1, 1)`. Standard deviation in pixels.
        kernel_size: int, odd. In pixels. Defaults to `11`.

    Returns:
        Tensor of the clip's shape.

    Example:
    ```python
    blur(keras.random.uniform((1, 2, 8, 8, 3)), keras.ops.ones((1, 1, 1)))
    ```
    """
    height, width = clip.shape[2:4]
    x = _apply_rows(clip, _blur_matrix(sigma, height, kernel_size), axis=2)
    return _apply_rows(x, _blur_matrix(sigma, width, kernel_size), axis=3)


def solarise(clip, seed, threshold=0.5, probability=0.2):
    """Invert the values at and above a threshold in some clips.

    Args:
        clip: float tensor `(batch, T, H, W, C)`, values in [0, 1].
        seed: SeedGenerator.
        threshold: float. Defaults to `0.5`.
        probability: float. Defaults to `0.2`.

    Returns:
        Tensor of the clip's shape.

    Example:
    ```python
    solarise(keras.random.uniform((1, 2, 8, 8, 3)), keras.random.SeedGenerator(0))
    ```

    Reference: note of ConST-CL (arXiv:2112.05181), section 2.
    """
    chosen = _chosen(clip, seed, probability)
    inverted = ops.where(clip < threshold, clip, 1.0 - clip)
    return ops.where(chosen, inverted, clip)


def _blur_matrix(sigma, length, kernel_size):
    distance = ops.arange(length, dtype="float32")
    distance = ops.abs(distance[:, None] - distance[None, :])[None]
    weights = ops.exp(-0.5 * ops.square(distance / sigma))
    weights = ops.where(distance <= kernel_size // 2, weights, 0.0)
    return weights / ops.sum(weights, axis=-1, keepdims=True)


def _apply_rows(clip, matrix, axis):
    if axis == 2:
        return ops.einsum("bij,btjwc->btiwc", matrix, clip)
    return ops.einsum("bij,bthjc->bthic", matrix, clip)


def _chosen(clip, seed, probability):
    draw = random.uniform((ops.shape(clip)[0], 1, 1, 1, 1), seed=seed)
    return draw < probability


def _factor(clip, seed, strength):
    shape = (ops.shape(clip)[0], 1, 1, 1, 1)
    return random.uniform(shape, 1.0 - strength, 1.0 + strength, seed=seed)


def luma(clip):
    """Brightness as the eye has it, `(..., 1)`."""
    weights = ops.array(LUMA, clip.dtype)
    return ops.sum(clip * weights, axis=-1, keepdims=True)


def _for_each_clip(clip, amount):
    """A number or one number a clip as a tensor `(batch, 1, 1)`."""
    amount = ops.reshape(ops.cast(amount, clip.dtype), (-1, 1, 1))
    return ops.broadcast_to(amount, (ops.shape(clip)[0], 1, 1))


def _color_matrices(brightness, contrast, saturation, hue):
    """What each change does to a colour, as matrices `(batch, 3, 3)`."""
    dtype = hue.dtype
    same = ops.eye(3, dtype=dtype)[None]
    gray = ops.tile(ops.array(LUMA, dtype)[None, None], (1, 3, 1))
    turn = hue * 2 * math.pi
    # About the gray axis, by Rodrigues' formula.
    axis = ops.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], dtype)[None] / math.sqrt(3)
    return [
        brightness * same,
        contrast * same,
        saturation * same + (1.0 - saturation) * gray,
        ops.cos(turn) * same + (1.0 - ops.cos(turn)) / 3 + ops.sin(turn) * axis,
    ]
