"""The world `orchestra`: instruments to see and hear, some silent, some unseen."""

import numpy as np

from keras_avrep.worlds.drawn_sources import DrawnSources
from keras_avrep.worlds.folder_sources import FolderSources
from keras_avrep.worlds.mixing import (
    at_reference_level,
    mix_stems,
    pink_noise,
)
from keras_avrep.worlds.orchestra_pictures import (
    render_frames,
    render_masks,
    tight_boxes,
)
from keras_avrep.worlds.orchestra_plan import KINDS, draw_plan

SPLITS = ("pretrain", "train", "test")


class OrchestraWorld:
    """Videos with sound of one or several instruments, with exact ground truth.

    Which instruments are there, how they look, which of them sound, what they
    play and how loudly are drawn independently of each other. Unless `pulse` is
    set, sounding and silent ones look the same: sight alone does not tell what
    sounds, nor sound alone where.

    | `kind` | seen | sounding |
    |---|---|---|
    | `"solo"` | one instrument | that one |
    | `"duet"` | two in one scene | both |
    | `"composite"` | four in 2 × 2 tiles | two of them |
    | `"unconstrained"` | four in 2 × 2 tiles | two of them, 0 to 2 unseen, noise |

    Loudness: all sounds start at one RMS. Duets and composites scale each by
    U(0.5, 1.5), divided by their number; unconstrained videos have one source
    at 0 dB and the others up to `gain_range_db` below it.

    Args:
        kind: string, as above. Defaults to `"solo"`.
        num_classes: int or `None`. Instruments, in alphabetical order. Defaults
            to `None`, all: eleven, or those that the folders have.
        size: int. Height and width in pixels, even. Defaults to 96.
        seconds: float. Length of a video. Defaults to 1.
        fps: float. Frames per second. Defaults to 4.
        sample_rate: int. Hz. Defaults to 16000.
        scene_contrast: float. Of the textures behind the instruments. Defaults
            to 0.35.
        look_alike: float in [0, 1]. How far every second instrument looks like
            the one before it. Defaults to 0.
        sound_alike: float in [0, 1]. The same for timbres, with other pairs.
            Defaults to 0.
        pulse: float in [0, 1). Share by which a sounding instrument grows and
            shrinks with its loudness. Defaults to 0.
        num_off_screen: range of the number of unseen sources, unconstrained
            only. Defaults to (0, 2).
        gain_range_db: float or range. How far below the loudest the others are,
            unconstrained only; a number means from 0 to it. Defaults to 15.
        noise_db: range of the level of a bed of pink noise, unconstrained only,
            or `None` for none. Defaults to (-30, -15).
        clean: bool. Unconstrained only: the same videos, with the same stems,
            but without unseen sources and noise. Defaults to `False`.
        pictures: folder of real pictures, `CLASS/FILE`, to be used instead of
            drawn instruments, together with `recordings`. A picture fills its
            tile, which is its box. Defaults to `None`.
        recordings: folder of real recordings, `CLASS/FILE`. Defaults to `None`.
        seed: int. Defaults to 0.

    Raises:
        ValueError: if arguments contradict each other or make no video.

    Example:
    ```python
    world = keras_avrep.worlds.OrchestraWorld("composite", seed=7)
    plan = world.plan("test", 0)
    frames, waveform = world.frames(plan), world.waveform(plan)
    frames.shape, waveform.shape  # (4, 96, 96, 3), (16000,)
    ```

    Reference: notes of CSOL (arXiv:2112.11749), section 2.4, and IEr
    (arXiv:2202.06406), section 2.
    """

    name = "orchestra"

    def __init__(
        self,
        kind="solo",
        num_classes=None,
        size=96,
        seconds=1.0,
        fps=4.0,
        sample_rate=16000,
        scene_contrast=0.35,
        look_alike=0.0,
        sound_alike=0.0,
        pulse=0.0,
        num_off_screen=(0, 2),
        gain_range_db=15.0,
        noise_db=(-30.0, -15.0),
        clean=False,
        pictures=None,
        recordings=None,
        seed=0,
    ):
        self.kind = kind
        self.num_classes = num_classes
        self.size = size
        self.seconds = seconds
        self.fps = fps
        self.sample_rate = sample_rate
        self.scene_contrast = scene_contrast
        self.look_alike = look_alike
        self.sound_alike = sound_alike
        self.pulse = pulse
        self.num_off_screen = tuple(num_off_screen)
        self.gain_range_db = gain_range_db
        self.noise_db = None if noise_db is None else tuple(noise_db)
        self.clean = clean
        self.pictures = pictures
        self.recordings = recordings
        self.seed = seed
        self._check()
        self.sources = self._make_sources()
        if len(self.classes) < self._needed_classes():
            raise ValueError(
                f"`num_classes` is {len(self.classes)}; a video of the kind {kind!r} "
                f"holds up to {self._needed_classes()} different ones."
            )

    def get_config(self):
        """The constructor's arguments."""
        gain_range = self.gain_range_db
        return {
            "kind": self.kind,
            "num_classes": self.num_classes,
            "size": self.size,
            "seconds": self.seconds,
            "fps": self.fps,
            "sample_rate": self.sample_rate,
            "scene_contrast": self.scene_contrast,
            "look_alike": self.look_alike,
            "sound_alike": self.sound_alike,
            "pulse": self.pulse,
            "num_off_screen": list(self.num_off_screen),
            "gain_range_db": list(gain_range) if np.ndim(gain_range) else gain_range,
            "noise_db": None if self.noise_db is None else list(self.noise_db),
            "clean": self.clean,
            "pictures": None if self.pictures is None else str(self.pictures),
            "recordings": None if self.recordings is None else str(self.recordings),
            "seed": self.seed,
        }

    @property
    def classes(self):
        """Names of the instruments, sorted; a class id is a position in it."""
        return self.sources.names

    @property
    def rejects(self):
        """Real files that cannot be used: list of dicts `path`, `reason`."""
        return getattr(self.sources, "rejects", [])

    @property
    def num_frames(self):
        """Frames of a video."""
        return max(1, round(self.seconds * self.fps))

    @property
    def num_samples(self):
        """Samples of a waveform."""
        return round(self.seconds * self.sample_rate)

    def plan(self, split, index):
        """Everything that is drawn for one video.

        Args:
            split: string. `"pretrain"`, `"train"` or `"test"`.
            index: int. Number of the video in its split.

        Returns:
            Dict of `labels` (`class`: the sounding instruments that are seen,
            joined by `+`), `scenes`, `sources` (each with `class`, `sounding`,
            `on_screen`, `gain_db`, `cell`, `look`, `sound`) and `noise`.
        """
        if split not in SPLITS:
            raise ValueError(f"`split` is {split!r}; it must be one of {SPLITS}.")
        return draw_plan(self, split, [SPLITS.index(split), index])

    def frames(self, plan):
        """Render the pictures of a plan.

        Args:
            plan: what `plan` returns.

        Returns:
            uint8 array `(num_frames, size, size, 3)`.
        """
        return render_frames(self, plan)

    def object_masks(self, plan):
        """Where each instrument is that can be seen.

        Args:
            plan: what `plan` returns.

        Returns:
            float32 array `(objects, num_frames, size, size)` in [0, 1], in the
            order of `sources` that are on screen.
        """
        return render_masks(self, plan)

    def boxes(self, plan):
        """The box around each instrument that can be seen.

        Args:
            plan: what `plan` returns.

        Returns:
            float64 array `(objects, num_frames, 4)` of relative `y1, x1, y2, x2`,
            around all pixels that are covered by half or more.
        """
        return tight_boxes(self.object_masks(plan))

    def stems(self, plan):
        """The sound of each source, as loud as it is in the mixture.

        Args:
            plan: what `plan` returns.

        Returns:
            float32 array `(sounding sources, num_samples)`, in the order of
            `sources`, and last the noise bed if there is one. Its sum is the
            mixture exactly.
        """
        return self._mix(plan)[0]

    def solo_sound(self, source):
        """What a sounding source of a plan plays, at the level before its gain.

        Args:
            source: one of the plan's `sources`.

        Returns:
            float64 array `(num_samples,)` with an RMS of 0.1.
        """
        return at_reference_level(
            self.sources.sound(
                source["class"], source["sound"], self.num_samples, self.sample_rate
            )
        )

    def waveform(self, plan):
        """The mixture.

        Args:
            plan: what `plan` returns.

        Returns:
            float32 array `(num_samples,)` in [-0.99, 0.99], of multiples of
            1 / 32768: 16 bits hold it without loss.
        """
        return self.stems(plan).sum(axis=0)

    def annotation(self, plan):
        """What is true of a video, for `annotations.jsonl`.

        Args:
            plan: what `plan` returns.

        Returns:
            Dict of `labels`, `kind`, `sources`, `noise_db`, `peak_scale`. A
            source has `class`, `class_id`, `on_screen`, `sounding`, `gain_db`
            (`None` if silent) and `boxes`, one `y1, x1, y2, x2` for each frame
            (none if unseen).
        """
        boxes = iter(self.boxes(plan).round(6).tolist())
        sources = [
            {
                "class": source["class"],
                "class_id": self.classes.index(source["class"]),
                "on_screen": source["on_screen"],
                "sounding": source["sounding"],
                "gain_db": source["gain_db"],
                "boxes": next(boxes) if source["on_screen"] else [],
            }
            for source in self._present(plan)
        ]
        noise = plan["noise"]
        return {
            "labels": plan["labels"],
            "kind": self.kind,
            "sources": sources,
            "noise_db": None if noise is None or self.clean else noise["gain_db"],
            "peak_scale": self._mix(plan)[1],
        }

    # --- sound -----------------------------------------------------------

    def _present(self, plan):
        """Sources of the video; a clean one has no unseen ones."""
        return [s for s in plan["sources"] if s["on_screen"] or not self.clean]

    def _mix(self, plan):
        """Stems of what is present and the factor that limits the full mixture."""
        sounding = [s for s in plan["sources"] if s["sounding"]]
        sounds = [self.solo_sound(source) for source in sounding]
        gains = [source["gain_db"] for source in sounding]
        kept = [s["on_screen"] or not self.clean for s in sounding]
        if plan["noise"] is not None:
            rng = np.random.default_rng(plan["noise"]["seed"])
            sounds.append(at_reference_level(pink_noise(self.num_samples, rng)))
            gains.append(plan["noise"]["gain_db"])
            kept.append(not self.clean)
        stems, scale = mix_stems(sounds, gains)
        return stems[kept], scale

    # --- arguments -----------------------------------------------------------

    def _check(self):
        if self.kind not in KINDS:
            raise ValueError(f"`kind` is {self.kind!r}; give one of {KINDS}.")
        if self.size < 32 or self.size % 2:
            raise ValueError(f"`size` is {self.size}; give an even number from 32 on.")
        if self.num_samples < 1 or self.fps <= 0:
            raise ValueError("`seconds`, `fps` and `sample_rate` must be positive.")
        if (self.pictures is None) != (self.recordings is None):
            raise ValueError("Give both `pictures` and `recordings`, or neither.")
        if self.clean and self.kind != "unconstrained":
            raise ValueError('`clean` is for the kind "unconstrained" only.')
        fewest, most = self.num_off_screen
        if not 0 <= fewest <= most:
            raise ValueError(
                f"`num_off_screen` is {self.num_off_screen}; give two whole numbers "
                "from 0 on, the smaller one first."
            )
        if not 0 <= self.pulse < 1:
            raise ValueError(f"`pulse` is {self.pulse}; give a number from 0 to 1.")
        if self.pictures is not None:
            for name in ("pulse", "look_alike", "sound_alike"):
                if getattr(self, name):
                    raise ValueError(
                        f"`{name}` is for drawn instruments only; leave it at 0."
                    )

    def _make_sources(self):
        if self.pictures is not None:
            return FolderSources(
                self.pictures, self.recordings, SPLITS, self.seed, self.num_classes
            )
        count = 11 if self.num_classes is None else self.num_classes
        return DrawnSources(
            count, self.look_alike, self.sound_alike, self.scene_contrast
        )

    def _needed_classes(self):
        seen = {"solo": 1, "duet": 2}.get(self.kind, 4)
        return seen + (max(self.num_off_screen) if self.kind == "unconstrained" else 0)
