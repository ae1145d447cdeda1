"""The world `scenes`: a still scene, a sprite, a motion, all independent."""

import numpy as np

from keras_avrep.worlds.photos import find_photos, photo_crop
from keras_avrep.worlds.shapes import SHAPES, shape_mask
from keras_avrep.worlds.sprite_boxes import largest_part_box
from keras_avrep.worlds.textures import TEXTURES, texture_image

MOTIONS = (
    "left",
    "right",
    "up",
    "down",
    "clockwise",
    "counterclockwise",
    "expand",
    "contract",
)
SPLITS = ("pretrain", "train", "test")
DIRECTIONS = {"left": (0, -1), "right": (0, 1), "up": (-1, 0), "down": (1, 0)}
# Sizes a sprite goes through, relative to its mean; one turn of the zoom.
ZOOM = np.log(2.5)


class ScenesWorld:
    """Videos of sprites moving over textured scenes, with exact ground truth.

    Place, angle and size of a sprite are uniform at every moment whatever the
    motion — translations wrap around, zooms start over — so no single frame
    tells the motion.

    Args:
        size: int. Height and width, in pixels. Defaults to 64.
        num_frames: int. Frames of a video. Defaults to 48.
        fps: float. Frames per second. Defaults to 12.
        speed: range of the speed, in pixels a frame; of the rim for
            rotation and, halved, for zoom. Slower is harder. Defaults to
            (2.5, 4.5).
        num_sprites: int. The first one carries the labels. Defaults to 1.
        scene_contrast: float. Scales the scene around mid-gray; higher makes
            the motion harder to find. Defaults to 0.35.
        fresh_scenes: bool. Whether each video has a scene of its own (drawn
            from one of 16 families, the label); otherwise there are 16 scenes
            in all. Defaults to `True`.
        switch_probability: float. Share of pretraining videos whose motion
            changes in the middle. At 1 two random clips of a video differ in
            motion half of the time. Defaults to 1.
        phases: int. Motions of a labelled video, one after the other; the
            label joins them with `>`. Defaults to 1.
        pretrain_phases: bool. Whether pretraining videos have that many motions
            as well, instead of the switch. Defaults to `False`.
        motions: names of the motions that are drawn, at least two where a video
            has several. Defaults to `None`, all 8.
        camera_pan: float. Pixels a frame that the camera moves, in a random
            direction along x. Defaults to 0.
        photo_folder: folder of images used as scenes instead of textures; the
            file's name is the label, with its suffix where two differ in nothing
            else. Those that cannot be read are in `rejects`. Defaults to `None`.
        seed: int. Defaults to 0.

    Example:
    ```python
    world = keras_avrep.worlds.ScenesWorld(seed=7)
    plan = world.plan("train", 0)
    frames = world.frames(plan)  # uint8 (48, 64, 64, 3)
    plan["labels"]["sprite"]  # "half_disc"
    ```

    Reference: note of DCLR (arXiv:2207.05340), section 7.
    """

    name = "scenes"

    def __init__(
        self,
        size=64,
        num_frames=48,
        fps=12.0,
        speed=(2.5, 4.5),
        num_sprites=1,
        scene_contrast=0.35,
        fresh_scenes=True,
        switch_probability=1.0,
        phases=1,
        pretrain_phases=False,
        motions=None,
        camera_pan=0.0,
        photo_folder=None,
        seed=0,
    ):
        self.size = size
        self.num_frames = num_frames
        self.fps = fps
        self.speed = tuple(speed)
        self.num_sprites = num_sprites
        self.scene_contrast = scene_contrast
        self.fresh_scenes = fresh_scenes
        self.switch_probability = switch_probability
        self.phases = phases
        self.pretrain_phases = pretrain_phases
        self.motions = _checked_motions(motions)
        self.camera_pan = camera_pan
        self.photo_folder = photo_folder
        self.seed = seed
        self.photos, self.rejects = find_photos(photo_folder)

    def get_config(self):
        """The constructor's arguments."""
        folder = self.photo_folder
        # Left out at their defaults: worlds of before they existed are the same.
        later = {}
        if self.pretrain_phases:
            later["pretrain_phases"] = True
        if self.motions != MOTIONS:
            later["motions"] = list(self.motions)
        return {
            "size": self.size,
            "num_frames": self.num_frames,
            "fps": self.fps,
            "speed": list(self.speed),
            "num_sprites": self.num_sprites,
            "scene_contrast": self.scene_contrast,
            "fresh_scenes": self.fresh_scenes,
            "switch_probability": self.switch_probability,
            "phases": self.phases,
            "camera_pan": self.camera_pan,
            "photo_folder": None if folder is None else str(folder),
            "seed": self.seed,
            **later,
        }

    def plan(self, split, index):
        """Everything that is drawn for one video.

        Args:
            split: string. `"pretrain"`, `"train"` or `"test"`.
            index: int. Number of the video in its split.

        Returns:
            Dict of `labels`, `scene`, `motions` (per sprite, in order of
            time), `sprites`, `pan`.
        """
        if split not in SPLITS:
            raise ValueError(f"`split` is {split!r}; it must be one of {SPLITS}.")
        rng = np.random.default_rng([self.seed, SPLITS.index(split), index])
        scene = self._draw_scene(rng)
        sprites = [self._draw_sprite(rng) for _ in range(self.num_sprites)]
        motions = [self._draw_motions(rng, split) for _ in sprites]
        labels = {"scene": scene["family"], "sprite": sprites[0]["shape"]}
        if split != "pretrain" or len(motions[0]) == 1:
            labels["motion"] = ">".join(motions[0])
        return {
            "labels": labels,
            "scene": scene,
            "sprites": sprites,
            "motions": motions,
            "pan": self.camera_pan * (1 if rng.random() < 0.5 else -1),
        }

    def frames(self, plan):
        """Render a plan.

        Args:
            plan: what `plan` returns.

        Returns:
            uint8 array `(num_frames, size, size, 3)`.
        """
        scene = self._scene_canvas(plan["scene"], plan["pan"])
        video = np.empty((self.num_frames, self.size, self.size, 3), np.uint8)
        tracks = [
            self._states(sprite, motions)
            for sprite, motions in zip(plan["sprites"], plan["motions"], strict=True)
        ]
        for t in range(self.num_frames):
            # Channels first: numpy is slow where the last axis is short.
            image = self._view(scene, plan["pan"], t).transpose(2, 0, 1)
            for sprite, states in zip(plan["sprites"], tracks, strict=True):
                mask, half = self._mask(sprite, *states[t])
                colors = np.asarray(sprite["colors"], np.float32)
                front, back = colors[..., None, None]
                color = front * half + back * (1 - half)
                image = image + (color - image) * mask
            video[t] = np.clip(np.rint(image * 255), 0, 255).transpose(1, 2, 0)
        return video

    def sprite_masks(self, plan):
        """Where each sprite is.

        Args:
            plan: what `plan` returns.

        Returns:
            float32 array `(num_sprites, num_frames, size, size)` in [0, 1].
        """
        masks = [
            [self._mask(sprite, *state)[0] for state in self._states(sprite, motions)]
            for sprite, motions in zip(plan["sprites"], plan["motions"], strict=True)
        ]
        return np.asarray(masks, np.float32)

    def boxes(self, plan):
        """The box of each sprite, of its largest part where it wraps around.

        Sprites drawn over it do not shrink a box.

        Args:
            plan: what `plan` returns.

        Returns:
            float32 array `(num_sprites, num_frames, 4)` of relative
            `y1, x1, y2, x2`; see `largest_part_box`.
        """
        boxes = [
            [
                largest_part_box(self._mask(sprite, *state)[0], state[0])
                for state in self._states(sprite, motions)
            ]
            for sprite, motions in zip(plan["sprites"], plan["motions"], strict=True)
        ]
        return np.asarray(boxes, np.float32).reshape(-1, self.num_frames, 4)

    def phase_ranges(self, plan):
        """When each sprite moves how.

        Args:
            plan: what `plan` returns.

        Returns:
            List per sprite of dicts of `motion`, `start` and `stop`: the frames
            from `start` up to, not including, `stop` go on to their next one
            with that motion.
        """
        return [self._ranges(motions) for motions in plan["motions"]]

    def annotation(self, plan):
        """What is true of a video, for `annotations.jsonl`.

        Args:
            plan: what `plan` returns.

        Returns:
            Dict of `labels`, `motions`, `scene`, `sprites`.
        """
        return {key: plan[key] for key in ("labels", "motions", "scene", "sprites")}

    # --- drawing -------------------------------------------------------------

    def _draw_scene(self, rng):
        names = list(self.photos or TEXTURES)
        family = names[rng.integers(len(names))]
        seed = int(rng.integers(2**31))
        if not self.fresh_scenes:
            seed = self.seed * 1000 + names.index(family)
        return {"family": family, "seed": seed}

    def _draw_sprite(self, rng):
        bright = rng.random() < 0.5
        color = rng.uniform(0.8, 1.0, 3) if bright else rng.uniform(0, 0.2, 3)
        # One channel swings, so that sprites have a hue as well.
        color[rng.integers(3)] = rng.uniform(0, 1)
        return {
            "shape": list(SHAPES)[rng.integers(len(SHAPES))],
            "colors": [color.tolist(), (1 - color).tolist()],
            "radius": float(rng.uniform(0.22, 0.27)) * self.size,
            "center": rng.uniform(0, self.size, 2).tolist(),
            "angle": float(rng.uniform(0, 2 * np.pi)),
            "zoom": float(rng.uniform(0, 1)),
            "speed": float(rng.uniform(*self.speed)),
        }

    def _draw_motions(self, rng, split):
        count = self.phases
        if split == "pretrain" and not self.pretrain_phases:
            count = 2 if rng.random() < self.switch_probability else 1
        names = self.motions
        motions = [names[rng.integers(len(names))]]
        while len(motions) < count:
            motion = names[rng.integers(len(names))]
            if motion != motions[-1]:
                motions.append(motion)
        return motions

    # --- rendering -----------------------------------------------------------

    def _states(self, sprite, motions):
        """Centre, angle and zoom phase of a sprite in every frame."""
        center = np.array(sprite["center"])
        angle, zoom, speed = sprite["angle"], sprite["zoom"], sprite["speed"]
        turn = speed / sprite["radius"]
        states = []
        for t in range(self.num_frames):
            states.append((center.copy(), angle, zoom))
            motion = motions[t * len(motions) // self.num_frames]
            if motion in DIRECTIONS:
                center += speed * np.array(DIRECTIONS[motion])
                center %= self.size
            elif motion in ("clockwise", "counterclockwise"):
                angle += turn if motion == "clockwise" else -turn
            else:
                zoom += (turn if motion == "expand" else -turn) / 2 / ZOOM
                zoom %= 1
        return states

    def _ranges(self, motions):
        # The first frame of each motion, by the rule of `_states`.
        count = len(motions)
        starts = [-(-i * self.num_frames // count) for i in range(count + 1)]
        return [
            {"motion": motion, "start": start, "stop": stop}
            for motion, start, stop in zip(
                motions, starts[:-1], starts[1:], strict=True
            )
        ]

    def _mask(self, sprite, center, angle, zoom):
        """Coverage by the sprite, and by its front half (it has two colours)."""
        radius = sprite["radius"] * np.exp((zoom - 0.5) * ZOOM)
        places = np.arange(self.size)
        # Shortest way round: the picture is a torus for the sprite.
        half = self.size / 2
        y = (places - center[0] + half) % self.size - half
        x = (places - center[1] + half) % self.size - half
        x, y = np.meshgrid(x / radius, y / radius)
        c, s = np.cos(angle), np.sin(angle)
        along, across = c * x + s * y, c * y - s * x
        softness = 1.5 / radius
        mask = shape_mask(sprite["shape"], along, across, softness)
        return mask, np.clip(0.5 + along / softness, 0, 1)

    def _scene_canvas(self, scene, pan):
        width = self.size + int(np.ceil(abs(pan) * self.num_frames))
        rng = np.random.default_rng(scene["seed"])
        if self.photos:
            photo = self.photos[scene["family"]]
            image = photo_crop(photo, self.size, width, rng)
        else:
            image = texture_image(scene["family"], self.size, width, self.size, rng)
        return 0.5 + (image - 0.5) * self.scene_contrast

    def _view(self, canvas, pan, t):
        spare = canvas.shape[1] - self.size
        left = round(abs(pan) * t)
        if pan < 0:
            left = spare - left
        return canvas[:, left : left + self.size]


def _checked_motions(motions):
    """The names as a tuple; all of them for `None`."""
    if motions is None:
        return MOTIONS
    unknown = [name for name in motions if name not in MOTIONS]
    if unknown or len(set(motions)) < 2:
        raise ValueError(
            f"`motions` is {list(motions)}; give at least two of {list(MOTIONS)}."
        )
    return tuple(motions)
