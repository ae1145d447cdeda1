"""Crops of whole frames at test time, as published protocols have them."""

import numpy as np

# crops → the short side of the frames that they are cut from, by that of a crop
SHORT_SIDE = {1: 1.0, 3: 1.0, 10: 8 / 7}


def check_crops(crops: int) -> int:
    """`crops`, checked."""
    if crops not in SHORT_SIDE:
        raise ValueError(f"`crops` is {crops!r}; it must be one of {list(SHORT_SIDE)}.")
    return crops


def frame_side(size: int, crops: int) -> int:
    """Short side, in pixels, of the frames that crops of `size` are cut from."""
    return round(size * SHORT_SIDE[check_crops(crops)])


def spread_crops(clips, size: int, crops: int = 3) -> np.ndarray:
    """Cut several squares out of each clip.

    Args:
        clips: array `(N, T, H, W, 3)`, its sides at least `size`.
        size: int. Height and width of a crop, in pixels.
        crops: int. `1` is the centre; `3` are spread along the longer side, from one
            end to the other, and `10` the four corners and the centre, each as it is
            and mirrored. Defaults to `3`.

    Returns:
        Array `(N * crops, T, size, size, 3)`, the crops of a clip side by side.

    Raises:
        ValueError: if `crops` is another number, or the clips are smaller.

    Example:
    ```python
    clips = np.zeros((2, 16, 112, 150, 3), "uint8")
    spread_crops(clips, 112, crops=3).shape  # (6, 16, 112, 112, 3)
    ```

    Reference: notes of ConST-CL (arXiv:2112.05181), section 6, and of Static and
    Dynamic Concepts (arXiv:2207.12795), section 6.
    """
    check_crops(crops)
    height, width = clips.shape[2:4]
    if min(height, width) < size:
        raise ValueError(
            f"`clips` are {height}x{width} pixels; crops of {size} need larger ones."
        )
    cut = [
        clips[:, :, y : y + size, x : x + size]
        for y, x in _places(height - size, width - size, crops)
    ]
    if crops == 10:
        cut += [x[:, :, :, ::-1] for x in cut]
    return np.stack(cut, axis=1).reshape(-1, clips.shape[1], size, size, 3)


def _places(bottom, right, crops):
    """Upper left corners, between `(0, 0)` and `(bottom, right)`."""
    centre = (bottom // 2, right // 2)
    if crops == 1:
        return [centre]
    if crops == 10:
        return [(0, 0), (0, right), (bottom, 0), (bottom, right), centre]
    if right >= bottom:
        return [(centre[0], x) for x in (0, centre[1], right)]
    return [(y, centre[1]) for y in (0, centre[0], bottom)]
