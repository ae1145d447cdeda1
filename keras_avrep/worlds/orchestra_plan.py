"""What is drawn for a video of the world `orchestra`."""

import numpy as np

KINDS = ("solo", "duet", "composite", "unconstrained")
TILES = [
    [row / 2, column / 2, (row + 1) / 2, (column + 1) / 2]
    for row in (0, 1)
    for column in (0, 1)
]
WHOLE = [0.0, 0.0, 1.0, 1.0]
HALVES = {
    "beside": [[0.0, 0.0, 1.0, 0.5], [0.0, 0.5, 1.0, 1.0]],
    "above": [[0.0, 0.0, 0.5, 1.0], [0.5, 0.0, 1.0, 1.0]],
}


def draw_plan(world, split, numbers):
    """Draw which instruments there are, how they look and how they sound.

    Sight, sound and the choice of instruments have a stream of random numbers
    each, so none of them depends on what the others need.

    Args:
        world: `OrchestraWorld`.
        split: string.
        numbers: ints that tell this video from all others of the world.

    Returns:
        Dict, as of `OrchestraWorld.plan`.
    """
    choice, sight, sound = (
        np.random.default_rng([world.seed, KINDS.index(world.kind), *numbers, stream])
        for stream in range(3)
    )
    cells = _cells(world.kind, sight)
    unseen = 0
    if world.kind == "unconstrained":
        low, high = world.num_off_screen
        unseen = int(choice.integers(low, high + 1))
    order = choice.permutation(len(world.classes))[: len(cells) + unseen]
    names = [world.classes[i] for i in order]
    sounding = _sounding(len(cells), choice) + [True] * unseen
    radii = (0.18, 0.32) if world.kind == "solo" else (0.32, 0.42)
    sources = []
    for position, name in enumerate(names):
        seen = position < len(cells)
        look = world.sources.draw_look(name, split, radii, sight) if seen else None
        # Drawn for silent ones too: what one plays does not tell who is silent.
        heard = world.sources.draw_sound(name, split, sound)
        sources.append(
            {
                "class": name,
                "on_screen": seen,
                "sounding": sounding[position],
                "gain_db": None,
                "cell": cells[position] if seen else None,
                "look": look,
                "sound": heard if sounding[position] else None,
            }
        )
    _draw_gains(world, [s for s in sources if s["sounding"]], sound)
    audible = sorted(s["class"] for s in sources if s["sounding"] and s["on_screen"])
    return {
        "labels": {"class": "+".join(audible)},
        "scenes": _draw_scenes(world, cells, sight),
        "sources": sources,
        "noise": _draw_noise(world, sound),
    }


def _cells(kind, rng):
    """Parts of the picture, one for each instrument."""
    if kind == "solo":
        return [WHOLE]
    if kind == "duet":
        return HALVES["beside" if rng.random() < 0.5 else "above"]
    return TILES


def _sounding(num_seen, rng):
    """Two of four, else all."""
    if num_seen < 4:
        return [True] * num_seen
    chosen = set(rng.permutation(num_seen)[:2].tolist())
    return [position in chosen for position in range(num_seen)]


def _draw_scenes(world, cells, rng):
    """A background for each tile, or one for the whole picture."""
    areas = cells if len(cells) == 4 else [WHOLE]
    return [{"cell": area, "scene": world.sources.draw_scene(rng)} for area in areas]


def _draw_gains(world, sources, rng):
    """Levels in dB, as the notes of CSOL and IEr have them."""
    if world.kind == "unconstrained":
        limits = world.gain_range_db
        limits = tuple(limits) if np.ndim(limits) else (0.0, limits)
        gains = -rng.uniform(*sorted(np.abs(limits)), len(sources))
        gains[rng.integers(len(sources))] = 0.0
    elif len(sources) == 1:
        gains = np.zeros(1)
    else:
        gains = 20 * np.log10(rng.uniform(0.5, 1.5, len(sources)) / len(sources))
    for source, gain in zip(sources, gains, strict=True):
        # Rounded, so that files hold exactly the gain that was mixed.
        source["gain_db"] = round(float(gain), 4) + 0.0


def _draw_noise(world, rng):
    if world.kind != "unconstrained" or world.noise_db is None:
        return None
    gain = round(float(rng.uniform(*world.noise_db)), 4)
    return {"gain_db": gain, "seed": int(rng.integers(2**31))}
