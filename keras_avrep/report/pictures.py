"""Clips and maps as small looping pictures that live inside the page."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from keras_avrep.report.markup import esc

FRAME_MS = 125
# longest side, frames, WebP quality; from what looks best to what always fits
QUALITIES = ((128, 12, 70), (112, 8, 60), (96, 8, 45), (80, 6, 30), (64, 4, 15))
# Dark violet over orange to pale yellow: rising lightness, so it reads without hue.
HEAT_STOPS = (0.0, 0.25, 0.5, 0.75, 1.0)
HEAT_COLOURS = (
    (10, 8, 40),
    (106, 23, 110),
    (203, 65, 73),
    (249, 157, 32),
    (252, 250, 170),
)


@dataclass
class Moving:
    """An encoded clip: the animation, and one frame for those who want no motion."""

    animation: bytes
    still: bytes
    width: int
    height: int

    def tag(self, alt: str) -> str:
        """The `<picture>` element that shows the clip."""
        return (
            '<picture><source media="(prefers-reduced-motion: reduce)" '
            f'srcset="{data_uri(self.still)}"><img src="{data_uri(self.animation)}" '
            f'alt="{esc(alt)}" width="{self.width}" height="{self.height}" '
            'loading="lazy" decoding="async"></picture>'
        )


def data_uri(webp: bytes) -> str:
    """The picture as text that a page can hold."""
    return "data:image/webp;base64," + base64.b64encode(webp).decode("ascii")


def encode_clips(clips: Sequence[np.ndarray], budget: int) -> list[Moving]:
    """Clips `(T, H, W, 3)` as animations that together stay within a byte budget.

    Fewer animations than clips come back where even the poorest quality is too
    large.
    """
    if not clips:
        return []
    sample = clips[:: max(1, len(clips) // 5)]
    encoded: list[Moving] = []
    for size, frames, quality in QUALITIES:
        trial = [_encode(clip, size, frames, quality) for clip in sample]
        expected = _bytes(trial) / len(trial) * len(clips)
        if expected > budget and (size, frames, quality) != QUALITIES[-1]:
            continue
        encoded = [_encode(clip, size, frames, quality) for clip in clips]
        if _bytes(encoded) <= budget:
            return encoded
    while encoded and _bytes(encoded) > budget:
        encoded.pop()
    return encoded


def _bytes(pictures: Sequence[Moving]) -> int:
    return sum(len(p.animation) + len(p.still) for p in pictures)


def _encode(clip: np.ndarray, size: int, frames: int, quality: int) -> Moving:
    keep = np.linspace(0, len(clip) - 1, min(len(clip), frames)).round().astype(int)
    images = [_shrink(Image.fromarray(clip[i]), size) for i in keep]
    buffer = io.BytesIO()
    images[0].save(
        buffer,
        "WEBP",
        save_all=True,
        append_images=images[1:],
        duration=FRAME_MS,
        loop=0,
        quality=quality,
        method=2,
    )
    still = io.BytesIO()
    images[len(images) // 2].save(still, "WEBP", quality=quality, method=2)
    return Moving(buffer.getvalue(), still.getvalue(), *images[0].size)


def _shrink(image: Image.Image, size: int) -> Image.Image:
    scale = size / max(image.size)
    if scale >= 1:
        return image
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def as_pixels(clips: np.ndarray) -> np.ndarray:
    """Clips as uint8 RGB, whatever number type they were stored in."""
    clips = np.asarray(clips)
    if clips.dtype != np.uint8:
        clips = np.nan_to_num(np.asarray(clips, "float32")).clip(0, 255)
    if clips.shape[-1] == 1:
        clips = np.repeat(clips, 3, axis=-1)
    return np.ascontiguousarray(clips[..., :3].astype(np.uint8))


def enlarge(clip: np.ndarray, size: int) -> np.ndarray:
    """A clip brought to `size` pixels on its longest side where it is smaller."""
    height, width = clip.shape[1:3]
    scale = size / max(height, width)
    if scale <= 1:
        return clip
    target = (round(width * scale), round(height * scale))
    grown = [Image.fromarray(f).resize(target, Image.Resampling.BICUBIC) for f in clip]
    return np.stack([np.asarray(frame) for frame in grown])


def stretch_map(values: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """A map `(t, h, w)` interpolated to `(T, H, W)`."""
    frames, height, width = shape
    values = np.nan_to_num(np.asarray(values, "float32"))
    planes = np.stack(
        [
            np.asarray(
                Image.fromarray(plane).resize((width, height), Image.Resampling.BICUBIC)
            )
            for plane in values
        ]
    )
    t = len(planes)
    # Each map cell covers a span of frames; its value belongs to the span's middle.
    position = ((np.arange(frames) + 0.5) * t / frames - 0.5).clip(0, t - 1)
    before = np.floor(position).astype(int)
    after = np.minimum(before + 1, t - 1)
    share = (position - before)[:, None, None].astype("float32")
    return (1 - share) * planes[before] + share * planes[after]


def heat_colours(values: np.ndarray) -> np.ndarray:
    """Values from 0 to 1 as RGB floats from 0 to 255."""
    stops = np.array(HEAT_COLOURS, "float32")
    channels = [np.interp(values, HEAT_STOPS, stops[:, c]) for c in range(3)]
    return np.stack(channels, axis=-1)


def overlay(frames: np.ndarray, values: np.ndarray, top: float) -> np.ndarray:
    """A heat map laid over the frames; `top` is the value shown brightest."""
    stretched = stretch_map(values, frames.shape[:3]) / max(top, 1e-9)
    level = stretched.clip(0, 1)
    grey = frames.astype("float32").mean(axis=-1, keepdims=True)
    opacity = (0.35 + 0.45 * level)[..., None]
    mixed = (1 - opacity) * grey + opacity * heat_colours(level)
    return mixed.clip(0, 255).astype(np.uint8)


def spotlight(frames: np.ndarray, values: np.ndarray, top: float) -> np.ndarray:
    """Frames in their colours, dark where a map is 0 and as they are from `top` on."""
    level = (stretch_map(values, frames.shape[:3]) / max(top, 1e-9)).clip(0, 1)
    return (frames * (0.35 + 0.65 * level[..., None])).astype(np.uint8)


def heat_scale(top: float) -> str:
    """The legend of an overlay, as HTML."""
    colours = ", ".join(
        f"rgb{colour} {100 * stop:.0f}%"
        for stop, colour in zip(HEAT_STOPS, HEAT_COLOURS, strict=True)
    )
    average = 100 / max(top, 1.0)
    return (
        '<div class="heat" aria-hidden="true"><div class="ramp" '
        f'style="background:linear-gradient(90deg, {colours})"></div>'
        f'<span style="left:0">0</span><span class="mid" style="left:{average:.1f}%">'
        f'average</span><span class="end">{top:.1f}×</span></div>'
    )
