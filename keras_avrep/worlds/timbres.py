"""Synthesised timbres: harmonics, envelope, noise, vibrato and register."""

from dataclasses import dataclass, fields

import numpy as np
from scipy.signal import butter, sosfilt

MAX_PARTIALS = 40
# A note that dies away is over when it is 43 dB down.
TIME_CONSTANTS = 5


@dataclass(frozen=True)
class Timbre:
    """How an instrument sounds, whatever it plays.

    Args:
        low: Hz. The lowest note.
        high: Hz. The highest note.
        slope: dB an octave by which higher harmonics are weaker.
        even: level of the even harmonics relative to the odd ones.
        formant: Hz around which harmonics are boosted.
        boost: dB of the boost, over about an octave.
        stretch: how far the partials are from harmonic: partial n has the
            frequency n ** (1 + stretch) times the lowest.
        attack: seconds until a note is at its loudest.
        decay: 1 / seconds at which a note dies away; 0 holds it.
        notes: notes a second.
        vibrato: cents by which the pitch swings.
        tremolo: share by which the loudness swings.
        rate: Hz of vibrato and tremolo.
        noise: share of noise (breath, bow, clatter), relative to the tone.
        noise_centre: Hz around which the noise is.
    """

    low: float
    high: float
    slope: float
    even: float = 1.0
    formant: float = 1000.0
    boost: float = 0.0
    stretch: float = 0.0
    attack: float = 0.03
    decay: float = 0.0
    notes: float = 3.0
    vibrato: float = 0.0
    tremolo: float = 0.0
    rate: float = 5.5
    noise: float = 0.0
    noise_centre: float = 2000.0


def blend_timbres(first, second, share):
    """A timbre between two.

    Args:
        first: `Timbre`.
        second: `Timbre`.
        share: float in [0, 1]. 0 gives the first one.

    Returns:
        `Timbre`.

    Example:
    ```python
    blend_timbres(Timbre(200, 400, -6), Timbre(400, 800, -12), 0.5).low  # 300.0
    ```
    """
    mixed = {}
    for field in fields(Timbre):
        a, b = getattr(first, field.name), getattr(second, field.name)
        mixed[field.name] = (1 - share) * a + share * b
    return Timbre(**mixed)


def synthesise(timbre, num_samples, sample_rate, rng):
    """Some seconds of an instrument that never pauses.

    Args:
        timbre: `Timbre`.
        num_samples: int.
        sample_rate: int. Hz.
        rng: `numpy.random.Generator`. Draws the notes, their loudness and
            phases; nothing else is random.

    Returns:
        float64 array `(num_samples,)`, of no particular level.

    Example:
    ```python
    flute = Timbre(700, 1500, slope=-18, noise=0.1)
    sound = synthesise(flute, 16000, 16000, np.random.default_rng(0))
    ```
    """
    t = np.arange(num_samples) / sample_rate
    starts = _note_starts(timbre, num_samples / sample_rate, rng)
    sound = np.zeros(num_samples)
    octaves = np.log2(timbre.high / timbre.low)
    for start in starts:
        pitch = timbre.low * 2.0 ** rng.uniform(0, octaves)
        loudness = rng.uniform(0.7, 1.0)
        phases = rng.uniform(0, 2 * np.pi, MAX_PARTIALS)
        wobble = rng.uniform(0, 2 * np.pi)
        first = max(0, int(np.ceil(start * sample_rate)))
        last = min(num_samples, int(np.ceil((start + _length(timbre)) * sample_rate)))
        if first >= last:
            continue
        age = t[first:last] - start
        tone = _tone(timbre, pitch, age, phases, wobble, sample_rate)
        sound[first:last] += loudness * _envelope(timbre, age) * tone
    return sound + _noise(timbre, sound, sample_rate, rng)


def _note_starts(timbre, seconds, rng):
    """Evenly spaced, so that there is sound from the first sample to the last."""
    spacing = 1 / timbre.notes
    # Notes that are still to be heard at the beginning have started before it.
    before = int(np.ceil(_length(timbre) / spacing))
    offset = rng.uniform(0, spacing)
    count = int(np.ceil(seconds / spacing)) + 1
    return offset + spacing * np.arange(-before, count)


def _length(timbre):
    """Seconds of a note; a held one overlaps a little with the next."""
    if timbre.decay:
        return timbre.attack + TIME_CONSTANTS / timbre.decay
    return 1 / timbre.notes + timbre.attack


def _tone(timbre, pitch, age, phases, wobble, sample_rate):
    """A sum of partials below the Nyquist frequency."""
    numbers = np.arange(1, MAX_PARTIALS + 1)
    multiples = numbers ** (1 + timbre.stretch)
    swing = np.sin(2 * np.pi * timbre.rate * age + wobble)
    depth = 2 ** (timbre.vibrato / 1200) - 1
    audible = pitch * multiples * (1 + depth) < 0.48 * sample_rate
    numbers, multiples, phases = numbers[audible], multiples[audible], phases[audible]
    # The integral of the swing bends the phase by the same share for all partials.
    bend = (
        -depth
        / (2 * np.pi * timbre.rate)
        * np.cos(2 * np.pi * timbre.rate * age + wobble)
    )
    cycles = pitch * (age + bend)
    levels = _levels(timbre, pitch * multiples, numbers)
    tone = np.zeros_like(age)
    for level, multiple, phase in zip(levels, multiples, phases, strict=True):
        tone += level * np.sin(2 * np.pi * multiple * cycles + phase)
    return tone * (1 + timbre.tremolo * swing)


def _levels(timbre, frequencies, numbers):
    """Amplitudes of the partials, as a whole of energy 1."""
    decibels = timbre.slope * np.log2(numbers)
    distance = np.log2(frequencies / timbre.formant)
    decibels += timbre.boost * np.exp(-(distance**2) / 0.5)
    levels = 10 ** (decibels / 20)
    levels[numbers % 2 == 0] *= timbre.even
    return levels / np.sqrt(np.sum(levels**2))


def _envelope(timbre, age):
    rise = np.clip(age / timbre.attack, 0, 1)
    if timbre.decay:
        return rise * np.exp(-timbre.decay * np.maximum(age - timbre.attack, 0))
    fall = (_length(timbre) - age) / timbre.attack
    return rise * np.clip(fall, 0, 1)


def _noise(timbre, sound, sample_rate, rng):
    """Noise about one frequency that is as loud as the tone at any moment."""
    white = rng.standard_normal(len(sound))
    if timbre.noise == 0:
        return 0.0
    edges = timbre.noise_centre * np.array([0.7, 1.4])
    edges = np.minimum(edges / (sample_rate / 2), [0.7, 0.95])
    noise = sosfilt(butter(2, edges, "bandpass", output="sos"), white)
    noise /= max(np.sqrt(np.mean(noise**2)), 1e-9)
    follow = butter(1, 30 / (sample_rate / 2), output="sos")
    loudness = np.sqrt(np.maximum(sosfilt(follow, sound**2), 0))
    return timbre.noise * loudness * noise
