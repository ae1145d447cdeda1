"""Mixtures of the sounds of a batch, made of waveforms: log-mels do not add up."""

import math

import keras
from keras import ops, random

LAWS = ("scale", "decibel")
# Softer sounds are not made louder than as if they had this level.
RMS_FLOOR = 1e-4


@keras.saving.register_keras_serializable(package="keras_avrep")
class VolumeMixer(keras.layers.Layer):
    """Mixes each waveform of a batch with others, at drawn volumes, on record.

    `VolumeMixer.csol()` and `VolumeMixer.ier()` are the two published ways.

    Args:
        max_sources: int. Most sounds of a mixture, its own among them. Defaults
            to 2.
        law: string. How volumes are drawn. `"scale"` multiplies each sound by a
            factor from `scale` and divides by the number of sounds;
            `"decibel"` gives the others the level of the own sound first and
            then takes up to `range_db` away from them. Defaults to `"scale"`.
        scale: range of the factor. Defaults to (0.5, 1.5).
        range_db: float. Defaults to 15.
        share: float. Probability that a sample is mixed at all; others stay as
            they are. Defaults to 1.
        limit: float or `None`. Mixtures with a higher peak are scaled down to
            it. Defaults to `None`.
        silence_db: float or `None`. Sounds below this level, in dB of full
            scale, are not mixed and get nothing mixed in. Defaults to -50.
        seed: int. Defaults to `None`.

    Call arguments:
        waveforms: `(B, S)` in [-1, 1].
        share: scalar. In place of the argument above.
        source_probabilities: tensor `(max_sources - 1,)`. Of 2, 3, … sounds in a
            mixture. Defaults to equal ones.
        range_db: scalar. In place of the argument above.
        classes: int tensor `(B,)`. Sounds of one class are never mixed with each
            other. Defaults to a class for each.

    Returns:
        Dict with n for `max_sources`, the own sound coming first: `mixture`
        float32 `(B, S)`; `sources` int32 `(B, n)`, positions in the batch;
        `present` bool `(B, n)`, which of them are in the mixture; `gains_db`
        `(B, n)`, the drawn volumes, 0 where not present; `scales` `(B, n)`, by
        which waveforms were multiplied, 0 where not present: their sum over
        `waveforms[sources]` is the mixture; `peak_scale` `(B,)`, what the limit
        took away, contained in `scales`. With fewer other sounds than were
        drawn, there are fewer.

    Raises:
        ValueError: if an argument is not as described.

    Example:
    ```python
    mixer = VolumeMixer.ier(seed=0)
    mixed = mixer(keras.random.uniform((8, 16000), -1, 1))
    mixed["mixture"].shape, mixed["gains_db"].shape  # (8, 16000), (8, 4)
    ```

    Reference: notes of CSOL (arXiv:2112.11749), section 2.4, and IEr
    (arXiv:2202.06406), section 2.3.
    """

    def __init__(
        self,
        max_sources=2,
        law="scale",
        scale=(0.5, 1.5),
        range_db=15.0,
        share=1.0,
        limit=None,
        silence_db=-50.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(**{**kwargs, "dtype": "float32"}, autocast=False)
        if law not in LAWS:
            raise ValueError(f"`law` must be one of {LAWS}, got {law!r}.")
        if max_sources < 2:
            raise ValueError(
                f"`max_sources` is {max_sources}; a mixture has 2 or more."
            )
        self.max_sources = max_sources
        self.law = law
        self.scale = tuple(scale)
        self.range_db = range_db
        self.share = share
        self.limit = limit
        self.silence_db = silence_db
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed)
        self.built = True

    @classmethod
    def csol(cls, **changes):
        """Two sounds, each by U(0.5, 1.5), halved and added.

        Args:
            **changes: arguments that are to differ.

        Returns:
            `VolumeMixer`.

        Example:
        ```python
        VolumeMixer.csol(seed=0)(keras.random.uniform((4, 160), -1, 1))["scales"]
        ```

        Reference: note of CSOL (arXiv:2112.11749), section 2.4.
        """
        return cls(**{"law": "scale", "silence_db": None, **changes})

    @classmethod
    def ier(cls, **changes):
        """Up to four sounds: the own one dominant, others up to 15 dB below.

        Args:
            **changes: arguments that are to differ.

        Returns:
            `VolumeMixer`; to be called with what `MixCurriculum` says.

        Example:
        ```python
        VolumeMixer.ier(seed=0)(keras.random.uniform((4, 160), -1, 1))["gains_db"]
        ```

        Reference: note of IEr (arXiv:2202.06406), section 2.3.
        """
        return cls(**{"max_sources": 4, "law": "decibel", "limit": 0.99, **changes})

    def call(
        self,
        waveforms,
        share=None,
        source_probabilities=None,
        range_db=None,
        classes=None,
    ):
        x = ops.cast(waveforms, "float32")
        share = self.share if share is None else share
        range_db = self.range_db if range_db is None else range_db
        level = ops.sqrt(ops.maximum(ops.mean(ops.square(x), axis=1), RMS_FLOOR**2))
        sources, available = self._choose(level, classes)
        counts = self._draw_counts(ops.shape(x)[0], share, source_probabilities)
        present = ops.logical_and(
            available, ops.arange(self.max_sources)[None] < counts[:, None]
        )
        gains_db, scales = self._draw_volumes(
            ops.take(level, sources, axis=0), present, range_db
        )
        stems = ops.take(x, sources, axis=0)
        mixture = ops.sum(scales[:, :, None] * stems, axis=1)
        peak_scale = self._peak_scale(mixture, present)
        return {
            "mixture": mixture * peak_scale[:, None],
            "sources": sources,
            "present": present,
            "heard": self._heard(level),
            "gains_db": gains_db,
            "scales": scales * peak_scale[:, None],
            "peak_scale": peak_scale,
        }

    def _heard(self, level):
        """Which sounds are loud enough, bool `(batch,)`."""
        if self.silence_db is None:
            return ops.ones_like(level, "bool")
        return level > 10 ** (self.silence_db / 20)

    def _choose(self, level, classes):
        """Positions of the own sound and of random others, and if there are any."""
        own = ops.arange(ops.shape(level)[0], dtype="int32")
        classes = own if classes is None else ops.cast(classes, "int32")
        chance = random.uniform(
            (ops.shape(level)[0], ops.shape(level)[0]), seed=self.seed_generator
        )
        if self.silence_db is not None:
            heard = self._heard(level)
            both = ops.logical_and(heard[None, :], heard[:, None])
            chance = ops.where(both, chance, -1.0)
        sources, available, latest = [own], [own >= 0], classes
        for _ in range(self.max_sources - 1):
            chance = ops.where(latest[:, None] == classes[None, :], -1.0, chance)
            other = ops.cast(ops.argmax(chance, axis=1), "int32")
            latest = ops.take(classes, other, axis=0)
            sources.append(other)
            available.append(ops.max(chance, axis=1) >= 0)
        return ops.stack(sources, axis=1), ops.stack(available, axis=1)

    def _draw_counts(self, batch, share, probabilities):
        """Sounds of each mixture, int32 `(batch,)`; 1 is not mixed."""
        kinds = self.max_sources - 1
        if probabilities is None:
            probabilities = [1 / kinds] * kinds
        probabilities = ops.convert_to_tensor(probabilities, "float32")
        if tuple(probabilities.shape) != (kinds,):
            raise ValueError(
                f"`source_probabilities` has shape {tuple(probabilities.shape)}; give "
                f"{kinds}, of 2 to {self.max_sources} sounds."
            )
        draw = random.uniform((batch, 1), seed=self.seed_generator)
        # Below which a draw means fewer sounds.
        steps = ops.cumsum(probabilities)[None, :-1]
        counts = 2 + ops.sum(ops.cast(draw >= steps, "int32"), axis=1)
        mixed = random.uniform((batch,), seed=self.seed_generator) < share
        return ops.where(mixed, counts, 1)

    def _draw_volumes(self, levels, present, range_db):
        """Drawn gains in dB and the factors that follow, `(batch, n)` each."""
        draw = random.uniform(ops.shape(levels), seed=self.seed_generator)
        kept = ops.cast(present, "float32")
        count = ops.sum(kept, axis=1, keepdims=True)
        if self.law == "scale":
            factor = self.scale[0] + (self.scale[1] - self.scale[0]) * draw
            gains_db = (20 / math.log(10)) * ops.log(factor)
            factor = factor / count
        else:
            first = ops.arange(self.max_sources)[None] == 0
            gains_db = ops.where(first, 0.0, -draw * range_db)
            factor = 10 ** (gains_db / 20) * levels[:, :1] / levels
        mixed = count > 1
        return (
            ops.where(mixed, gains_db, 0.0) * kept,
            ops.where(mixed, factor, 1.0) * kept,
        )

    def _peak_scale(self, mixture, present):
        if self.limit is None:
            return ops.ones_like(mixture[:, 0])
        peak = ops.max(ops.abs(mixture), axis=1)
        mixed = ops.logical_and(ops.any(present[:, 1:], axis=1), peak > self.limit)
        return ops.where(mixed, self.limit / ops.maximum(peak, self.limit), 1.0)

    def get_config(self):
        return {
            **super().get_config(),
            "max_sources": self.max_sources,
            "law": self.law,
            "scale": self.scale,
            "range_db": self.range_db,
            "share": self.share,
            "limit": self.limit,
            "silence_db": self.silence_db,
            "seed": self.seed,
        }


@keras.saving.register_keras_serializable(package="keras_avrep")
class MixCurriculum:
    """How much to mix, by the count of batches: more, and more unevenly.

    Holds no state: the count is the model's, and comes back with it.

    Args:
        length: int. Batches from the first value to the last.
        begin: int. Batches before it sets out. Defaults to 0.
        share: pair of floats. First and last probability of a mixture. Defaults
            to (0.2, 0.8).
        range_db: pair of floats. First and last range of volumes, in dB.
            Defaults to (0, 15).
        more_sources_at: floats. Progress at which 3, 4, … sounds come in, all
            numbers of sounds being equally likely from then on. Defaults to
            (0.4, 0.7), for a `VolumeMixer` of `max_sources=4`.

    Call arguments:
        batches_seen: int scalar, or variable of one.

    Returns, when called:
        Dict of `share` and `range_db`, scalars, and `source_probabilities`
        `(len(more_sources_at) + 1,)`: arguments of a call of `VolumeMixer`.

    Raises:
        ValueError: if `length` is less than 1.

    Example:
    ```python
    curriculum = MixCurriculum(length=1000)
    curriculum(500)  # share 0.5, range_db 7.5, source_probabilities [.5, .5, 0]
    VolumeMixer.ier()(keras.random.uniform((8, 160), -1, 1), **curriculum(500))
    ```

    Reference: note of IEr (arXiv:2202.06406), section 2.3.
    """

    def __init__(
        self,
        length,
        begin=0,
        share=(0.2, 0.8),
        range_db=(0.0, 15.0),
        more_sources_at=(0.4, 0.7),
    ):
        if length < 1:
            raise ValueError(f"`length` is {length}; give a number of batches above 0.")
        self.length = length
        self.begin = begin
        self.share = tuple(share)
        self.range_db = tuple(range_db)
        self.more_sources_at = tuple(more_sources_at)

    def progress(self, batches_seen):
        """Float scalar from 0 to 1."""
        # Whole numbers first: float32 cannot count beyond 16 million.
        past = ops.cast(batches_seen, "int32") - self.begin
        return ops.cast(ops.clip(past, 0, self.length), "float32") / self.length

    def __call__(self, batches_seen):
        t = self.progress(batches_seen)
        allowed = ops.cast(t >= ops.array([0.0, *self.more_sources_at]), "float32")
        return {
            "share": self.share[0] + (self.share[1] - self.share[0]) * t,
            "range_db": self.range_db[0] + (self.range_db[1] - self.range_db[0]) * t,
            "source_probabilities": allowed / ops.sum(allowed),
        }

    def get_config(self):
        """Arguments of the constructor."""
        return {
            "length": self.length,
            "begin": self.begin,
            "share": self.share,
            "range_db": self.range_db,
            "more_sources_at": self.more_sources_at,
        }

    @classmethod
    def from_config(cls, config):
        """The curriculum of a configuration."""
        return cls(**config)
