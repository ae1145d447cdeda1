"""What sounds, drawn over a frame: coloured regions, named boxes, a legend."""

from functools import lru_cache
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw, ImageFont

# Okabe and Ito without black, then some of Paul Tol's: told apart with any kind of
# colour blindness.
PALETTE = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (204, 121, 167),
    (213, 94, 0),
    (0, 114, 178),
    (255, 255, 255),
    (136, 34, 85),
    (51, 34, 136),
    (90, 90, 90),
)
INK, PAPER = (20, 22, 26), (255, 255, 255)
OPACITY = 0.42
LEGEND_FROM = 200
SMALLEST_TEXT, LARGEST_TEXT = 10, 44


def draw_sounding(frame, boxes, regions=None, names=None, legend=None):
    """A frame with what sounds in it.

    Every name has a colour, and where there are more names than colours, boxes of
    the later ones are dashed; colours never stand alone, names are beside them.

    Args:
        frame: uint8 array `(H, W, 3)`, of any size. Not changed.
        boxes: list of dicts of `cluster`, `name`, `box` (relative
            `y1, x1, y2, x2`) and `score`, as of `evaluation.map_boxes`.
        regions: for each box an array `(g, g)`, true (or near 1) within its
            region, over the whole frame. Defaults to `None`, boxes only.
        names: all names in the order of their colours, so that the colour of a
            name is the same in every frame. Defaults to `None`: a cluster has the
            colour of its number.
        legend: bool. Whether to name what sounds at the lower edge too. Defaults
            to `None`, if the frame is large enough.

    Returns:
        uint8 array `(H, W, 3)`; the frame itself if there are no boxes.

    Raises:
        ValueError: if the frame is no picture, or there is not a region for each
            box.

    Example:
    ```python
    boxes = keras_avrep.evaluation.map_boxes(class_map, sounding_map, names)
    picture = draw_sounding(frame, boxes, names=names)
    ```
    """
    frame = np.asarray(frame)
    if frame.ndim != 3 or frame.shape[-1] != 3 or frame.dtype != np.uint8:
        raise ValueError(
            f"`frame` is {frame.dtype} of the shape {frame.shape}; "
            "give uint8 (H, W, 3)."
        )
    if regions is not None and len(regions) != len(boxes):
        raise ValueError(f"`regions` has {len(regions)} and `boxes` {len(boxes)}.")
    if not boxes:
        return frame
    styles = [_style(box, names) for box in boxes]
    tinted = frame
    if regions is not None:
        tinted = _tinted(frame, regions, [colour for colour, _ in styles])
    image = Image.fromarray(tinted)
    draw = ImageDraw.Draw(image)
    font = _font(text_size(frame.shape))
    # The surest last, on top.
    for box, (colour, dashed) in reversed(list(zip(boxes, styles, strict=True))):
        _draw_box(draw, image.size, box["box"], colour, dashed)
    taken: list[tuple] = []
    for box, (colour, _) in zip(boxes, styles, strict=True):
        _draw_label(draw, image.size, box, colour, font, taken)
    if min(image.size) >= LEGEND_FROM if legend is None else legend:
        _draw_legend(draw, image.size, boxes, styles, font)
    return np.asarray(image)


def class_colours(names):
    """The colour of each name.

    Args:
        names: strings, some of which may be the same.

    Returns:
        Dict from name to `(red, green, blue)`, in the order in which they come
        first; colours come again after eleven.
    """
    unique = dict.fromkeys(str(name) for name in names)
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(unique)}


def text_size(shape):
    """Pixels of the text for a frame `(H, W, …)`."""
    return int(np.clip(min(shape[:2]) / 22, SMALLEST_TEXT, LARGEST_TEXT))


def shown_name(box):
    """What a box is called: its name, or the number of its cluster."""
    # One line, whatever a folder is called.
    name = " ".join(str(box.get("name") or "").split())
    return name or f"cluster {box['cluster']}"


def _style(box, names):
    """Colour of a box, and whether its outline is dashed."""
    number = int(box["cluster"])
    if names is not None and box.get("name") is not None:
        unique = list(dict.fromkeys(str(name) for name in names))
        if str(box["name"]) in unique:
            number = unique.index(str(box["name"]))
    return PALETTE[number % len(PALETTE)], number // len(PALETTE) % 2 == 1


def _tinted(frame, regions, colours):
    result = frame.copy()
    height, width = frame.shape[:2]
    for region, colour in zip(regions, colours, strict=True):
        mask = Image.fromarray(np.asarray(region, np.float32))
        mask = np.asarray(mask.resize((width, height), Image.Resampling.BILINEAR))
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        if not len(rows):
            continue
        # Most of a large frame has nothing to be mixed.
        place = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        share = OPACITY * np.clip(mask[place], 0, 1)[..., None]
        mixed = (1 - share) * result[place] + share * np.array(colour, np.float32)
        result[place] = mixed.round().astype(np.uint8)
    return result


def _draw_box(draw, size, box, colour, dashed):
    line = 1 if min(size) < 120 else max(2, round(min(size) / 160))
    y1, x1, y2, x2 = _pixels(size, box)
    # A dark line on both sides of the coloured one shows on any ground.
    for more, ink in ((1, INK), (0, colour)):
        left, top, right, bottom = x1 - more, y1 - more, x2 + more, y2 + more
        width = line + 2 * more
        if not dashed:
            draw.rectangle((left, top, right, bottom), outline=ink, width=width)
            continue
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        for start, end in pairwise([*corners, corners[0]]):
            _dash(draw, start, end, ink, width, dash=6 * line)


def _dash(draw, start, end, ink, width, dash):
    start, end = np.array(start, float), np.array(end, float)
    length = np.linalg.norm(end - start)
    for first in np.arange(0, length, 2 * dash):
        last = min(first + dash, length)
        points = [tuple(start + (end - start) * at / length) for at in (first, last)]
        draw.line(points, fill=ink, width=width)


def _draw_label(draw, size, box, colour, font, taken):
    """The name of a box, where no surer one stands; without room there is none."""
    width, height = size
    y1, x1, _, _ = _pixels(size, box["box"])
    text = _short(shown_name(box))
    if width >= LEGEND_FROM:
        text += f" {round(100 * box.get('score', 1))}%"
    pad = max(2, font.size // 5)
    plate = draw.textlength(text, font=font) + 2 * pad + font.size // 2
    tall = font.size + 2 * pad
    # Above the box where there is room, else within; never off the frame.
    top = y1 - tall if y1 - tall >= 0 else min(y1, height - tall)
    left = max(0, min(x1, width - plate))
    while any(_meet((left, top, left + plate, top + tall), other) for other in taken):
        top += tall + 1
    if top + tall > height and taken:
        return
    taken.append((left, top, left + plate, top + tall))
    draw.rectangle((left, top, left + plate, top + tall), fill=INK)
    draw.rectangle((left, top, left + font.size // 2 - 1, top + tall), fill=colour)
    place = left + font.size // 2 + pad, top + tall / 2
    draw.text(place, text, font=font, fill=PAPER, anchor="lm")


def _meet(one, other):
    apart = one[2] < other[0] or other[2] < one[0]
    return not (apart or one[3] < other[1] or other[3] < one[1])


def _draw_legend(draw, size, boxes, styles, font):
    """The names of what sounds, once each, as far as they fit the lower edge."""
    width, height = size
    entries = {_short(shown_name(b)): s[0] for b, s in zip(boxes, styles, strict=True)}
    pad = max(2, font.size // 4)
    tall = font.size + 2 * pad
    top, left = height - tall, 0
    for name, colour in entries.items():
        plate = font.size + 3 * pad + draw.textlength(name, font=font)
        if left and left + plate > width:
            break
        draw.rectangle((left, top, left + plate, height), fill=INK)
        square = left + pad, top + pad, left + pad + font.size, top + pad + font.size
        draw.rectangle(square, fill=colour)
        place = left + font.size + 2 * pad, top + tall / 2
        draw.text(place, name, font=font, fill=PAPER, anchor="lm")
        left += plate


def _pixels(size, box):
    width, height = size
    y1, x1, y2, x2 = np.clip(box, 0, 1)
    bottom, right = max(1, round(y2 * height)) - 1, max(1, round(x2 * width)) - 1
    return min(round(y1 * height), bottom), min(round(x1 * width), right), bottom, right


def _short(name, length=24):
    return name if len(name) <= length else name[: length - 1] + "…"


@lru_cache
def _font(size):
    try:
        import matplotlib

        # Knows Greek and Cyrillic too, unlike the one Pillow brings.
        return ImageFont.truetype(
            f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", size
        )
    except OSError:
        return ImageFont.load_default(size)
