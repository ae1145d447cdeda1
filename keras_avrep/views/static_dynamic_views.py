"""RGB, static and dynamic views of the same clips, whatever their augmentation."""

from keras import ops


def static_dynamic_views(
    batch,
    draw_placement,
    augment_clip,
    difference,
    align_static=False,
    repeat_first=False,
):
    """Views of all clips of a batch, of their frozen frames and their differences.

    Args:
        batch: dict with `video` uint8 `(B, n, T, H, W, 3)` and `static` uint8
            `(B, n, H, W, 3)`.
        draw_placement: from a number of clips to what places them, such as crop
            boxes and flips.
        augment_clip: from clips `(N, T, H, W, 3)` and a placement to normalised
            views `(N, T, size, size, 3)`.
        difference: from views to the differences of their frames.
        align_static: bool. Whether a frozen frame shares the placement of its
            clip. Defaults to `False`.
        repeat_first: bool. Whether the frozen frame is repeated before it is
            augmented, so that what is drawn for each frame makes it flicker.
            Defaults to `False`.

    Returns:
        Dict from `rgb`, `static`, `dynamic` to float32 tensors
        `(B, n, T, size, size, 3)`.

    Example:
    ```python
    views = static_dynamic_views(
        batch,
        lambda count: None,
        lambda clip, placement: keras.ops.cast(clip, "float32") / 255,
        lambda clip: clip - keras.ops.roll(clip, 1, axis=1),
    )
    ```

    Reference: note of DCLR (arXiv:2207.05340), section 2; note of Static and
    Dynamic Concepts (arXiv:2207.12795), section 2.
    """
    video, static = batch["video"], batch["static"]
    clips, time = video.shape[1], video.shape[2]
    video = ops.reshape(video, (-1, *video.shape[2:]))
    static = ops.reshape(static, (-1, 1, *static.shape[2:]))
    count = ops.shape(video)[0]
    placement = draw_placement(count)
    rgb = augment_clip(video, placement)
    if not align_static:
        placement = draw_placement(count)
    if repeat_first:
        frozen = augment_clip(ops.repeat(static, time, axis=1), placement)
    else:
        frozen = ops.repeat(augment_clip(static, placement), time, axis=1)
    views = {"rgb": rgb, "static": frozen, "dynamic": difference(rgb)}
    return {
        name: ops.reshape(x, (-1, clips, *x.shape[1:])) for name, x in views.items()
    }
