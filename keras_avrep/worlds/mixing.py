"""Mixing sounds at known levels, exactly."""

from itertools import pairwise

import numpy as np

REFERENCE_RMS = 0.1
# Quieter sounds are not amplified without end.
RMS_FLOOR = 1e-4
PEAK = 0.99
# Stems are whole multiples of this, so that sums are exact in any order and
# 16 bits hold them without loss.
STEP = 1 / 32768


def at_reference_level(sound):
    """A sound scaled to an RMS of 0.1 (-20 dBFS).

    Args:
        sound: float array `(S,)`.

    Returns:
        float64 array `(S,)`. What is below an RMS of 1e-4 is scaled as if it were
        at it.
    """
    sound = np.asarray(sound, np.float64)
    rms = np.sqrt(np.mean(sound**2))
    return sound * (REFERENCE_RMS / max(rms, RMS_FLOOR))


def mix_stems(sounds, gains_db):
    """Sounds at given levels, limited together.

    Args:
        sounds: array `(N, S)`, each row at the reference level.
        gains_db: N floats. Level of each, in dB relative to the reference.

    Returns:
        Pair: stems float32 `(N, S)` that sum to the mixture exactly, and the one
        factor that all were scaled by to keep the mixture's peak at or below
        0.99 (1 if it was there already).

    Example:
    ```python
    stems, scale = mix_stems(sounds, [0.0, -6.0])
    mixture = stems.sum(axis=0)
    ```

    Reference: note of IEr (arXiv:2202.06406), section 2.3.
    """
    gains = 10 ** (np.asarray(gains_db, np.float64) / 20)
    stems = np.asarray(sounds, np.float64) * gains[:, None]
    peak = np.abs(stems.sum(axis=0)).max(initial=0.0)
    scale = min(1.0, PEAK / peak) if peak > 0 else 1.0
    # A single stem may be louder than the mixture, where stems cancel out.
    loudest = np.abs(stems * scale).max(initial=0.0)
    if loudest > PEAK:
        scale *= PEAK / loudest
    return (np.rint(stems * scale / STEP) * STEP).astype(np.float32), float(scale)


def loudness(stem, num_frames):
    """How loud a sound is while each frame is shown.

    Args:
        stem: array `(S,)`.
        num_frames: int.

    Returns:
        float64 array `(num_frames,)` from -1 (the quietest frame) to 1 (the
        loudest); zeros if all are alike.
    """
    edges = np.linspace(0, len(stem), num_frames + 1).astype(int)
    rms = [
        np.sqrt(np.mean(np.square(stem[a:b], dtype=np.float64)))
        for a, b in pairwise(edges)
    ]
    rms = np.array(rms)
    spread = rms.max() - rms.min()
    if spread == 0:
        return np.zeros(num_frames)
    return 2 * (rms - rms.min()) / spread - 1


def pink_noise(num_samples, rng):
    """Noise whose power falls by 3 dB an octave.

    Args:
        num_samples: int.
        rng: `numpy.random.Generator`.

    Returns:
        float64 array `(num_samples,)`, of no particular level.
    """
    spectrum = np.fft.rfft(rng.standard_normal(num_samples))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    spectrum[0] = 0
    return np.fft.irfft(spectrum, num_samples)
